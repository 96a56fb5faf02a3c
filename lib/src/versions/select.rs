//! Which version is meant: `latest`, the beginning of an id, a tag, a time; and how many before that.

use chrono::{DateTime, Utc};

use super::History;
use super::record::Version;
use super::tag::Tag;
use crate::clock;
use crate::error::{Error, Result};
use crate::select;

/// What a command line says of the version that is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selector {
    base: Base,
    /// So many versions before the one that is named.
    back: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Base {
    Latest,
    /// The newest that is not after this time.
    At(DateTime<Utc>),
    Tag(String),
    Id(String),
}

impl Selector {
    /// The newest version.
    pub const LATEST: Selector = Selector { base: Base::Latest, back: 0 };

    /// Reads a selector: `latest`, `latest~2`, `@2026-11-21T13:00Z`, a tag (it begins with a letter), or an id or the beginning
    /// of one (it begins with a digit). `~N` goes with each of them.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Error::usage(format!("{text:?} is no version"))
                .hint("use latest, latest~2, an id or its beginning, a tag, or a time like @2026-11-21T13:00Z")
        };
        // The line that save prints is an id and a path, separated by a tab.
        let text = text.split('\t').next().unwrap_or(text).trim();
        let (name, back) = match text.rsplit_once('~') {
            None => (text, 0),
            Some((name, "")) => (name, 1),
            Some((name, number)) => (name, number.parse().map_err(|_| wrong())?),
        };
        let base = match name.strip_prefix('@') {
            Some(time) => match select::Selector::parse_time(time)? {
                select::Selector::At(time) => Base::At(time),
                _ => return Err(wrong()),
            },
            None if name == "latest" => Base::Latest,
            None if Tag::is_name(name) => Base::Tag(name.to_owned()),
            None if name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {
                Base::Id(name.to_owned())
            }
            None => return Err(wrong()),
        };
        Ok(Selector { base, back })
    }
}

impl History {
    /// Finds the version that is meant. Where a damaged record might be the one, that is an error and not an older version.
    pub fn find(&self, selector: &Selector) -> Result<&Version> {
        if self.versions.is_empty() && self.damaged.is_empty() {
            return Err(Error::bad("there is no version of this file").hint("file-versions log shows the files that have some"));
        }
        let (at, until) = match &selector.base {
            Base::Latest => (self.versions.len().checked_sub(1), None),
            Base::At(time) => (self.versions.iter().rposition(|version| version.record.created_at <= *time), Some(*time)),
            Base::Tag(name) => (Some(self.tagged(name)?), None),
            Base::Id(prefix) => (Some(self.by_prefix(prefix)?), None),
        };
        let is_counted = matches!(selector.base, Base::Latest | Base::At(_));
        let none = || match (&selector.base, until) {
            (_, Some(time)) => Error::bad(format!("there is no version from {} or before", clock::readable(time))),
            _ => Error::bad("there is no version that can be read"),
        };
        let named = at.ok_or_else(none)?;
        let Some(wanted) = named.checked_sub(selector.back) else {
            return Err(Error::bad(format!("there are only {named} versions before {}", self.versions[named].id)));
        };
        let version = &self.versions[wanted];
        if (is_counted || selector.back > 0)
            && let Some(damaged) = self.damaged_after(version, until.or_else(|| self.until(named, is_counted)))
        {
            return Err(Error::bad(format!("it cannot be told which version is meant: {}", damaged.why)).hint(format!(
                "name one by its id, for instance {}; or bring {} back from a copy of the store",
                version.id,
                damaged.path.display()
            )));
        }
        Ok(version)
    }

    /// What comes after a version that was named by itself does not matter.
    fn until(&self, named: usize, is_counted: bool) -> Option<DateTime<Utc>> {
        (!is_counted).then(|| self.versions[named].record.created_at)
    }

    fn tagged(&self, name: &str) -> Result<usize> {
        let Some(tag) = self.tags.iter().find(|tag| tag.name == name) else {
            if let Some(damaged) = self.damaged.iter().find(|damaged| damaged.time.is_none() && damaged.name == name) {
                return Err(Error::bad(damaged.why.clone()).hint(format!("bring {} back from a copy of the store", damaged.path.display())));
            }
            let known: Vec<&str> = self.tags.iter().map(|tag| tag.name.as_str()).collect();
            let hint = if known.is_empty() { "it has no tags".to_owned() } else { format!("it has the tags {}", known.join(", ")) };
            return Err(Error::bad(format!("there is no tag {name:?} of this file")).hint(hint));
        };
        self.by_prefix(&tag.version).map_err(|error| error.within(format!("tag {name}")))
    }

    fn by_prefix(&self, prefix: &str) -> Result<usize> {
        let found: Vec<usize> = (0..self.versions.len()).filter(|at| self.versions[*at].id.starts_with(prefix)).collect();
        let damaged = self.damaged.iter().find(|damaged| damaged.time.is_some() && damaged.name.starts_with(prefix));
        match (found.as_slice(), damaged) {
            ([only], None) => Ok(*only),
            ([], Some(damaged)) => Err(Error::bad(damaged.why.clone())
                .hint(format!("bring {} back from a copy of the store, or take another version", damaged.path.display()))),
            ([], None) => {
                Err(Error::bad(format!("there is no version {prefix:?} of this file")).hint("file-versions log FILE shows what there is"))
            }
            (several, _) => {
                let names: Vec<&str> = several
                    .iter()
                    .take(2)
                    .map(|at| self.versions[*at].id.as_str())
                    .chain(damaged.map(|damaged| damaged.name.as_str()))
                    .collect();
                Err(Error::usage(format!("{prefix:?} is the beginning of several versions: {}, …", names.join(", ")))
                    .hint("write more of the id"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selector_is_read() {
        let parse = |text: &str| Selector::parse(text).expect(text);
        assert_eq!(parse("latest"), Selector::LATEST);
        assert_eq!(parse("latest~2"), Selector { base: Base::Latest, back: 2 });
        assert_eq!(parse("v1.0~"), Selector { base: Base::Tag("v1.0".into()), back: 1 });
        assert_eq!(parse("20261121T1"), Selector { base: Base::Id("20261121T1".into()), back: 0 });
        assert_eq!(parse("20261121T130000Z-0123456789ab\t/x/y").base, Base::Id("20261121T130000Z-0123456789ab".into()));
        assert!(matches!(parse("@2026-11-21").base, Base::At(_)));
        for text in ["", "~", "~2", "latest~x", "latest~-1", "@", "@noon", "a/b", "2026/1", "é", "-v"] {
            Selector::parse(text).expect_err(text);
        }
    }
}
