//! Reading feeds: the ranked home with its sessions, the newest-first feed, the count of new posts, and "Why this?".

use std::sync::Arc;

use daira_core::Ports;
use daira_core::actor::{Actor, Member};
use daira_core::error::{Error, Result};
use daira_core::id::{FeedSessionId, Id, IdMap, IdSet, PostId};
use daira_core::page::Limit;
use daira_core::port::ReadView;
use daira_core::port::store::{Access, PageServed};
use daira_core::post::PostCard;
use daira_core::time::Timestamp;

use crate::cursor::FeedCursor;
use crate::explain::{Why, pack, unpack};
use crate::rank::{Context, Ranked, place, score};
use crate::{FeedSettings, PageRecorder};

/// Spare items ranked for a first page, in case some are gone.
const SPARE: usize = 4;

daira_core::refusals! {
    /// Why something about a feed was refused.
    pub enum FeedRefusal {
        /// The session that a cursor belongs to is over.
        Expired = "feed.expired", Conflict, "This feed is too old; load it again.", "الصفحة دي قدمت؛ حمّلها من الأول.";
    }
}

/// One post on a page of a feed.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedItem {
    /// The post with all that is shown of it.
    pub card: Arc<PostCard>,
    /// How far into its list the feed has come with this item.
    position: u16,
}

/// One page of a feed.
#[derive(Debug, Clone, PartialEq)]
pub struct FeedPage {
    /// The items, in order.
    pub items: Vec<FeedItem>,
    /// Whether the feed goes on.
    pub has_next: bool,
    /// The instant whose posts the feed is made of: later ones are counted as new.
    pub as_of: Timestamp,
    place: Place,
}

/// What the cursors of a page are made of.
#[derive(Debug, Clone, PartialEq)]
enum Place {
    /// A ranked session; `carried` until its list is frozen.
    Session { reader: Member, session: FeedSessionId, carried: bool },
    /// Newest first: the post's own id.
    Newest { reader: Member },
}

/// Reads feeds.
#[derive(Debug, Clone)]
pub struct FeedService {
    ports: Ports,
    settings: Arc<FeedSettings>,
    recorder: Arc<PageRecorder>,
}

impl FeedService {
    /// Over these ports.
    pub fn new(ports: Ports, settings: FeedSettings) -> Self {
        Self { ports, settings: Arc::new(settings), recorder: Arc::default() }
    }

    /// The recorder of pages served: somebody must flush it, about once a second.
    pub fn recorder(&self) -> &Arc<PageRecorder> {
        &self.recorder
    }

    /// A page of the ranked home feed.
    ///
    /// # Errors
    /// To log in first; for a cursor that is not the actor's own, or whose session is over.
    pub async fn home(&self, actor: &Actor, first: Limit, after: Option<&str>) -> Result<FeedPage> {
        let member = *actor.member()?;
        match after {
            None => self.first_page(actor, member, first).await,
            Some(after) => {
                let cursor = FeedCursor::open(&self.ports.keys.cursors, member.profile, after)?;
                self.next_page(actor, member, first, cursor).await
            }
        }
    }

    /// A page of the same sources newest first, unranked.
    ///
    /// # Errors
    /// To log in first; for a cursor of another list.
    pub async fn following(&self, actor: &Actor, first: Limit, after: Option<&str>) -> Result<FeedPage> {
        let member = *actor.member()?;
        let cursors = &self.ports.keys.cursors;
        let after = after.map(|a| cursors.open_number(&newest_list(&member), a)).transpose()?.map(PostId::from_raw);
        let mut view = self.ports.store.read(actor, Access::Read).await?;
        let now = self.ports.clock.now();
        let page = view.feed().newest(now, after, first).await?;
        let mut cards = cards_by_id(view.as_mut(), &page.items).await?;
        let items = page
            .items
            .iter()
            .filter_map(|id| cards.remove(id))
            .map(|card| FeedItem { card: card.into(), position: 0 })
            .collect();
        Ok(FeedPage { items, has_next: page.has_next, as_of: now, place: Place::Newest { reader: member } })
    }

    /// How many posts by followed people came since an instant, at most 100.
    ///
    /// # Errors
    /// To log in first.
    pub async fn count_new(&self, actor: &Actor, since: Timestamp) -> Result<i64> {
        actor.member()?;
        self.ports.store.read(actor, Access::ReadStale).await?.feed().count_new(since).await
    }

    /// Why a post was on the page that last served it to the actor, with the post.
    ///
    /// # Errors
    /// Not found when it was never served to them, or they may no longer see it.
    pub async fn why(&self, actor: &Actor, post: PostId) -> Result<(Why, PostCard)> {
        let member = actor.member()?;
        let mut view = self.ports.store.read(actor, Access::Read).await?;
        let served = match self.recorder.find(member.profile, post) {
            Some(waiting) => Some(waiting),
            None => view.feed().served_reason(post).await?,
        };
        let (at, packed) = served.ok_or_else(Error::not_found)?;
        let card = view.posts().cards(&[post]).await?.pop().ok_or_else(Error::not_found)?;
        Ok((unpack(&packed, at)?, card))
    }

    /// The cursor after the item at `index` of a page; made only when asked for, because it can be a kilobyte.
    pub fn cursor(&self, page: &FeedPage, index: usize) -> Option<String> {
        let item = page.items.get(index)?;
        let cursors = &self.ports.keys.cursors;
        Some(match &page.place {
            Place::Newest { reader } => cursors.seal_number(&newest_list(reader), item.card.post.id.raw()),
            Place::Session { reader, session, carried } => {
                let served = if *carried {
                    page.items.iter().take(index + 1).map(|i| i.card.post.id).collect()
                } else {
                    Vec::new()
                };
                FeedCursor { session: *session, as_of: page.as_of, position: item.position, served }
                    .seal(cursors, reader.profile)
            }
        })
    }

    async fn first_page(&self, actor: &Actor, member: Member, first: Limit) -> Result<FeedPage> {
        let now = self.ports.clock.now();
        let mut wanted = self.settings.first_candidates.max(2 * position(first.get()));
        let mut found: IdSet<PostId> = IdSet::default();
        let mut context = Context::default();
        let mut items = Vec::with_capacity(first.get());
        let mut served = Vec::with_capacity(first.get());
        // What the cards leave out, because it was deleted or hidden, leaves no gap: the next best fill it, or older ones.
        loop {
            let candidates = self.ports.store.candidates(actor, now, wanted).await?;
            let all = candidates.len() < usize::from(wanted) || wanted == u16::MAX;
            let new = candidates.into_iter().filter(|c| found.insert(c.post));
            let mut pool: Vec<_> =
                new.map(|c| Ranked { candidate: c, parts: score(&c, now, &self.settings) }).collect();
            while items.len() < first.get() && !pool.is_empty() {
                let ranked = place(&mut pool, first.get() - items.len() + SPARE, &mut context, &self.settings);
                let best: Vec<_> = ranked.iter().map(|r| r.candidate).collect();
                let mut cards = by_id(self.ports.store.cards(actor, &best).await?);
                for ranked in &ranked {
                    if items.len() == first.get() {
                        break;
                    }
                    if let Some(card) = cards.remove(&ranked.candidate.post) {
                        items.push(FeedItem { card: card.into(), position: position(items.len() + 1) });
                        served.push((ranked.candidate.post, pack(ranked)));
                    }
                }
            }
            if all || items.len() == first.get() {
                break;
            }
            wanted = wanted.saturating_mul(4);
        }
        let has_next = found.len() > items.len();
        self.record(&member, now, served);
        let session = self.ports.ids.draw(now, member.profile.shard());
        Ok(FeedPage { items, has_next, as_of: now, place: Place::Session { reader: member, session, carried: true } })
    }

    async fn next_page(&self, actor: &Actor, member: Member, first: Limit, cursor: FeedCursor) -> Result<FeedPage> {
        let now = self.ports.clock.now();
        let mut view = self.ports.store.read(actor, Access::Read).await?;
        let list = match view.feed().frozen(cursor.session, now).await? {
            Some(list) => list,
            // Later cursors carry no ids: without its list such a session cannot go on.
            None if cursor.served.is_empty() => return Err(FeedRefusal::Expired.into()),
            None => {
                let list = self.rebuild(view.as_mut(), &cursor, now).await?;
                drop(view);
                let list = self.freeze(actor, &member, &cursor, &list, now).await?;
                view = self.ports.store.read(actor, Access::Read).await?;
                list
            }
        };
        let mut items: Vec<FeedItem> = Vec::with_capacity(first.get());
        let mut served = Vec::with_capacity(first.get());
        let mut at = usize::from(cursor.position);
        // What was deleted or hidden since the list was frozen leaves no gap: the page fills up from what follows.
        while items.len() < first.get() && at < list.len() {
            let wanted = first.get() - items.len();
            let wanted: Vec<_> = list.iter().skip(at).take(wanted).collect();
            let ids: Vec<_> = wanted.iter().map(|i| i.0).collect();
            let mut cards = cards_by_id(view.as_mut(), &ids).await?;
            for (id, reason) in wanted {
                at += 1;
                if let Some(card) = cards.remove(id) {
                    items.push(FeedItem { card: card.into(), position: position(at) });
                    served.push((*id, reason.clone()));
                }
            }
        }
        self.record(&member, now, served);
        let place = Place::Session { reader: member, session: cursor.session, carried: false };
        Ok(FeedPage { items, has_next: at < list.len(), as_of: cursor.as_of, place })
    }

    /// The whole list of a session: what was served, then everything else that was deliverable at its instant, ranked
    /// with today's inputs.
    async fn rebuild(
        &self,
        view: &mut dyn ReadView,
        cursor: &FeedCursor,
        now: Timestamp,
    ) -> Result<Vec<(PostId, Vec<u8>)>> {
        let candidates = view.feed().candidates(cursor.as_of, self.settings.session_candidates).await?;
        let shown = |post: &PostId| cursor.served.contains(post);
        let context: IdMap<_, _> =
            candidates.iter().filter(|c| shown(&c.post)).map(|c| (c.post, (c.author, c.media))).collect();
        let mut context = Context::after(cursor.served.iter().filter_map(|p| context.get(p).copied()));
        let mut pool: Vec<_> = candidates
            .into_iter()
            .filter(|c| !shown(&c.post))
            .map(|c| Ranked { candidate: c, parts: score(&c, now, &self.settings) })
            .collect();
        let ranked = place(&mut pool, usize::MAX, &mut context, &self.settings);
        let served = cursor.served.iter().map(|p| (*p, Vec::new()));
        Ok(served.chain(ranked.iter().map(|r| (r.candidate.post, pack(r)))).collect())
    }

    async fn freeze(
        &self,
        actor: &Actor,
        member: &Member,
        cursor: &FeedCursor,
        list: &[(PostId, Vec<u8>)],
        now: Timestamp,
    ) -> Result<Vec<(PostId, Vec<u8>)>> {
        let (session, profile) = (cursor.session, member.profile);
        self.ports
            .transact(actor, |mut unit| Box::pin(async move { unit.feed().freeze(session, profile, list, now).await }))
            .await
    }

    fn record(&self, member: &Member, at: Timestamp, items: Vec<(PostId, Vec<u8>)>) {
        if !items.is_empty() {
            self.recorder.record(PageServed { viewer: member.profile, at, items });
        }
    }
}

fn newest_list(reader: &Member) -> String {
    format!("newest/{}", reader.profile)
}

fn position(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

async fn cards_by_id(view: &mut dyn ReadView, ids: &[PostId]) -> Result<IdMap<PostId, PostCard>> {
    if ids.is_empty() {
        return Ok(IdMap::default());
    }
    Ok(by_id(view.posts().cards(ids).await?))
}

fn by_id(cards: Vec<PostCard>) -> IdMap<PostId, PostCard> {
    cards.into_iter().map(|card| (card.post.id, card)).collect()
}
