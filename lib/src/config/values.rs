//! Values that TOML has no type for, each read from one text so that a wrong one is an error with its place.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{duration, size};
use crate::compression::Compression;
use crate::manifest::Level;
use crate::rules::{AllowedLoss, ApprovalBy, OnFailure, OnLeak, RowLoss, Wanted};

/// A type that the file writes as a text.
pub(crate) trait Written: Sized {
    /// What it is, for "expected …" and the schema.
    const WHAT: &'static str;
    /// What the text must match; the schema shows it to editors.
    #[cfg_attr(not(any(test, feature = "schema")), allow(dead_code))]
    const PATTERN: &'static str;

    fn read(text: &str) -> Result<Self, String>;
}

impl Written for Duration {
    const WHAT: &'static str = r#"a duration in quotes, such as "15m""#;
    const PATTERN: &'static str = "^(0|([0-9]+[smhdw])+)$";

    fn read(text: &str) -> Result<Self, String> {
        duration::parse(text)
    }
}

impl Written for u64 {
    const WHAT: &'static str = r#"a size in quotes, such as "10KB""#;
    const PATTERN: &'static str = "^(0|[0-9]+ *([kKmMgGtT][iI]?)?[bB])$";

    fn read(text: &str) -> Result<Self, String> {
        size::parse(text)
    }
}

impl Written for Compression {
    const WHAT: &'static str = r#"a compression in quotes, such as "gzip" or "zstd:3""#;
    const PATTERN: &'static str = "^((gzip|zstd)(:[0-9]+)?|none)$";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Written for Wanted {
    const WHAT: &'static str = r#"a type in quotes, such as "auto""#;
    const PATTERN: &'static str = "^(full|incremental|differential|auto)$";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Written for Level {
    const WHAT: &'static str = r#"a verification level in quotes, such as "structure""#;
    const PATTERN: &'static str = "^(quick|checksum|structure|restore|exact)$";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Written for OnFailure {
    const WHAT: &'static str = r#""restore", "keep" or "ask""#;
    const PATTERN: &'static str = "^(restore|keep|ask)$";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Written for OnLeak {
    const WHAT: &'static str = r#""report" or "restore""#;
    const PATTERN: &'static str = "^(report|restore)$";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Written for RowLoss {
    const WHAT: &'static str = r#"rows or a percentage in quotes, such as "10" or "0.5%""#;
    const PATTERN: &'static str = "^[0-9]+(\\.[0-9]+%|%)?$";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Written for AllowedLoss {
    const WHAT: &'static str = r#"a table in quotes, such as "session" or "log=100""#;
    const PATTERN: &'static str = ".+";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

impl Written for ApprovalBy {
    const WHAT: &'static str = r#""anyone" or "other""#;
    const PATTERN: &'static str = "^(anyone|other)$";

    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
}

/// A [`Written`] value as it stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Text<T>(pub(crate) T);

impl<'de, T: Written> Deserialize<'de> for Text<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(PhantomData<T>);
        impl<T: Written> Visitor<'_> for Reader<T> {
            type Value = Text<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::WHAT)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                T::read(text).map(Text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Reader(PhantomData))
    }
}

/// One text, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct OneOrMore(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = OneOrMore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(OneOrMore(vec![text.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut out = Vec::new();
                while let Some(text) = list.next_element()? {
                    out.push(text);
                }
                Ok(OneOrMore(out))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// A command as a list of words: there is no shell in between, so nothing in it needs quoting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Command;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"a list of words, such as ["systemctl", "restart", "app"]"#)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut words: Vec<String> = Vec::new();
                while let Some(word) = list.next_element()? {
                    words.push(word);
                }
                if words.first().is_none_or(String::is_empty) {
                    return Err(A::Error::custom("the command is empty"));
                }
                Ok(Command(words))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

/// A query that a restored database must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assert {
    /// One statement; the first column of its first row is the answer.
    pub query: String,
    /// The answer it must give; without one, any but an empty one, `0`, `f` and `false` will do.
    pub expect: Option<String>,
}

/// An [`Assert`] in its long form.
#[derive(serde::Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct AssertTable {
    /// One statement; the first column of its first row is the answer.
    query: String,
    /// The answer that it must give, as the database writes it.
    expect: Option<String>,
}

impl<'de> Deserialize<'de> for Assert {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Assert;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"a query, or { query = "…", expect = "…" }"#)
            }

            fn visit_str<E: Error>(self, query: &str) -> Result<Self::Value, E> {
                Ok(Assert { query: query.to_owned(), expect: None })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let AssertTable { query, expect } = AssertTable::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Assert { query, expect })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
