//! Tags: names for versions that are to stay.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::draft::Draft;
use super::name::Name;
use super::record::{self, Version};
use super::select::Selector;
use super::{FORMAT, Versions};
use crate::clock;
use crate::error::{Error, Result};
use crate::fsx;
use crate::lock::Held;

/// Longer tags are no names any more.
const NAME_MAX_BYTES: usize = 64;

/// A name for one version of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// The format of its record.
    pub format: u32,
    /// The name.
    #[serde(rename = "tag")]
    pub name: String,
    /// The id of the version.
    pub version: String,
    /// When it was given.
    #[serde(with = "clock::rfc3339_millis")]
    pub created_at: DateTime<Utc>,
    /// Who gave it.
    pub author: String,
}

impl Tag {
    /// Whether a text can be a tag: a letter, then letters, digits, `.`, `-` and `_`; and not `latest`.
    pub fn is_name(text: &str) -> bool {
        text.len() <= NAME_MAX_BYTES
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
            && !text.eq_ignore_ascii_case("latest")
    }

    /// Refuses what cannot be a tag.
    pub fn require_name(text: &str) -> Result<()> {
        if Self::is_name(text) {
            return Ok(());
        }
        Err(Error::usage(format!("{text:?} cannot be a tag"))
            .hint(format!("a tag is a letter and then letters, digits, '.', '-' and '_', at most {NAME_MAX_BYTES}, and not latest")))
    }

    pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Self> {
        let tag: Tag = serde_json::from_slice(bytes).map_err(|error| Error::bad(format!("tag {name} is damaged")).because(error))?;
        if tag.format > FORMAT {
            return Err(Error::bad(format!("tag {name} has format {}, this version of Holdfast reads up to {FORMAT}", tag.format))
                .hint("use a newer version of Holdfast"));
        }
        if tag.name != name || !record::is_id(&tag.version) {
            return Err(Error::bad(format!("tag {name} is damaged: it says that it is {:?}, for {:?}", tag.name, tag.version)));
        }
        Ok(tag)
    }
}

impl Versions {
    /// Gives a version a tag. One that another version bears is moved only where that is meant.
    pub fn tag(&self, _held: &Held, name: &Name, selector: &Selector, tag: &str, author: &str, may_move: bool) -> Result<Version> {
        Tag::require_name(tag)?;
        let history = self.history(name)?;
        let mut version = history.find(selector)?.clone();
        let alike = history.tags.iter().find(|known| known.name.eq_ignore_ascii_case(tag));
        let path = self.tags_folder(name.key()).join(format!("{tag}{}", record::ENDING));
        match alike {
            Some(known) if known.name != tag => {
                return Err(Error::refused(format!(
                    "there is a tag {} already, and some file systems cannot tell the two apart",
                    known.name
                ))
                .hint("take another name"));
            }
            Some(known) if known.version == version.id => return Ok(version),
            Some(known) if !may_move => {
                return Err(Error::refused(format!("{tag} is the tag of {}", known.version)).hint("--force moves it, or take another name"));
            }
            None if path.symlink_metadata().is_ok() && !may_move => {
                return Err(Error::bad(format!("tag {tag} is there and cannot be read: {}", path.display())).hint("--force writes it anew"));
            }
            _ => {}
        }
        // An object that is gone or damaged is worth knowing before it is relied upon.
        self.require_whole(&version.record.sha256, version.record.bytes)?;
        let record =
            Tag { format: FORMAT, name: tag.to_owned(), version: version.id.clone(), created_at: clock::now(), author: author.to_owned() };
        let mut bytes = serde_json::to_vec_pretty(&record).map_err(|error| Error::failed("cannot write the tag").because(error))?;
        bytes.push(b'\n');
        fsx::create_private_dirs(&self.tags_folder(name.key()))?;
        let draft = self.written(&bytes)?;
        if path.symlink_metadata().is_ok() {
            draft.publish_over(&path)?
        } else {
            draft.publish(&path)?
        }
        version.tags.push(tag.to_owned());
        version.tags.sort();
        Ok(version)
    }

    /// Takes a tag away; its version stays. Gives the id of that version.
    pub fn untag(&self, _held: &Held, name: &Name, tag: &str) -> Result<String> {
        Tag::require_name(tag)?;
        let history = self.history(name)?;
        let Some(known) = history.tags.iter().find(|known| known.name == tag) else {
            return Err(
                Error::bad(format!("there is no tag {tag:?} of {}", name.path().display())).hint("file-versions tag FILE lists them")
            );
        };
        let path = self.tags_folder(name.key()).join(format!("{tag}{}", record::ENDING));
        fsx::remove_file(&path)?;
        fsx::sync_parent(&path)?;
        Ok(known.version.clone())
    }

    /// A small file of ours that is on disk, and has no name yet.
    pub(super) fn written(&self, bytes: &[u8]) -> Result<Draft> {
        use std::io::Write;

        use crate::error::OnPath;
        let mut draft = Draft::create(&self.root)?;
        let path = draft.path().to_owned();
        fsx::step().and_then(|()| draft.file().write_all(bytes)).on("write", &path)?;
        draft.sync()?;
        Ok(draft)
    }
}
