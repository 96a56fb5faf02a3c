//! Compression.

/// How frames are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// gzip members.
    Gzip(u8),
    /// zstd frames.
    Zstd(i32),
    /// As they are.
    None,
}
