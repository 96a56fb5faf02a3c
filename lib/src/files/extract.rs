//! Files out of an archive: all names are checked before anything is written, and links come last.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::entry::{Entry, Name, Type};
use super::inventory::Reader as Lines;
use super::sparse::{Declared, Map, MapReader};
use super::target::{Refused, Target};
use super::unfinished::{Call, Taken, require_free_place};
use super::walk::Chosen;
use super::{BLOCK_BYTES, archive, padded};
use crate::backup::Backup;
use crate::error::{Error, Kind, OnPath, Result};
use crate::frames::open::Reader;
use crate::frames::pick::Runs;
use crate::fsx;
use crate::interrupt;
use crate::manifest::{Component, Files, Remark, Root};
use crate::progress::Progress;

/// Content is copied in pieces of this size.
const COPY_BYTES: usize = 256 << 10;
/// So many of what could not be restored are named; the rest are counted.
const NAMED_MAX: usize = 100;

/// An inventory whose every line is checked on the way: names that are safe, in order and in folders of their own, places that
/// follow each other, and no more of anything than the manifest declares.
pub struct Checked {
    lines: Lines,
    file: String,
    declared: Files,
    /// Entries and bytes of each of its roots.
    of_roots: Vec<(u64, u64)>,
    previous: Option<Name>,
    folders: Vec<Name>,
    entries: u64,
    bytes: u64,
    at: u64,
    plain_bytes: u64,
    ended: bool,
}

/// Opens a component's inventory.
pub fn checked(backup: &Backup, component: &Component) -> Result<Checked> {
    let declared = component.files.clone().unwrap_or_default();
    let lines = archive::lines(backup, component)?;
    let file = declared.inventory.file.clone();
    let plain_bytes = component.plain_bytes;
    let of_roots = vec![(0, 0); declared.roots.len()];
    Ok(Checked {
        lines,
        file,
        declared,
        of_roots,
        previous: None,
        folders: Vec::new(),
        entries: 0,
        bytes: 0,
        at: 0,
        plain_bytes,
        ended: false,
    })
}

impl Checked {
    fn check(&mut self, entry: &Entry) -> Result<()> {
        let bad = |why: &str| Err(Error::bad(format!("{} in {} must not be restored: {why}", entry.path, self.file)));
        if let Some(why) = entry.path.is_unsafe() {
            return bad(why);
        }
        if self.previous.as_ref().is_some_and(|previous| *previous >= entry.path) {
            return bad("it occurs twice, or out of order");
        }
        let (parent, _) = entry.path.split();
        while self.folders.last().is_some_and(|folder| folder.0 != parent) {
            self.folders.pop();
        }
        if !parent.is_empty() && self.folders.is_empty() {
            return bad("it lies in something that is no folder of the archive");
        }
        if entry.what == Type::Hardlink {
            let target = entry.target.clone().unwrap_or_default();
            if target.is_unsafe().is_some() || target >= entry.path {
                return bad("it is a link to something outside of the archive");
            }
        }
        let content = entry.content_offset();
        let is_there =
            entry.offset == self.at && entry.length <= self.plain_bytes.saturating_sub(self.at) && entry.length.is_multiple_of(BLOCK_BYTES);
        if !is_there || content.is_none_or(|content| content < entry.offset + BLOCK_BYTES) {
            return bad("its place in the archive is not possible");
        }
        self.at += entry.length;
        self.entries += 1;
        self.bytes = self.bytes.saturating_add(entry.bytes);
        if let Some(at) = self.declared.roots.iter().position(|root| root.name.as_bytes() == entry.path.root()) {
            let (entries, bytes) = &mut self.of_roots[at];
            *entries += u64::from(entry.path.0.len() > entry.path.root().len());
            *bytes = bytes.saturating_add(entry.bytes);
        }
        if self.entries > self.declared.entries() || self.bytes > self.declared.bytes || i64::try_from(entry.bytes).is_err() {
            return bad("there is more than the manifest declares");
        }
        if entry.what == Type::Folder {
            self.folders.push(entry.path.clone());
        }
        self.previous = Some(entry.path.clone());
        Ok(())
    }

    fn check_end(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        if self.entries != self.declared.entries() || self.bytes != self.declared.bytes {
            return Err(Error::bad(format!("{} lists less than the manifest declares", self.file)));
        }
        let is_other = |root: &Root, (entries, bytes): (u64, u64)| {
            root.entries.is_some_and(|declared| declared != entries) || root.bytes.is_some_and(|declared| declared != bytes)
        };
        match self.declared.roots.iter().zip(&self.of_roots).find(|(root, found)| is_other(root, **found)) {
            None => Ok(()),
            Some((root, _)) => Err(Error::bad(format!("{} lists other than the manifest declares of {}", self.file, root.name))),
        }
    }
}

impl Iterator for Checked {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.lines.next() {
            Some(Ok(entry)) => Some(self.check(&entry).map(|()| entry)),
            Some(Err(error)) => Some(Err(error)),
            None => self.check_end().err().map(Err),
        }
    }
}

/// What is wanted of an archive.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Which entries.
    pub chosen: Chosen,
    /// Whether files that are there already are replaced.
    pub overwrite: bool,
    /// Whether owners are restored too.
    pub owner: bool,
}

/// What was restored.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Restored {
    /// How many files, further names of files included.
    pub files: u64,
    /// How many folders.
    pub folders: u64,
    /// How many symbolic links.
    pub links: u64,
    /// The length of the files together.
    pub bytes: u64,
    /// How many entries could not be restored as they were.
    pub refused_count: u64,
    /// The first of them, each with a reason.
    pub refused: Vec<Remark>,
    /// Patterns that nothing fits, while something fits others.
    pub only_unmatched: Vec<String>,
}

impl Restored {
    fn refuse(&mut self, path: &Name, why: Refused) {
        self.refused_count += 1;
        if self.refused.len() < NAMED_MAX {
            self.refused.push(Remark { path: path.to_string(), why });
        }
    }

    /// Counts what came of an entry.
    fn count(&mut self, entry: &Entry, outcome: Result<(), Refused>) {
        match (entry.what, outcome) {
            (_, Err(why)) => self.refuse(&entry.path, why),
            (Type::Folder, Ok(())) => self.folders += 1,
            (Type::Link, Ok(())) => self.links += 1,
            (Type::File | Type::Hardlink, Ok(())) => {
                self.files += 1;
                self.bytes = self.bytes.saturating_add(entry.bytes);
            }
        }
    }
}

/// What a first pass over an inventory has found.
struct Survey {
    files: u64,
    stored_bytes: u64,
    entries: u64,
    /// Files that are only wanted under other names: those names.
    instead: HashMap<Name, Vec<Entry>>,
}

/// Reads all of an inventory: whatever is wrong with it is found before anything is written.
///
/// Names that nothing of ours may have are added to `taken`, and patterns that fit something are taken out of `unmatched`.
fn survey(backup: &Backup, component: &Component, chosen: &Chosen, taken: &mut Taken, unmatched: &mut Vec<Chosen>) -> Result<Survey> {
    let mut survey = Survey { files: 0, stored_bytes: 0, entries: 0, instead: HashMap::new() };
    let mut unlinked: Vec<Entry> = Vec::new();
    for entry in checked(backup, component)? {
        let entry = entry?;
        taken.add(entry.path.split().1);
        if !chosen.takes(&entry.path) {
            continue;
        }
        unmatched.retain(|pattern| !pattern.takes(&entry.path));
        survey.entries += 1;
        survey.files += u64::from(entry.what == Type::File);
        survey.stored_bytes = survey.stored_bytes.saturating_add(entry.stored_bytes());
        if entry.what == Type::Hardlink && !entry.target.as_ref().is_some_and(|target| chosen.takes(target)) {
            unlinked.push(entry);
        }
    }
    for entry in unlinked {
        survey.instead.entry(entry.target.clone().unwrap_or_default()).or_default().push(entry);
    }
    Ok(survey)
}

/// Restores files of several archives into one folder.
///
/// Until every name of all of them is checked nothing is written. What could not be restored is named in the result; an error
/// leaves a folder that says of itself that it is unfinished, and that the same call can finish, unless the backup is damaged.
pub fn extract(backup: &Backup, components: &[&Component], folder: &Path, wish: &Wish, progress: &dyn Progress) -> Result<Restored> {
    let (mut taken, mut unmatched) = (Taken::default(), wish.chosen.each()?);
    let surveys = components
        .iter()
        .map(|component| survey(backup, component, &wish.chosen, &mut taken, &mut unmatched))
        .collect::<Result<Vec<_>>>()?;
    if surveys.iter().all(|survey| survey.entries == 0) {
        return Err(Error::usage(format!("nothing in {} is chosen by these patterns", backup.id()))
            .hint(format!("restore-db {} --preview --all shows what is in there", backup.id())));
    }
    let call = Call {
        backup: backup.id().to_owned(),
        components: components.iter().map(|component| component.role.clone()).collect(),
        only: wish.chosen.patterns().to_vec(),
        owner: wish.owner,
        overwrite: wish.overwrite,
    };
    require_free_place(folder, &call)?;
    let existing = folder.ancestors().find(|place| place.is_dir()).unwrap_or(Path::new("."));
    fsx::require_free(existing, surveys.iter().map(|survey| survey.stored_bytes).sum())?;

    let total: u64 = surveys.iter().map(|survey| survey.stored_bytes).sum();
    progress.begin("restore files", Some(total));
    let mut target = Target::begin(folder, call, &taken)?;
    let only_unmatched = unmatched.iter().flat_map(|pattern| pattern.patterns().to_vec()).collect();
    let mut restored = Restored { only_unmatched, ..Restored::default() };
    fill(backup, components, surveys, wish, &mut target, &mut restored, progress)
        .map_err(|error| if error.kind() == Kind::Bad { target.leave(error) } else { error })?;
    target.finish()?;
    progress.end();
    Ok(restored)
}

/// Everything that is wanted goes into the folder.
fn fill(
    backup: &Backup,
    components: &[&Component],
    surveys: Vec<Survey>,
    wish: &Wish,
    target: &mut Target,
    restored: &mut Restored,
    progress: &dyn Progress,
) -> Result<()> {
    let mut late = Late::default();
    for (component, survey) in components.iter().zip(surveys) {
        one(backup, component, survey, wish, target, restored, &mut late, progress)?;
    }
    for (entry, first) in &late.hardlinks {
        interrupt::check()?;
        let outcome = target.make_hardlink(entry, first)?;
        restored.count(entry, outcome);
    }
    for entry in &late.links {
        interrupt::check()?;
        let outcome = target.make_link(entry)?;
        restored.count(entry, outcome);
    }
    // The deepest first: a folder that may not be entered any more is settled after all that is in it.
    for entry in late.folders.iter().rev() {
        let outcome = target.settle(entry)?;
        restored.count(entry, outcome);
    }
    Ok(())
}

/// What has to wait until all files are there.
#[derive(Default)]
struct Late {
    folders: Vec<Entry>,
    links: Vec<Entry>,
    hardlinks: Vec<(Entry, Name)>,
}

#[allow(clippy::too_many_arguments)] // the two halves of one function
fn one(
    backup: &Backup,
    component: &Component,
    mut survey: Survey,
    wish: &Wish,
    target: &mut Target,
    restored: &mut Restored,
    late: &mut Late,
    progress: &dyn Progress,
) -> Result<()> {
    let mut plain = Plain::open(backup, component, wish.chosen.is_all())?;
    for entry in checked(backup, component)? {
        interrupt::check()?;
        let mut entry = entry?;
        let instead = survey.instead.remove(&entry.path);
        if let Some(names) = instead.filter(|_| entry.what == Type::File) {
            // The file is not wanted under its first name: then the next of its names holds the content.
            let mut names = names.into_iter();
            let Some(first) = names.next() else { continue };
            late.hardlinks.extend(names.map(|other| (other, first.path.clone())));
            entry.path = first.path;
        } else if !wish.chosen.takes(&entry.path) {
            continue;
        }
        match entry.what {
            Type::Folder => match target.make_folder(&entry.path)? {
                Ok(()) => late.folders.push(entry),
                Err(why) => restored.refuse(&entry.path, why),
            },
            Type::File => {
                let outcome = target.make_file(&entry, &mut |file| plain.copy(&entry, file))?;
                restored.count(&entry, outcome);
                progress.reached(restored.bytes);
                progress.reached_files(restored.files);
            }
            Type::Link => late.links.push(entry),
            Type::Hardlink => {
                let first = entry.target.clone().unwrap_or_default();
                if wish.chosen.takes(&first) {
                    late.hardlinks.push((entry, first));
                }
            }
        }
    }
    plain.finish()
}

/// The plain stream of an archive: all of it on all cores, or single entries without the rest.
enum Plain {
    Whole(Box<Reader>, u64, String),
    Picked(Box<Runs>, String),
}

impl Plain {
    fn open(backup: &Backup, component: &Component, is_all: bool) -> Result<Self> {
        let file = component.file.clone();
        Ok(if is_all {
            Plain::Whole(Box::new(backup.read_plain(component)?), 0, file)
        } else {
            Plain::Picked(Box::new(backup.pick(component)?), file)
        })
    }

    fn go_to(&mut self, offset: u64) -> Result<()> {
        match self {
            Plain::Picked(picker, _) => {
                picker.go_to(offset);
                Ok(())
            }
            Plain::Whole(_, at, _) => {
                let skip = offset.checked_sub(*at).ok_or_else(|| Error::bad("the entries of an archive overlap"))?;
                self.skip(skip)
            }
        }
    }

    fn skip(&mut self, mut bytes: u64) -> Result<()> {
        let mut buffer = [0; 4096];
        while bytes > 0 {
            let length = buffer.len().min(usize::try_from(bytes).unwrap_or(buffer.len()));
            self.fill(&mut buffer[..length])?;
            bytes -= length as u64;
        }
        Ok(())
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<()> {
        let (read, file) = match self {
            Plain::Whole(reader, at, file) => {
                *at += buffer.len() as u64;
                (reader.read_exact(buffer), file)
            }
            Plain::Picked(picker, file) => (picker.read_exact(buffer), file),
        };
        read.map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Error::bad(format!("{file} ends too early")),
            _ => Error::from_io(format!("cannot read {file}"), error),
        })
    }

    /// Writes the content of a file, and compares it with its hash.
    fn copy(&mut self, entry: &Entry, file: &File) -> Result<()> {
        let shown = entry.path.to_string();
        let offset = entry.content_offset().ok_or_else(|| Error::bad(format!("{shown} has no place in the archive")))?;
        self.go_to(offset)?;
        let map = match entry.stored {
            None => Map { bytes: entry.bytes, data: std::iter::once(0..entry.bytes).collect() },
            Some(stored) => self.read_map(entry, stored)?,
        };
        let mut hash = Sha256::new();
        let mut buffer = vec![0; COPY_BYTES.min(usize::try_from(entry.bytes).unwrap_or(COPY_BYTES)).max(1)];
        for piece in &map.data {
            let mut at = piece.start;
            while at < piece.end {
                interrupt::check()?;
                let length = buffer.len().min(usize::try_from(piece.end - at).unwrap_or(buffer.len()));
                self.fill(&mut buffer[..length])?;
                hash.update(&buffer[..length]);
                fsx::step().and_then(|()| file.write_all_at(&buffer[..length], at)).on("write", Path::new(&shown))?;
                at += length as u64;
            }
        }
        if entry.stored.is_some() {
            file.set_len(entry.bytes).on("set the length of", Path::new(&shown))?;
        }
        if Some(fsx::hex(&hash.finalize())) != entry.sha256 {
            return Err(Error::bad(format!("{shown} in the archive is not what the inventory says"))
                .hint("take another backup, or leave this file out with --only"));
        }
        Ok(())
    }

    fn read_map(&mut self, entry: &Entry, stored: u64) -> Result<Map> {
        let declared = Declared { bytes: entry.bytes, stored };
        let mut reader = MapReader::default();
        let mut block = [0; BLOCK_BYTES as usize];
        let damaged = |why: &str| Error::bad(format!("the map of {} is damaged: {why}", entry.path));
        let mut left = padded(stored);
        while left > 0 {
            self.fill(&mut block)?;
            left -= BLOCK_BYTES;
            if let Some(map) = reader.take(&block, &declared).map_err(damaged)? {
                return Ok(map);
            }
        }
        Err(damaged("it does not end"))
    }

    /// Reads what is left of a whole stream, whose end says whether the file is the one it should be.
    fn finish(self) -> Result<()> {
        let Plain::Whole(mut reader, _, file) = self else { return Ok(()) };
        std::io::copy(&mut reader, &mut std::io::sink())
            .map(|_| ())
            .map_err(|error| Error::from_io(format!("cannot read {file}"), error))
            .map_err(|error| if error.kind() == Kind::Failed { error.as_kind(Kind::Bad) } else { error })
    }
}
