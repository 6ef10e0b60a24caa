//! Access that lasts: what an access token opened stays open while the token holds and its session lives, on whichever node.
//!
//! Ends of sessions travel twice: told at once over [`PubSub`](crate::port::PubSub), and found by the poll of the store, which
//! misses none. Streams look at what their node knows of them every [`POLL_EVERY`].

use std::pin::pin;

use bytes::{Buf, Bytes};
use futures_util::future::{Either, select};
use futures_util::stream::{self, BoxStream, Stream, StreamExt};

use super::super::{AccountRefusal, Freshness, POLL_EVERY};
use super::AccountService;
use crate::actor::{Actor, Member};
use crate::error::{CommonRefusal, Error, Result};
use crate::id::{Id, SessionId};
use crate::oauth::{Granted, OauthRefusal, Scopes};
use crate::port::{Claims, Heard, MAX_SIGNAL, Topic, hint};
use crate::secret::Secret;
use crate::time::Timestamp;
use crate::trust::Trust;

/// What an access token opens: who comes in, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    actor: Actor,
    claims: Option<Claims>,
    trust: Trust,
}

impl Pass {
    /// Of somebody who shows no token. It never ends.
    pub const ANONYMOUS: Self = Self { actor: Actor::Anonymous, claims: None, trust: Trust::FULL };

    /// Who it lets in.
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// How far its account was trusted when the token was first seen here; a token lives for a quarter of an hour. Nothing hangs
    /// on it for somebody who shows none.
    pub const fn trust(&self) -> Trust {
        self.trust
    }

    /// Whether it opens what takes these scopes: all of that to a client of the house, to an app of somebody else's what it was
    /// given. Who lets in asks this before anything is done for [`actor`](Self::actor).
    ///
    /// # Errors
    /// [`OauthRefusal::ScopeMissing`].
    pub fn may(&self, needed: Scopes) -> Result<()> {
        match self.claims.and_then(|claims| claims.granted) {
            Some(granted) if !granted.scopes.contains(needed) => Err(OauthRefusal::ScopeMissing.into()),
            _ => Ok(()),
        }
    }

    /// The app of somebody else's whose token it is, and what it may do.
    pub fn granted(&self) -> Option<Granted> {
        self.claims.and_then(|claims| claims.granted)
    }

    /// When it ends, whatever becomes of the session; never for somebody without a token.
    pub fn until(&self) -> Option<Timestamp> {
        self.claims.map(|claims| claims.expires_at)
    }
}

impl AccountService {
    /// Whose access token this is, for what is done at once; see [`admit`](Self::admit). Tokens of apps of others are refused.
    ///
    /// # Errors
    /// Those of [`admit`](Self::admit), and of [`Pass::may`].
    pub async fn authenticate(&self, access: &Secret) -> Result<Actor> {
        let pass = self.admit(access).await?;
        pass.may(Scopes::CLOSED)?;
        Ok(pass.actor)
    }

    /// Lets in whoever has this access token. It must hold and its session must live: remembered where revocations are
    /// polled, else looked up.
    ///
    /// # Errors
    /// [`AccountRefusal::TokenInvalid`]; [`CommonRefusal::Unavailable`] while nobody can say which sessions live.
    pub async fn admit(&self, access: &Secret) -> Result<Pass> {
        let refuse = || Error::from(AccountRefusal::TokenInvalid);
        let now = self.ports.clock.now();
        let claims = self.ports.signer.verify(access.expose(), now)?;
        let (member, trust) = self.living(&claims, now).await?.ok_or_else(refuse)?;
        if member.profile != claims.profile {
            return Err(refuse());
        }
        Ok(Pass { actor: Actor::Member(member), claims: Some(claims), trust })
    }

    /// Whether a pass still lets in. On a node that polls this asks the store nothing, so that any number of streams may ask
    /// at any time; when the polls fail for five seconds, nobody is let in any more.
    ///
    /// # Errors
    /// [`AccountRefusal::TokenInvalid`] when its token has lapsed: whoever has a new one may come again;
    /// [`AccountRefusal::SessionEnded`] when its session has; [`CommonRefusal::Unavailable`] while nobody can say so.
    pub async fn check(&self, pass: &Pass) -> Result<()> {
        let Some(claims) = &pass.claims else { return Ok(()) };
        let now = self.ports.clock.now();
        if now >= claims.expires_at {
            return Err(AccountRefusal::TokenInvalid.into());
        }
        if self.directory.is_revoked(claims.session) {
            return Err(AccountRefusal::SessionEnded.into());
        }
        match self.directory.freshness(now) {
            Freshness::Fresh => Ok(()),
            Freshness::Blind => Err(CommonRefusal::Unavailable.into()),
            // What polls is waited for: thousands that look for themselves would only keep the store from answering it.
            Freshness::Stale if self.directory.was_polled() => Ok(()),
            Freshness::Stale => {
                let living = self.resolve(claims, now).await?;
                living.map(drop).ok_or_else(|| AccountRefusal::SessionEnded.into())
            }
        }
    }

    /// The member whose session lives.
    async fn living(&self, claims: &Claims, now: Timestamp) -> Result<Option<(Member, Trust)>> {
        if self.directory.is_revoked(claims.session) {
            return Ok(None);
        }
        let known = match self.directory.freshness(now) {
            Freshness::Fresh => self.directory.member(claims.session, claims.generation),
            Freshness::Stale => None,
            Freshness::Blind => return Err(CommonRefusal::Unavailable.into()),
        };
        match known {
            Some(known) => Ok(Some(known)),
            None => self.resolve(claims, now).await,
        }
    }

    /// A stream for the holder of a pass: it ends with the error of [`check`](Self::check) as soon as that refuses. Errors of
    /// its own do not end it.
    pub fn while_valid<T: Send + 'static>(
        &self,
        pass: Pass,
        items: impl Stream<Item = Result<T>> + Send + 'static,
    ) -> BoxStream<'static, Result<T>> {
        let accounts = self.clone();
        let refused = stream::once(async move {
            loop {
                futures_timer::Delay::new(POLL_EVERY).await;
                if let Err(error) = accounts.check(&pass).await {
                    return Some(Err(error));
                }
            }
        });
        let end = || stream::once(core::future::ready(None));
        let (refused, items) = (refused.chain(end()), items.map(Some).chain(end()));
        // Refusals first: a stream with much to say must not say it to somebody who may not hear it.
        let both = stream::select_with_strategy(refused, items, |(): &mut ()| stream::PollNext::Left);
        both.scan((), |(), item| core::future::ready(item)).boxed()
    }

    /// Learns of ended sessions for as long as it is polled: at once when it is told of them, and by polling every
    /// [`POLL_EVERY`] in any case. A program runs it beside its transports.
    pub async fn keep_up(&self) {
        let mut told = self.ports.pubsub.subscribe(Topic::Sessions).await;
        loop {
            let mut wait = pin!(futures_timer::Delay::new(POLL_EVERY));
            // Whatever is heard puts the poll off by nothing.
            while let Either::Left((Heard::Message(message), _)) = select(told.next(POLL_EVERY), wait.as_mut()).await {
                self.hear(message);
            }
            if let Err(error) = self.poll_revocations().await {
                tracing::warn!(?error, "ended sessions could not be asked for");
            }
        }
    }

    fn hear(&self, mut message: Bytes) {
        let now = self.ports.clock.now();
        while let Ok(id) = message.try_get_i64() {
            self.directory.revoke(SessionId::from_raw(id), now);
        }
    }

    /// Makes it known that sessions have ended: here at once, on other nodes as soon as they hear of it.
    pub(crate) async fn tell_ended(&self, ended: &[SessionId], now: Timestamp) {
        for session in ended {
            self.directory.revoke(*session, now);
        }
        let message = |ids: &[SessionId]| ids.iter().flat_map(|id| id.raw().to_be_bytes()).collect();
        let messages: Vec<_> = ended.chunks(MAX_SIGNAL / 8).map(|ids| (Topic::Sessions, message(ids))).collect();
        if let Err(error) = hint(&*self.ports.pubsub, &messages).await {
            tracing::warn!(?error, "the end of a session could not be told at once, and is found by the polls");
        }
    }
}
