//! One frame, compressed and decompressed: a gzip member, a zstd frame, or the bytes as they are.

use crate::compression::Compression;
use crate::error::{Error, Result};

/// More than the headers of the stored blocks that bytes without any pattern end in.
#[cfg(feature = "isal")]
const STORED_SPARE_BYTES: usize = 1024;

/// log2 of the entries of zstd's match table at level 1.
const LEVEL_1_HASH_LOG: u32 = 12;

/// Compresses frames; each worker has its own.
pub enum Encoder {
    /// gzip members, by libdeflate: whole blocks in memory are exactly its case.
    Gzip(Box<libdeflater::Compressor>),
    /// gzip members at level 1, by ISA-L's level 3: as small as libdeflate's level 1 and twice as fast. ISA-L's own level 1
    /// is faster still, and on SQLite pages 8.5 % larger than `gzip -6`, index included.
    #[cfg(feature = "isal")]
    FastGzip,
    /// zstd frames with their own checksum.
    Zstd(zstd::bulk::Compressor<'static>),
    /// No compression.
    None,
}

impl Encoder {
    /// An encoder for this compression and level.
    pub fn new(compression: Compression) -> Result<Self> {
        Ok(match compression {
            #[cfg(feature = "isal")]
            Compression::Gzip(1) => Encoder::FastGzip,
            Compression::Gzip(level) => {
                let level = libdeflater::CompressionLvl::new(i32::from(level))
                    .map_err(|_| Error::config(format!("gzip has no level {level}")).hint("use 1 to 12"))?;
                Encoder::Gzip(Box::new(libdeflater::Compressor::new(level)))
            }
            Compression::Zstd(level) => {
                let failed = |error| Error::failed("cannot set up zstd").because(error);
                let mut compressor = zstd::bulk::Compressor::new(level).map_err(failed)?;
                compressor.include_checksum(true).map_err(failed)?;
                compressor.include_contentsize(true).map_err(failed)?;
                if level == 1 {
                    // For frames of this size a smaller match table than the level's own stays in the cache: on ledgers 5 to
                    // 10 % faster, and 1 to 2 % smaller.
                    compressor.set_parameter(zstd::zstd_safe::CParameter::HashLog(LEVEL_1_HASH_LOG)).map_err(failed)?;
                }
                Encoder::Zstd(compressor)
            }
            Compression::None => Encoder::None,
        })
    }

    /// Compresses one frame into `out`, whose content is replaced and whose memory is used again.
    pub fn encode(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match self {
            Encoder::Gzip(compressor) => {
                out.resize(compressor.gzip_compress_bound(plain.len()), 0);
                let size =
                    compressor.gzip_compress(plain, out).map_err(|error| Error::failed("gzip cannot compress a frame").because(error))?;
                out.truncate(size);
            }
            #[cfg(feature = "isal")]
            Encoder::FastGzip => {
                out.resize(plain.len() + plain.len() / 8 + STORED_SPARE_BYTES, 0);
                let size = isal::compress_into(plain, out, isal::CompressionLevel::Three, isal::Codec::Gzip)
                    .map_err(|error| Error::failed(format!("ISA-L cannot compress a frame: {error:?}")))?;
                out.truncate(size);
            }
            Encoder::Zstd(compressor) => {
                out.clear();
                out.reserve(zstd::zstd_safe::compress_bound(plain.len()));
                compressor.compress_to_buffer(plain, out).map_err(|error| Error::failed("zstd cannot compress a frame").because(error))?;
            }
            Encoder::None => {
                out.clear();
                out.extend_from_slice(plain);
            }
        }
        Ok(())
    }
}

/// Decompresses frames; each worker has its own.
pub enum Decoder {
    /// gzip members.
    Gzip(Box<libdeflater::Decompressor>),
    /// zstd frames.
    Zstd(zstd::bulk::Decompressor<'static>),
    /// No compression.
    None,
}

impl Decoder {
    /// A decoder for this compression; the level does not matter.
    pub fn new(compression: Compression) -> Result<Self> {
        Ok(match compression {
            Compression::Gzip(_) => Decoder::Gzip(Box::default()),
            Compression::Zstd(_) => {
                Decoder::Zstd(zstd::bulk::Decompressor::new().map_err(|error| Error::failed("cannot set up zstd").because(error))?)
            }
            Compression::None => Decoder::None,
        })
    }

    /// Decompresses one frame, which must give exactly `plain_bytes` and be used up to its last byte, into `out`, whose
    /// content is replaced and whose memory is used again.
    pub fn decode(&mut self, stored: &[u8], plain_bytes: usize, out: &mut Vec<u8>) -> Result<()> {
        let damaged = || Error::bad("a frame does not unpack to what its index says");
        let size = match self {
            Decoder::Gzip(decompressor) => {
                out.resize(plain_bytes, 0);
                decompressor.gzip_decompress(stored, out).map_err(|_| damaged())?
            }
            Decoder::Zstd(decompressor) => {
                out.clear();
                out.reserve(plain_bytes);
                decompressor.decompress_to_buffer(stored, out).map_err(|_| damaged())?
            }
            Decoder::None => {
                out.clear();
                out.extend_from_slice(stored);
                stored.len()
            }
        };
        if size == plain_bytes && out.len() == plain_bytes { Ok(()) } else { Err(damaged()) }
    }
}
