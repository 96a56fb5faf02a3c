//! How a component's frames are compressed.

use std::fmt;
use std::str::FromStr;

/// The level of `gzip` where none is given. A measured choice on 256 MB of ledger-like SQL: libdeflate's level 1 packs
/// tighter than `gzip -6` at ten times its speed, and its level 6 takes nearly twice the time for 3 % fewer bytes.
pub const GZIP_LEVEL_DEFAULT: u8 = 1;
/// The highest level libdeflate has.
pub const GZIP_LEVEL_MAX: u8 = 12;
/// The level of `zstd` where none is given. A measured choice on the same text: level 1 packs as tight as gzip does at
/// nearly twice its speed, and high levels gain little (6 packs no better than 3).
pub const ZSTD_LEVEL_DEFAULT: i32 = 1;
/// Higher ones need window memory beyond what a backup may take.
pub const ZSTD_LEVEL_MAX: i32 = 19;

/// A way to compress, with its level; written `gzip`, `gzip:6`, `zstd`, `zstd:3` or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Opens everywhere; levels 1 to [`GZIP_LEVEL_MAX`].
    Gzip(u8),
    /// Faster and smaller, where `zstd` is installed; levels 1 to [`ZSTD_LEVEL_MAX`].
    Zstd(i32),
    /// The plain bytes.
    None,
}

impl Compression {
    /// Its name without the level, as manifests keep it.
    pub fn name(self) -> &'static str {
        match self {
            Compression::Gzip(_) => "gzip",
            Compression::Zstd(_) => "zstd",
            Compression::None => "none",
        }
    }
}

impl Default for Compression {
    fn default() -> Self {
        Compression::Gzip(GZIP_LEVEL_DEFAULT)
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Compression::Gzip(level) => write!(f, "gzip:{level}"),
            Compression::Zstd(level) => write!(f, "zstd:{level}"),
            Compression::None => f.write_str("none"),
        }
    }
}

impl FromStr for Compression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, Some(level)),
            None => (text, None),
        };
        match (name, level) {
            ("gzip", None) => Ok(Compression::Gzip(GZIP_LEVEL_DEFAULT)),
            ("gzip", Some(level)) => in_range(text, level, "gzip", GZIP_LEVEL_MAX).map(Compression::Gzip),
            ("zstd", None) => Ok(Compression::Zstd(ZSTD_LEVEL_DEFAULT)),
            ("zstd", Some(level)) => in_range(text, level, "zstd", ZSTD_LEVEL_MAX).map(Compression::Zstd),
            ("none", None) => Ok(Compression::None),
            ("none", Some(_)) => Err(format!("{text:?} is not a compression: none has no level")),
            _ => Err(format!("{text:?} is not a compression: use gzip, zstd or none, with a level as in gzip:6")),
        }
    }
}

fn in_range<N: FromStr + PartialOrd + From<u8> + fmt::Display>(text: &str, level: &str, name: &str, max: N) -> Result<N, String> {
    level
        .parse()
        .ok()
        .filter(|level| *level >= N::from(1) && *level <= max)
        .ok_or_else(|| format!("{text:?} is not a compression: {name} has the levels 1 to {max}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_displayed_reads_back() {
        for compression in [Compression::Gzip(1), Compression::Gzip(12), Compression::Zstd(1), Compression::Zstd(19), Compression::None] {
            assert_eq!(compression.to_string().parse(), Ok(compression));
        }
        assert_eq!("gzip".parse(), Ok(Compression::Gzip(1)));
        assert_eq!("zstd".parse(), Ok(Compression::Zstd(1)));
        assert_eq!(Compression::default().to_string(), "gzip:1");
    }

    #[test]
    fn a_level_out_of_range_names_the_range() {
        let error = |text: &str| text.parse::<Compression>().expect_err(text);
        for text in ["gzip:0", "gzip:13", "gzip:", "gzip:x", "gzip:999"] {
            assert_eq!(error(text), format!("{text:?} is not a compression: gzip has the levels 1 to 12"));
        }
        for text in ["zstd:0", "zstd:20", "zstd:-1"] {
            assert_eq!(error(text), format!("{text:?} is not a compression: zstd has the levels 1 to 19"));
        }
        assert_eq!(error("none:3"), "\"none:3\" is not a compression: none has no level");
        assert_eq!(error("brotli"), "\"brotli\" is not a compression: use gzip, zstd or none, with a level as in gzip:6");
    }
}
