//! Pictures and their renditions.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use daira_core::media::Media;

use super::scalar::DateTime;
use crate::graphql::scope::InScope;

/// A picture that the reader may see.
pub(crate) struct Picture {
    pub(in crate::graphql) media: Arc<Media>,
    /// Whether everybody may see it, so that its addresses last.
    pub(in crate::graphql) everybody: bool,
}

/// An uploaded picture.
#[Object]
impl Picture {
    /// Its id, for instance `med_0c5h2m9k1v3q8`.
    pub async fn id(&self) -> ID {
        self.media.id.to_string().into()
    }

    /// Width of the upright picture in pixels.
    async fn width(&self) -> u32 {
        self.media.width
    }

    /// Height of the upright picture in pixels.
    async fn height(&self) -> u32 {
        self.media.height
    }

    /// A blurred placeholder, a `BlurHash`.
    async fn blurhash(&self) -> &str {
        &self.media.blurhash
    }

    /// What it shows, for those who cannot see it, in the words of its upload.
    async fn alt(&self) -> &str {
        &self.media.alt
    }

    /// When it was uploaded.
    async fn created_at(&self) -> DateTime {
        self.media.created_at.into()
    }

    /// Its renditions, smallest first.
    async fn variants(&self, ctx: &Context<'_>) -> Vec<PictureVariant> {
        let scope = ctx.scope();
        let addresses = scope.services.media.addresses(&self.media, self.everybody, scope.viewer());
        let show = |(variant, url): (daira_core::media::Variant, String)| PictureVariant {
            name: variant.name,
            url,
            content_type: variant.content_type,
            width: variant.width,
            height: variant.height,
            bytes: i64::try_from(variant.bytes).unwrap_or(i64::MAX),
        };
        addresses.into_iter().map(show).collect()
    }
}

/// One rendition of a picture.
#[derive(SimpleObject)]
pub(crate) struct PictureVariant {
    /// Its name within the picture, for instance `feed-480.webp`.
    name: String,
    /// Where it is fetched. Of what not everybody may see, the address is made out to the reader and ends after an hour or
    /// two; it stops working at once when the reader may no longer see the picture.
    url: String,
    /// Its media type.
    content_type: String,
    /// Width in pixels.
    width: u32,
    /// Height in pixels.
    height: u32,
    /// Size in bytes.
    bytes: i64,
}
