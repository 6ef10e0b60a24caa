#![doc = include_str!("../README.md")]

#[cfg(feature = "fs")]
mod fs;
#[cfg(feature = "images")]
pub mod image;
#[cfg(feature = "images")]
mod service;
mod url;

#[cfg(feature = "fs")]
pub use fs::FsBlobs;
#[cfg(feature = "images")]
pub use service::{Found, MediaService, Upload};
pub use url::MediaUrls;

daira_core::refusals! {
    /// Why a picture was refused.
    pub enum MediaRefusal {
        /// Nothing was uploaded.
        Empty = "media.empty", Invalid, "The file is empty.", "الملف فاضي.";
        /// More bytes than allowed.
        TooLarge = "media.too_large", TooLarge, "The picture may have up to 20 MB.", "الصورة أقصاها ٢٠ ميجا.";
        /// More pixels than allowed.
        TooManyPixels = "media.too_many_pixels", TooLarge, "The picture has too many pixels.", "أبعاد الصورة كبيرة زيادة.";
        /// Not a kind of picture that is taken.
        Unsupported = "media.unsupported", UnsupportedMedia, "Upload a JPEG, PNG, GIF or WebP picture.", "ارفع صورة JPEG أو PNG أو GIF أو WebP.";
        /// Damaged, or not what it says it is.
        Broken = "media.broken", Invalid, "The picture is damaged.", "الصورة بايظة.";
        /// Another kind of picture than it is said to be.
        Mismatch = "media.mismatch", UnsupportedMedia, "The file is not the kind of picture that it is said to be.", "نوع الصورة مش زي المكتوب.";
    }
}
