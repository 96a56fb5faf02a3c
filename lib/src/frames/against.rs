//! One frame of an increment, compressed against the bytes that it replaces: the *dictionary*.

use zstd::zstd_safe::{CCtx, CParameter, DCtx};

use super::FRAME_PLAIN_BYTES;
use crate::compression::Compression;
use crate::error::{Error, Result};

/// How far back deflate can refer: what of a dictionary lies further away is of no use to it.
const DEFLATE_WINDOW_BYTES: usize = 32 << 10;
/// A deflate frame's own bytes: its beginning must still reach the beginning of the dictionary at its end.
const DEFLATE_FRAME_BYTES: usize = DEFLATE_WINDOW_BYTES / 2;
/// What changed is mostly copied from the dictionary, and the search for the rest costs little. Measured on a ledger with 1 % of
/// its rows updated.
const DEFLATE_LEVEL: u32 = 6;
/// Level 1 does not look far enough to find the old page of a new one; on a ledger, level 3 takes half again the time of level 2 and
/// gains nothing.
const ZSTD_LEVEL_MIN: i32 = 2;

/// Plain bytes at which a frame with a dictionary is closed; none where this compression has no dictionaries.
pub(super) fn frame_bytes(compression: Compression) -> Option<usize> {
    match compression {
        Compression::Gzip(_) => Some(DEFLATE_FRAME_BYTES),
        Compression::Zstd(_) => Some(FRAME_PLAIN_BYTES),
        Compression::None => None,
    }
}

/// Compresses one frame into `out`, whose content is replaced: a zstd frame with a raw prefix, or a zlib stream (RFC 1950)
/// with a preset dictionary.
pub(super) fn encode(compression: Compression, dictionary: &[u8], plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
    out.clear();
    match compression {
        Compression::Zstd(level) => encode_zstd(level.max(ZSTD_LEVEL_MIN), dictionary, plain, out),
        Compression::Gzip(_) => encode_deflate(dictionary, plain, out),
        Compression::None => Err(Error::failed("uncompressed frames have no dictionaries")),
    }
}

/// Decompresses one frame, which must give exactly `plain_bytes` and be used up to its last byte, into `out`, whose content is
/// replaced.
pub(super) fn decode(compression: Compression, dictionary: &[u8], stored: &[u8], plain_bytes: usize, out: &mut Vec<u8>) -> Result<()> {
    out.clear();
    out.reserve(plain_bytes);
    let is_whole = match compression {
        Compression::Zstd(_) => decode_zstd(dictionary, stored, out),
        Compression::Gzip(_) => decode_deflate(dictionary, stored, plain_bytes, out),
        Compression::None => false,
    };
    if is_whole && out.len() == plain_bytes { Ok(()) } else { Err(Error::bad("a frame does not unpack to what its index says")) }
}

fn encode_zstd(level: i32, dictionary: &[u8], plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let failed = |code| Error::failed(format!("zstd cannot compress a frame: {}", zstd::zstd_safe::get_error_name(code)));
    let mut context = CCtx::try_create().ok_or_else(|| Error::failed("zstd has no memory"))?;
    for parameter in [CParameter::CompressionLevel(level), CParameter::ChecksumFlag(true), CParameter::ContentSizeFlag(true)] {
        context.set_parameter(parameter).map_err(failed)?;
    }
    context.ref_prefix(dictionary).map_err(failed)?;
    out.reserve(zstd::zstd_safe::compress_bound(plain.len()));
    context.compress2(out, plain).map(|_| ()).map_err(failed)
}

fn decode_zstd(dictionary: &[u8], stored: &[u8], out: &mut Vec<u8>) -> bool {
    let Some(mut context) = DCtx::try_create() else { return false };
    context.ref_prefix(dictionary).is_ok() && context.decompress(out, stored).is_ok()
}

fn encode_deflate(dictionary: &[u8], plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let failed = |why: String| Error::failed(format!("deflate cannot compress a frame: {why}"));
    let mut deflate = flate2::Compress::new(flate2::Compression::new(DEFLATE_LEVEL), true);
    deflate.set_dictionary(window_of(dictionary)).map_err(|error| failed(error.to_string()))?;
    // More than deflate's own bound: five bytes a stored block, and the header and trailer of zlib.
    out.reserve(plain.len() + plain.len() / 1000 + 64);
    match deflate.compress_vec(plain, out, flate2::FlushCompress::Finish) {
        Ok(flate2::Status::StreamEnd) => Ok(()),
        Ok(status) => Err(failed(format!("{status:?}"))),
        Err(error) => Err(failed(error.to_string())),
    }
}

fn decode_deflate(dictionary: &[u8], stored: &[u8], plain_bytes: usize, out: &mut Vec<u8>) -> bool {
    let mut inflate = flate2::Decompress::new(true);
    // The header comes first, and says which dictionary is needed.
    let asked = inflate.decompress_vec(stored, out, flate2::FlushDecompress::Finish);
    if !matches!(&asked, Err(error) if error.needs_dictionary().is_some()) || inflate.set_dictionary(window_of(dictionary)).is_err() {
        return false;
    }
    let header_bytes = usize::try_from(inflate.total_in()).unwrap_or(usize::MAX);
    let Some(rest) = stored.get(header_bytes..) else { return false };
    out.reserve(plain_bytes);
    let ended = matches!(inflate.decompress_vec(rest, out, flate2::FlushDecompress::Finish), Ok(flate2::Status::StreamEnd));
    ended && inflate.total_in() == stored.len() as u64
}

fn window_of(dictionary: &[u8]) -> &[u8] {
    &dictionary[dictionary.len().saturating_sub(DEFLATE_WINDOW_BYTES)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        getrandom::fill(&mut out).expect("random bytes");
        out
    }

    #[test]
    fn what_is_mostly_its_dictionary_is_small_and_comes_back() {
        for compression in [Compression::Gzip(1), Compression::Zstd(1)] {
            let size = frame_bytes(compression).expect("dictionaries");
            let old = bytes(size);
            let mut new = old.clone();
            new[size / 3..size / 3 + 100].fill(7);
            let (mut stored, mut back) = (Vec::new(), Vec::new());
            encode(compression, &old, &new, &mut stored).expect("a frame");
            assert!(stored.len() < size / 20, "{compression}: {} of {size}", stored.len());
            decode(compression, &old, &stored, new.len(), &mut back).expect("the bytes");
            assert!(back == new, "{compression}");
            // Another dictionary, a cut frame, bytes behind it, another length: each is noticed.
            let other = bytes(size);
            assert!(decode(compression, &other, &stored, new.len(), &mut back).is_err(), "{compression}");
            assert!(decode(compression, &old, &stored[..stored.len() - 1], new.len(), &mut back).is_err(), "{compression}");
            assert!(decode(compression, &old, &[&stored[..], b"x"].concat(), new.len(), &mut back).is_err(), "{compression}");
            assert!(decode(compression, &old, &stored, new.len() - 1, &mut back).is_err(), "{compression}");
        }
    }

    #[test]
    fn bytes_without_any_pattern_and_without_any_likeness_come_back() {
        for compression in [Compression::Gzip(1), Compression::Zstd(1)] {
            for (old, new) in [(1, 1), (40_000, 70_000), (3, 500_000)] {
                let (old, new) = (bytes(old), bytes(new));
                let (mut stored, mut back) = (Vec::new(), Vec::new());
                encode(compression, &old, &new, &mut stored).expect("a frame");
                decode(compression, &old, &stored, new.len(), &mut back).expect("the bytes");
                assert!(back == new, "{compression}");
            }
        }
    }
}
