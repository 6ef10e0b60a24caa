//! Pictures: told apart by content, bounded before decoding, drawn anew without their metadata. Pure and CPU-bound: run
//! it on a thread that may block.

use std::io::Cursor;

use bytes::Bytes;
use daira_core::error::{Error, ErrorKind, Result};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};

use crate::MediaRefusal;

/// Bounds on what is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest file, in bytes.
    pub bytes: usize,
    /// Most pixels.
    pub pixels: u64,
    /// Longest side, in pixels.
    pub side: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 20 * 1024 * 1024, pixels: 50_000_000, side: 16_000 }
    }
}

/// What a picture is for; decides its renditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// A profile's picture: squares.
    Avatar,
    /// A picture in a post: bounded by width, proportions kept.
    Post,
}

impl Purpose {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Avatar => "avatar",
            Self::Post => "post",
        }
    }

    /// The purpose of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Avatar, Self::Post].into_iter().find(|purpose| purpose.name() == name)
    }
}

/// One drawn rendition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendition {
    /// Its name, for instance `feed-480.webp`.
    pub name: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The file.
    pub bytes: Bytes,
}

/// A processed picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processed {
    /// Width of the upright original in pixels.
    pub width: u32,
    /// Height of the upright original in pixels.
    pub height: u32,
    /// The blurred placeholder (`BlurHash`).
    pub blurhash: String,
    /// The renditions, smallest first.
    pub renditions: Vec<Rendition>,
}

/// WebP quality, 0 to 100.
const WEBP_QUALITY: f32 = 78.0;
/// JPEG quality, 1 to 100.
const JPEG_QUALITY: u8 = 82;

/// What kind of picture the bytes are, by their signature alone.
pub fn sniff(bytes: &[u8]) -> Option<ImageFormat> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some(ImageFormat::Jpeg),
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(ImageFormat::Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some(ImageFormat::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(ImageFormat::WebP),
        _ => None,
    }
}

/// Makes the renditions of a picture. Of moving pictures the first image is taken.
///
/// # Errors
/// A [`MediaRefusal`] for anything that is not a sound picture within the limits.
pub fn process(bytes: &[u8], purpose: Purpose, limits: &Limits) -> Result<Processed> {
    if bytes.is_empty() {
        return Err(MediaRefusal::Empty.into());
    }
    if bytes.len() > limits.bytes {
        return Err(MediaRefusal::TooLarge.into());
    }
    let format = sniff(bytes).ok_or(MediaRefusal::Unsupported)?;
    let picture = decode(bytes, format, limits)?;
    let (width, height) = (picture.width(), picture.height());
    let mut renditions = Vec::new();
    for (name, size) in sizes(purpose) {
        let drawn = draw(&picture, purpose, *size);
        renditions.push(webp(&drawn, name)?);
        renditions.push(jpeg(&drawn, name)?);
    }
    Ok(Processed { width, height, blurhash: blurhash(&picture), renditions })
}

fn sizes(purpose: Purpose) -> &'static [(&'static str, u32)] {
    match purpose {
        Purpose::Avatar => &[("avatar-96", 96), ("avatar-320", 320)],
        Purpose::Post => &[("thumb-160", 160), ("feed-480", 480), ("feed-1080", 1080)],
    }
}

fn decode(bytes: &[u8], format: ImageFormat, limits: &Limits) -> Result<DynamicImage> {
    let broken = |_| Error::from(MediaRefusal::Broken);
    // The header first: a few bytes can announce more pixels than there is memory.
    let (width, height) = ImageReader::with_format(Cursor::new(bytes), format).into_dimensions().map_err(broken)?;
    if width == 0 || height == 0 {
        return Err(MediaRefusal::Broken.into());
    }
    if width > limits.side || height > limits.side || u64::from(width) * u64::from(height) > limits.pixels {
        return Err(MediaRefusal::TooManyPixels.into());
    }
    let mut bounds = image::Limits::default();
    bounds.max_image_width = Some(limits.side);
    bounds.max_image_height = Some(limits.side);
    bounds.max_alloc = Some(limits.pixels * 8 + 64 * 1024 * 1024);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(bounds);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let orientation = decoder.orientation().map_err(broken)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(broken)?;
    picture.apply_orientation(orientation);
    // Eight bits a channel; transparency is laid on white, because JPEG has none.
    Ok(flatten(picture))
}

fn flatten(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return DynamicImage::ImageRgb8(picture.into_rgb8());
    }
    let mut seen = picture.into_rgba8();
    for image::Rgba([red, green, blue, alpha]) in seen.pixels_mut() {
        for channel in [red, green, blue] {
            let on_white = u32::from(*channel) * u32::from(*alpha) + 255 * (255 - u32::from(*alpha));
            *channel = u8::try_from((on_white + 127) / 255).unwrap_or(u8::MAX);
        }
        *alpha = 255;
    }
    DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(seen).into_rgb8())
}

/// Never enlarges.
fn draw(picture: &DynamicImage, purpose: Purpose, size: u32) -> DynamicImage {
    match purpose {
        Purpose::Avatar => {
            let side = size.min(picture.width()).min(picture.height());
            picture.resize_to_fill(side, side, FilterType::CatmullRom)
        }
        Purpose::Post if picture.width() <= size => picture.clone(),
        Purpose::Post => {
            let height = u64::from(picture.height()) * u64::from(size) / u64::from(picture.width().max(1));
            picture.resize_exact(size, u32::try_from(height).unwrap_or(u32::MAX).max(1), FilterType::CatmullRom)
        }
    }
}

fn webp(picture: &DynamicImage, name: &str) -> Result<Rendition> {
    let rgb = picture.to_rgb8();
    let fault = || Error::new(ErrorKind::Internal, "media.encode_webp");
    let encoded = webp::Encoder::from_rgb(&rgb, rgb.width(), rgb.height())
        .encode_simple(false, WEBP_QUALITY)
        .map_err(|_| fault())?;
    Ok(rendition(format!("{name}.webp"), "image/webp", picture, Bytes::copy_from_slice(&encoded)))
}

fn jpeg(picture: &DynamicImage, name: &str) -> Result<Rendition> {
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY)
        .encode_image(picture)
        .map_err(|e| Error::new(ErrorKind::Internal, "media.encode_jpeg").with_source(e))?;
    Ok(rendition(format!("{name}.jpg"), "image/jpeg", picture, out.into()))
}

fn rendition(name: String, content_type: &'static str, picture: &DynamicImage, bytes: Bytes) -> Rendition {
    Rendition { name, content_type, width: picture.width(), height: picture.height(), bytes }
}

/// Four by three components over a picture of at most 64 pixels: more would not be seen.
fn blurhash(picture: &DynamicImage) -> String {
    let small = picture.thumbnail(64, 64).to_rgb8();
    let (width, height) = (small.width() as usize, small.height() as usize);
    let pixels: Vec<u32> = small
        .pixels()
        .map(|p| 0xff00_0000 | u32::from(p.0[0]) << 16 | u32::from(p.0[1]) << 8 | u32::from(p.0[2]))
        .collect();
    fast_blurhash::compute_dct(&pixels, width, height, 4, 3).into_blurhash()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage};
    use proptest::prelude::*;

    fn encode(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut out = Vec::new();
        RgbImage::from_fn(width, height, |x, y| Rgb([x.to_le_bytes()[0], y.to_le_bytes()[0], 90]))
            .write_to(&mut Cursor::new(&mut out), format)
            .unwrap();
        out
    }

    #[test]
    fn every_kind_is_drawn_in_every_size_without_enlarging() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP] {
            let done = process(&encode(700, 500, format), Purpose::Post, &Limits::default()).unwrap();
            let sizes: Vec<_> = done.renditions.iter().map(|r| (r.name.as_str(), r.width)).collect();
            assert_eq!(
                sizes,
                [
                    ("thumb-160.webp", 160),
                    ("thumb-160.jpg", 160),
                    ("feed-480.webp", 480),
                    ("feed-480.jpg", 480),
                    ("feed-1080.webp", 700),
                    ("feed-1080.jpg", 700)
                ]
            );
            assert!(done.renditions.iter().all(|r| sniff(&r.bytes).is_some()));
            assert!(!done.blurhash.is_empty());
        }
        let avatar = process(&encode(700, 500, ImageFormat::Png), Purpose::Avatar, &Limits::default()).unwrap();
        assert!(avatar.renditions.iter().all(|r| r.width == r.height));
    }

    #[test]
    fn transparency_lies_on_white() {
        let mut out = Vec::new();
        image::RgbaImage::from_fn(2, 1, |x, _| image::Rgba([200, 0, 0, if x == 0 { 0 } else { 128 }]))
            .write_to(&mut Cursor::new(&mut out), ImageFormat::Png)
            .unwrap();
        let drawn = decode(&out, ImageFormat::Png, &Limits::default()).unwrap().into_rgb8();
        assert_eq!((drawn.get_pixel(0, 0).0, drawn.get_pixel(1, 0).0), ([255, 255, 255], [227, 127, 127]));
    }

    #[test]
    fn what_hides_behind_or_inside_a_picture_is_not_drawn() {
        let script = b"<script>alert(1)</script>";
        for format in [ImageFormat::Gif, ImageFormat::Jpeg, ImageFormat::Png] {
            let mut polyglot = encode(32, 32, format);
            polyglot.extend_from_slice(script);
            polyglot.extend_from_slice(b"PK\x03\x04");
            let done = process(&polyglot, Purpose::Post, &Limits::default()).unwrap();
            for rendition in &done.renditions {
                assert!(!rendition.bytes.windows(8).any(|w| w == b"<script>"), "{format:?} {}", rendition.name);
            }
        }
        // A GIF whose head is a comment of JavaScript announces a picture that is not there.
        let refused = process(b"GIF89a/*\0\0\0\0\0*/=1;alert(1)//", Purpose::Post, &Limits::default()).unwrap_err();
        assert!(matches!(refused.refusal(), Some(MediaRefusal::Broken | MediaRefusal::TooManyPixels)), "{refused:?}");
    }

    #[test]
    fn security_104_camera_and_place_do_not_survive() {
        let plain = encode(64, 64, ImageFormat::Jpeg);
        // An APP1 segment with an EXIF block that holds a place and says "turned by 90 degrees".
        let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        exif.extend_from_slice(b"GPS 30.0444N 31.2357E Cairo");
        let mut tagged = plain[..2].to_vec();
        tagged.extend_from_slice(&[0xff, 0xe1]);
        tagged.extend_from_slice(&u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
        tagged.extend_from_slice(&exif);
        tagged.extend_from_slice(&plain[2..]);
        let done = process(&tagged, Purpose::Post, &Limits::default()).unwrap();
        for rendition in &done.renditions {
            assert!(!rendition.bytes.windows(5).any(|w| w == b"Cairo" || w == b"Exif\0"), "{}", rendition.name);
        }
    }

    #[test]
    fn turned_pictures_are_set_upright() {
        let plain = encode(60, 30, ImageFormat::Jpeg);
        let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let mut tagged = plain[..2].to_vec();
        tagged.extend_from_slice(&[0xff, 0xe1]);
        tagged.extend_from_slice(&u16::try_from(exif.len() + 2).unwrap().to_be_bytes());
        tagged.extend_from_slice(exif);
        tagged.extend_from_slice(&plain[2..]);
        let done = process(&tagged, Purpose::Post, &Limits::default()).unwrap();
        assert_eq!((done.width, done.height), (30, 60));
    }

    #[test]
    fn security_101_a_header_that_promises_the_sky_is_refused_unread() {
        // A PNG of 65,535 × 65,535 in 57 bytes.
        let mut png = vec![0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R'];
        png.extend_from_slice(&65_535u32.to_be_bytes());
        png.extend_from_slice(&65_535u32.to_be_bytes());
        png.extend_from_slice(&[8, 2, 0, 0, 0]);
        png.extend_from_slice(&crc(&png[12..29]).to_be_bytes());
        png.extend_from_slice(&[0, 0, 0, 0, b'I', b'D', b'A', b'T', 0x35, 0xaf, 0x06, 0x1e]);
        let refused = process(&png, Purpose::Post, &Limits::default()).unwrap_err();
        assert_eq!(refused.refusal(), Some(MediaRefusal::TooManyPixels));
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, b| {
            (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
        })
    }

    #[test]
    fn other_kinds_are_refused() {
        for bytes in [
            &b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..],
            b"%PDF-1.7",
            b"#EXTM3U\n/etc/passwd",
            b"BM000000",
            b"MZ",
        ] {
            assert_eq!(
                process(bytes, Purpose::Post, &Limits::default()).unwrap_err().refusal(),
                Some(MediaRefusal::Unsupported)
            );
        }
        assert_eq!(process(b"", Purpose::Post, &Limits::default()).unwrap_err().refusal(), Some(MediaRefusal::Empty));
        let cut = encode(50, 50, ImageFormat::Png);
        assert_eq!(
            process(&cut[..60], Purpose::Post, &Limits::default()).unwrap_err().refusal(),
            Some(MediaRefusal::Broken)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn damaged_files_are_refused_or_drawn_but_never_panic(at in any::<prop::sample::Index>(), with in any::<u8>(), kind in 0..4usize) {
            let format = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP][kind];
            let mut bytes = encode(24, 16, format);
            let at = at.index(bytes.len());
            bytes[at] = with;
            let _ = process(&bytes, Purpose::Avatar, &Limits { pixels: 1_000_000, ..Limits::default() });
        }
    }
}
