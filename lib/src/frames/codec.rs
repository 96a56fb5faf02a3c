//! One frame, compressed and decompressed: a gzip member, a zstd frame, or the bytes as they are.

use crate::compression::Compression;
use crate::error::{Error, Result};

/// Compresses frames; each worker has its own.
pub enum Encoder {
    /// gzip members, by libdeflate: whole blocks in memory are exactly its case.
    Gzip(Box<libdeflater::Compressor>),
    /// zstd frames with their own checksum.
    Zstd(zstd::bulk::Compressor<'static>),
    /// No compression.
    None,
}

impl Encoder {
    /// An encoder for this compression and level.
    pub fn new(compression: Compression) -> Result<Self> {
        Ok(match compression {
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
                Encoder::Zstd(compressor)
            }
            Compression::None => Encoder::None,
        })
    }

    /// Compresses one frame.
    pub fn encode(&mut self, plain: &[u8]) -> Result<Vec<u8>> {
        match self {
            Encoder::Gzip(compressor) => {
                let mut out = vec![0; compressor.gzip_compress_bound(plain.len())];
                let size = compressor
                    .gzip_compress(plain, &mut out)
                    .map_err(|error| Error::failed("gzip cannot compress a frame").because(error))?;
                out.truncate(size);
                Ok(out)
            }
            Encoder::Zstd(compressor) => {
                compressor.compress(plain).map_err(|error| Error::failed("zstd cannot compress a frame").because(error))
            }
            Encoder::None => Ok(plain.to_vec()),
        }
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

    /// Decompresses one frame that must give exactly `plain_bytes`, and be used up to its last byte.
    pub fn decode(&mut self, stored: &[u8], plain_bytes: usize) -> Result<Vec<u8>> {
        let damaged = || Error::bad("a frame does not decompress to what its index says");
        let plain = match self {
            Decoder::Gzip(decompressor) => {
                let mut plain = vec![0; plain_bytes];
                let size = decompressor.gzip_decompress(stored, &mut plain).map_err(|error| damaged().because(error))?;
                plain.truncate(size);
                plain
            }
            Decoder::Zstd(decompressor) => decompressor.decompress(stored, plain_bytes).map_err(|error| damaged().because(error))?,
            Decoder::None => stored.to_vec(),
        };
        if plain.len() == plain_bytes { Ok(plain) } else { Err(damaged()) }
    }
}
