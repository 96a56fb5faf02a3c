//! Bringing a version back: proven first, written beside, and then renamed over what is there, which is a version by then.

use std::io::{Read, Write};
use std::os::unix::fs::fchown;
use std::path::{Path, PathBuf};

use super::draft::{self, Draft};
use super::name::{Name, Present, Stamp};
use super::record::Version;
use super::save::Request;
use super::select::Selector;
use super::{BUFFER_BYTES, Versions, object};
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::interrupt;
use crate::lock::Held;
use crate::progress::Progress;
use crate::store;

/// How the name of a file begins that is being restored, beside its target.
const DRAFT_PREFIX: &str = ".file-versions-";
const DRAFT_ENDING: &str = ".restore-draft";
/// The bits that come back: those by which a program runs as another user stay away.
const MODE_BACK: u32 = 0o777;

/// What is to be brought back, and where to.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// The file whose version it is.
    pub name: Name,
    /// Which of its versions.
    pub selector: Selector,
    /// Where it goes: the file itself, or another place.
    pub target: Name,
}

/// What becomes of what is at the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Nothing is there.
    Nothing,
    /// It is the very content already.
    Same,
    /// This version of the target holds it.
    Held(String),
    /// It is in no version, and becomes one first.
    ToBeSaved,
}

/// What a restore would do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The version that comes back.
    pub version: Version,
    /// Where to.
    pub target: PathBuf,
    /// What becomes of what is there.
    pub fate: Fate,
    found: Option<Present>,
}

/// What a restore did.
#[derive(Debug, Clone)]
pub struct Restored {
    /// The version that came back.
    pub version: Version,
    /// Where to.
    pub target: PathBuf,
    /// Whether the target was written; else it was that version already.
    pub is_changed: bool,
    /// The version that holds what was there before, when something was.
    pub kept: Option<String>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Versions {
    /// Says what a restore would do. The version's content is read from start to end: a damaged one is refused here.
    pub fn plan_restore(&self, wanted: &Wanted, progress: &dyn Progress) -> Result<Plan> {
        self.refuse_own(&wanted.target)?;
        let version = self.history(&wanted.name)?.find(&wanted.selector)?.clone();
        self.require_whole(&version.record.sha256, version.record.bytes)?;
        let target = wanted.target.path();
        if !target.parent().is_some_and(Path::is_dir) {
            return Err(Error::failed(format!("there is no folder for {}", target.display()))
                .hint("make it first, or name another place with --to"));
        }
        let found = Present::look(&wanted.target, progress)?;
        let fate = match &found {
            None => Fate::Nothing,
            Some(found) if found.sha256 == version.record.sha256 && found.mode == version.mode() & MODE_BACK => Fate::Same,
            Some(found) => match self.history(&wanted.target)?.holding(&found.sha256) {
                Some(held) if object::check(&self.root, &found.sha256, found.bytes).is_ok() => Fate::Held(held.id.clone()),
                _ => Fate::ToBeSaved,
            },
        };
        Ok(Plan { version, target: target.to_owned(), fate, found })
    }

    /// Brings a version back. `request` is what the present content is saved with, where no version holds it yet.
    pub fn restore(&self, held: &Held, wanted: &Wanted, request: &Request, progress: &dyn Progress) -> Result<Restored> {
        let plan = self.plan_restore(wanted, progress)?;
        let mut notes = Vec::new();
        let kept = match (&plan.fate, &plan.found) {
            (Fate::Held(id), _) => Some(id.clone()),
            (Fate::ToBeSaved, Some(found)) => {
                let saved = self.save_found(held, &wanted.target, found, request, progress)?.ok_or_else(|| changed(&plan.target))?;
                notes.extend(saved.notes);
                Some(saved.version.id)
            }
            _ => None,
        };
        let is_changed = plan.fate != Fate::Same;
        if is_changed {
            self.write_over(&plan, progress)?;
        }
        if let Some(found) = plan.found.as_ref().filter(|found| is_changed && found.links > 1) {
            notes.push(format!("{} was one of {} names of one file; the others keep the old content", plan.target.display(), found.links));
        }
        if plan.version.mode() & !MODE_BACK != 0 {
            notes.push(format!("the mode was {}; set-user-id and the like do not come back", plan.version.record.mode));
        }
        Ok(Restored { version: plan.version, target: plan.target, is_changed, kept, notes })
    }

    /// Writes the content beside the target and renames it there, unless somebody has written to the target meanwhile.
    fn write_over(&self, plan: &Plan, progress: &dyn Progress) -> Result<()> {
        let record = &plan.version.record;
        let folder = plan.target.parent().unwrap_or(Path::new("/"));
        let prefix = format!("{DRAFT_PREFIX}{}-", store::host_tag());
        // Only tidiness.
        let _ = draft::sweep_named(folder, &prefix);
        let name = format!("{prefix}{}-{}{DRAFT_ENDING}", std::process::id(), fsx::random_hex(4)?);
        let mut draft = Draft::at(folder.join(name))?;
        let path = draft.path().to_owned();
        progress.begin("restore", Some(record.bytes));
        let mut content = object::open(&self.root, &record.sha256, record.bytes)?;
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut done = 0;
        loop {
            interrupt::check()?;
            let count = content.read(&mut buffer).map_err(|error| Error::from_io("cannot read the version", error))?;
            if count == 0 {
                break;
            }
            fsx::step().and_then(|()| draft.file().write_all(&buffer[..count])).on("write", &path)?;
            done += count as u64;
            progress.reached(done);
        }
        progress.end();
        if let Some(found) = &plan.found {
            give_back(&mut draft, found, &plan.target)?;
        }
        fsx::set_mode(&path, plan.version.mode() & MODE_BACK)?;
        draft.sync()?;
        if Stamp::at(&plan.target)? != plan.found.as_ref().map(|found| found.stamp) {
            return Err(changed(&plan.target));
        }
        if plan.found.is_none() { draft.publish(&plan.target) } else { draft.publish_over(&plan.target) }
    }
}

/// A file that root restores stays its owner's.
fn give_back(draft: &mut Draft, found: &Present, target: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let own = draft.file().metadata().on("look at", target)?;
    let (uid, gid) = found.owner;
    if (own.uid(), own.gid()) == (uid, gid) {
        return Ok(());
    }
    fsx::step().and_then(|()| fchown(&*draft.file(), Some(uid), Some(gid))).map_err(|error| {
        Error::from_io(format!("cannot leave {} to its owner {uid}:{gid}", target.display()), error)
            .hint("run it as that user, or restore to another place with --to; nothing was changed")
    })
}

fn changed(target: &Path) -> Error {
    Error::failed(format!("{} was changed meanwhile", target.display())).hint("nothing was written over; run it again")
}
