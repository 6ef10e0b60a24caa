//! Taking uploads in and giving pictures out.

use std::sync::Arc;

use bytes::Bytes;
use daira_core::Ports;
use daira_core::actor::Actor;
use daira_core::error::{Error, ErrorKind, Result};
use daira_core::id::MediaId;
use daira_core::media::{Media, Variant};
use daira_core::port::store::Access;
use daira_core::post::Visibility;
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
    /// The file.
    pub bytes: Bytes,
}

/// A rendition on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its media type.
    pub content_type: String,
    /// The file.
    pub bytes: Bytes,
    /// Whether everybody may have it, and caches may keep it.
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
    /// To log in first; a [`MediaRefusal`] for anything that is not a sound picture within the limits.
    pub async fn upload(&self, actor: &Actor, upload: Upload) -> Result<MediaId> {
        let member = *actor.member()?;
        let processed = self.draw(upload).await?;
        let now = self.ports.clock.now();
        let mut variants = Vec::with_capacity(processed.renditions.len());
        for rendition in &processed.renditions {
            // A key of its own for every upload: nobody's picture can stand for another's, and sweeping one takes nothing
            // from another.
            let random = data_encoding::HEXLOWER.encode(&self.ports.ids.bytes::<16>());
            let key = format!("img/{}/{random}", random.get(..2).unwrap_or_default());
            self.ports.blobs.put(&key, rendition.content_type, rendition.bytes.clone()).await?;
            variants.push(Variant {
                name: rendition.name.clone(),
                key,
                content_type: rendition.content_type.to_owned(),
                width: rendition.width,
                height: rendition.height,
                bytes: rendition.bytes.len() as u64,
            });
        }
        let (ports, processed, variants) = (&self.ports, &processed, &variants);
        self.ports
            .transact(actor, |mut unit| {
                Box::pin(async move {
                    let media = Media {
                        id: ports.ids.draw(now, daira_core::id::Id::shard(member.profile)),
                        owner: member.profile,
                        width: processed.width,
                        height: processed.height,
                        blurhash: processed.blurhash.clone(),
                        variants: variants.clone(),
                        post: None,
                        attached: false,
                        created_at: now,
                    };
                    unit.media().insert(&media).await?;
                    Ok(media.id)
                })
            })
            .await
    }

    /// The addresses of a picture's renditions for a reader who may see it: lasting ones when everybody may.
    pub fn addresses(&self, media: &Media, everybody: bool) -> Vec<(Variant, String)> {
        let now = self.ports.clock.now();
        let address = |v: &Variant| {
            if everybody { self.urls.public(media.id, &v.name) } else { self.urls.signed(media.id, &v.name, now) }
        };
        media.variants.iter().map(|v| (v.clone(), address(v))).collect()
    }

    /// Whether a picture that hangs on a post of this visibility, by an author who is or is not private, is everybody's.
    pub fn is_everybodys(visibility: Visibility, private: bool) -> bool {
        !private && matches!(visibility, Visibility::Public | Visibility::Unlisted)
    }

    /// A rendition: with a signature that holds, or without one if everybody may see the picture right now.
    ///
    /// # Errors
    /// [`MediaRefusal::UrlInvalid`] for a signature that does not hold; not found for everything else.
    pub async fn fetch(&self, media: MediaId, variant: &str, signature: Option<(i64, &str)>) -> Result<Fetched> {
        let reader = match signature {
            None => Actor::Anonymous,
            Some((end, sig)) if self.urls.verify(media, variant, end, sig, self.ports.clock.now()) => {
                Actor::System("media")
            }
            Some(_) => return Err(MediaRefusal::UrlInvalid.into()),
        };
        let mut view = self.ports.store.read(&reader, Access::Read).await?;
        let found = view.media().media(&[media]).await?.pop().ok_or_else(Error::not_found)?;
        drop(view);
        let variant = found.variants.into_iter().find(|v| v.name == variant).ok_or_else(Error::not_found)?;
        let bytes = self.ports.blobs.get(&variant.key, None).await?.ok_or_else(Error::not_found)?;
        Ok(Fetched { content_type: variant.content_type, bytes, public: reader == Actor::Anonymous })
    }

    async fn draw(&self, upload: Upload) -> Result<Processed> {
        if upload.bytes.len() > self.limits.bytes {
            return Err(MediaRefusal::TooLarge.into());
        }
        let fault = |source: Box<dyn core::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Unavailable, "media.draw").with_source(source)
        };
        let permit = self.drawing.clone().acquire_owned().await.map_err(|e| fault(Box::new(e)))?;
        let limits = self.limits;
        tokio::task::spawn_blocking(move || {
            let _until_done = permit;
            image::process(&upload.bytes, upload.purpose, &limits)
        })
        .await
        .map_err(|e| fault(Box::new(e)))?
    }
}
