//! Taking uploads in and giving pictures out.
//!
//! An upload's row is written before its blobs, so that whatever is killed when, the sweep finds what nothing uses; a
//! request repeated under its key puts the blobs that are missing. What is given out is decided at that moment, as the
//! reader whom an address was made out to: nothing that is deleted or hidden has an address that works.

use core::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use daira_core::Ports;
use daira_core::account::{AccountRefusal, Standing, acting};
use daira_core::actor::{Actor, Member};
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::id::{Id, MediaId, ProfileId, SessionId};
use daira_core::idempotency::{IdempotencyKey, Keyed};
use daira_core::media::{Media, Variant};
use daira_core::port::BlobStoreExt;
use daira_core::port::store::Access;
use daira_core::post::{Visibility, alt_text};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::image::{self, Limits, Processed, Purpose};
use crate::{MediaRefusal, MediaUrls};

/// Pictures drawn at the same time: drawing is memory- and CPU-hungry, and requests for feeds go first.
const DRAWING: usize = 2;

/// One upload.
#[derive(Debug, Clone)]
pub struct Upload {
    /// What the picture is for.
    pub purpose: Purpose,
    /// What kind of picture it is said to be; refused when it is another. Nothing is said when `None`.
    pub content_type: Option<String>,
    /// What it shows, for those who cannot see it; up to 1,000 characters.
    pub alt: String,
    /// The file.
    pub bytes: Bytes,
}

/// A rendition that its reader may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The rendition.
    pub variant: Variant,
    /// Whether everybody may have it, and shared caches may keep it.
    pub public: bool,
}

/// Takes uploads in and gives pictures out.
#[derive(Debug, Clone)]
pub struct MediaService {
    ports: Ports,
    urls: MediaUrls,
    limits: Limits,
    drawing: Arc<Semaphore>,
}

impl MediaService {
    /// Over these ports; `base` is the address that pictures are served below.
    pub fn new(ports: Ports, base: impl Into<String>) -> Self {
        let urls = MediaUrls::new(ports.keys.media.clone(), base);
        Self { ports, urls, limits: Limits::default(), drawing: Arc::new(Semaphore::new(DRAWING)) }
    }

    /// The bounds on uploads.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Processes and keeps a picture; it hangs on nothing until a post or a profile takes it, and is swept after a day.
    ///
    /// # Errors
    /// To log in first; [`AccountRefusal::Restricted`]; a [`MediaRefusal`] for anything that is not a sound picture within the limits; what
    /// [`alt_text`] refuses.
    pub async fn upload(&self, actor: &Actor, upload: Upload, key: Option<IdempotencyKey>) -> Result<Media> {
        let member = *actor.member()?;
        let alt = &alt_text(&upload.alt).map_err(|error| error.on_field("alt"))?;
        if upload.bytes.len() > self.limits.bytes {
            return Err(MediaRefusal::TooLarge.into());
        }
        let request = (upload.purpose.name(), alt, data_encoding::HEXLOWER.encode(&Sha256::digest(&upload.bytes)));
        let keyed = key.map(|key| Keyed::new("media.upload", key, &request));
        let processed = &self.draw(upload).await?;
        let variants = &self.plan(processed);
        let (ports, now) = (&self.ports, self.ports.clock.now());
        let id = self
            .ports
            .transact_once(actor, keyed.as_ref(), |mut unit| {
                Box::pin(async move {
                    acting(&mut *unit, &member, now, AccountRefusal::Restricted).await?;
                    let media = Media {
                        id: ports.ids.draw(now, member.profile.shard()),
                        owner: member.profile,
                        width: processed.width,
                        height: processed.height,
                        blurhash: processed.blurhash.clone(),
                        alt: alt.clone(),
                        variants: variants.clone(),
                        post: None,
                        attached: false,
                        created_at: now,
                    };
                    unit.media().insert(&media).await?;
                    Ok(media.id)
                })
            })
            .await?;
        self.fill(actor, id, processed).await
    }

    /// Puts the blobs of a row that are not there yet.
    async fn fill(&self, actor: &Actor, id: MediaId, processed: &Processed) -> Result<Media> {
        let mut view = self.ports.store.read(actor, Access::Read).await?;
        let media = view.media().media(&[id]).await?.pop().ok_or_else(Error::not_found)?;
        drop(view);
        for variant in &media.variants {
            let drawn = processed.renditions.iter().find(|rendition| rendition.name == variant.name);
            if let Some(drawn) = drawn
                && !self.ports.blobs.exists(&variant.key).await?
            {
                self.ports.blobs.put(&variant.key, drawn.content_type, drawn.bytes.clone()).await?;
            }
        }
        Ok(media)
    }

    /// What is to be kept of a drawn picture. Every upload has keys of its own: nobody's picture can stand for another's,
    /// and sweeping one takes nothing from another.
    fn plan(&self, processed: &Processed) -> Vec<Variant> {
        let variant = |rendition: &image::Rendition| {
            let random = data_encoding::HEXLOWER.encode(&self.ports.ids.bytes::<16>());
            Variant {
                name: rendition.name.clone(),
                key: format!("img/{}/{random}", random.get(..2).unwrap_or_default()),
                content_type: rendition.content_type.to_owned(),
                width: rendition.width,
                height: rendition.height,
                bytes: rendition.bytes.len() as u64,
            }
        };
        processed.renditions.iter().map(variant).collect()
    }

    /// The addresses of a picture's renditions for a reader who may see it: lasting ones when everybody may, or nobody in
    /// particular asks.
    pub fn addresses(&self, media: &Media, everybody: bool, reader: Option<ProfileId>) -> Vec<(Variant, String)> {
        let now = self.ports.clock.now();
        let address = |v: &Variant| match reader {
            Some(reader) if !everybody => self.urls.signed(media.id, &v.name, reader, now),
            _ => self.urls.public(media.id, &v.name),
        };
        media.variants.iter().map(|v| (v.clone(), address(v))).collect()
    }

    /// Whether a picture that hangs on a post of this visibility, by an author who is or is not private, is everybody's.
    pub fn is_everybodys(visibility: Visibility, private: bool) -> bool {
        !private && visibility.is_open()
    }

    /// Finds a rendition: without a signature if everybody may see the picture right now, with one if the reader it was
    /// made out to may.
    ///
    /// # Errors
    /// The same for everything that is not to be had: not found.
    pub async fn find(&self, media: MediaId, variant: &str, signature: Option<(i64, &str)>) -> Result<Found> {
        let reader = match signature {
            None => Actor::Anonymous,
            Some((end, sig)) => {
                let reader = self.urls.verify(media, variant, end, sig, self.ports.clock.now());
                self.reader(reader.ok_or_else(Error::not_found)?).await?
            }
        };
        let mut view = self.ports.store.read(&reader, Access::Read).await?;
        let found = view.media().media(&[media]).await?.pop().ok_or_else(Error::not_found)?;
        // Its owner sees a row whatever became of the post; an address ends with the post for the owner too.
        if let Some(post) = found.post
            && view.posts().cards(&[post]).await?.is_empty()
        {
            return Err(Error::not_found());
        }
        drop(view);
        let variant = found.variants.into_iter().find(|v| v.name == variant).ok_or_else(Error::not_found)?;
        Ok(Found { variant, public: reader == Actor::Anonymous })
    }

    /// The bytes of a rendition, or a range of them.
    ///
    /// # Errors
    /// Not found when they are not there; the blob store's faults.
    pub async fn read(&self, found: &Found, range: Option<Range<u64>>) -> Result<Bytes> {
        self.ports.blobs.get(&found.variant.key, range).await?.ok_or_else(Error::not_found)
    }

    /// The reader of an address as an actor who reads. There is no session to it, and nothing is written.
    async fn reader(&self, profile: ProfileId) -> Result<Actor> {
        let mut view = self.ports.store.read(&Actor::System("media"), Access::Read).await?;
        let found = view.accounts().profiles(&[profile]).await?.pop();
        let found = found.filter(|found| found.standing == Standing::Live).ok_or_else(Error::not_found)?;
        Ok(Actor::Member(Member { account: found.account, profile, session: SessionId::from_raw(0) }))
    }

    async fn draw(&self, upload: Upload) -> Result<Processed> {
        let fault = |source: Box<dyn core::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Unavailable, "media.draw").with_source(source)
        };
        let permit = self.drawing.clone().acquire_owned().await.map_err(|e| fault(Box::new(e)))?;
        let limits = self.limits;
        tokio::task::spawn_blocking(move || {
            let _until_done = permit;
            if let Some(said) = &upload.content_type
                && image::sniff(&upload.bytes).is_some_and(|format| format.to_mime_type() != said)
            {
                return Err(MediaRefusal::Mismatch.into());
            }
            image::process(&upload.bytes, upload.purpose, &limits)
        })
        .await
        .map_err(|e| fault(Box::new(e)))?
    }
}
