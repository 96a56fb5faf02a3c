//! `restore-db --files-to` and `--preview`: the files of a backup come back into a folder, or are held against what is there now.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::stat::SFlag;
use serde::Serialize;

use super::full;
use super::verify::{self, Demands};
use crate::backup::Backup;
use crate::engine::Settings;
use crate::environment::Environment;
use crate::error::{Error, Kind, Result};
use crate::files::entry::{Entry, Name, Type, mtime};
use crate::files::extract::{self, Checked, Restored, Wish};
use crate::files::walk::{self, Chosen, Found, Rules, Selection, Visitor};
use crate::frames::open::ANOTHER;
use crate::fsx;
use crate::lock;
use crate::manifest::{Component, Level, Root};
use crate::progress::Progress;
use crate::state_dir::StateDir;
use crate::store::Store;

/// What was restored.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The backup's id.
    pub backup: String,
    /// The folder that the files are in now.
    pub folder: PathBuf,
    /// What is there, and what is not.
    #[serde(flatten)]
    pub restored: Restored,
}

/// Refuses to replace files in a place where a protected environment has its own.
pub fn require_allowed(folder: &Path, wish: &Wish, environments: &[Environment]) -> Result<()> {
    if !wish.overwrite {
        return Ok(());
    }
    let target = fsx::real_path(folder);
    for environment in environments.iter().filter(|environment| environment.protected) {
        for path in environment.files.iter().chain(&environment.config_files).map(|path| fsx::real_path(path)) {
            if path.starts_with(&target) || target.starts_with(&path) {
                return Err(Error::refused(format!(
                    "{} is where the protected environment {} has {}",
                    folder.display(),
                    environment.name,
                    path.display()
                ))
                .hint("restore into an empty folder, look at it, and move what you want"));
            }
        }
    }
    Ok(())
}

/// What a restore of files may use.
pub struct Means<'a> {
    /// For checks.
    pub settings: &'a Settings,
    /// The local state directory.
    pub state: &'a StateDir,
    /// Where it is noted down that a backup turned out to be damaged; none where there is no store.
    pub store: Option<&'a Store>,
    /// How long to wait for another restore into the folder to end.
    pub wait: Duration,
}

/// Restores files of a backup into a folder. Nothing is written before all names are checked, and nothing outside the folder.
pub fn restore(backup: &Backup, folder: &Path, wish: &Wish, means: &Means<'_>, progress: &dyn Progress) -> Result<Report> {
    let Means { settings, state, store, wait } = *means;
    let archives = archives(backup)?;
    let _held = lock::Target::acquire(state, &format!("folder:{}", fsx::real_path(folder).display()), None, wait)?;
    let demands = Demands { level: Level::Quick, min_size: None, asserts: &[], settings };
    let outcome = verify::verify(backup, &demands, progress)?;
    if let Some(finding) = outcome.findings.first() {
        verify::note_damage(store, backup, settings, progress);
        return Err(Error::bad(format!("{} is bad: {finding}", backup.id())).hint(format!("nothing was written; {ANOTHER}")));
    }
    tracing::info!("restoring files of {} into {}", backup.id(), folder.display());
    let restored = extract::extract(backup, &archives, folder, wish, progress).inspect_err(|error| {
        if error.kind() == Kind::Bad {
            verify::note_damage(store, backup, settings, progress);
        }
    })?;
    Ok(Report { backup: backup.id().to_owned(), folder: folder.to_owned(), restored })
}

fn archives(backup: &Backup) -> Result<Vec<&Component>> {
    let archives: Vec<&Component> = backup.archives().collect();
    if archives.is_empty() {
        return Err(Error::bad(format!("{} holds no files", backup.id()))
            .hint("restore-db --list shows what there is; backup-full makes backups with files"));
    }
    Ok(archives)
}

/// How an entry of a backup stands to what is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It is there as it was.
    Same,
    /// It is not there now, and a restore would add it.
    Added,
    /// It is there, and is another.
    Changed,
    /// It is there now, and not in the backup: a restore lets it stay.
    Removed,
}

impl Change {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Change::Same => "same",
            Change::Added => "added",
            Change::Changed => "changed",
            Change::Removed => "removed",
        }
    }
}

/// One line of a preview.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// How it stands to what is there now.
    pub change: Change,
    /// Its path in the archive.
    pub path: String,
    /// What it is: in the backup, or, where it is not in there, now.
    #[serde(rename = "type")]
    pub what: Type,
    /// Its length in the backup; none where it is not in there.
    pub bytes: Option<u64>,
    /// Its length now; none where it is not there.
    pub bytes_now: Option<u64>,
}

/// How many there are of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Total {
    /// How many entries.
    pub entries: u64,
    /// Their length together: in the backup, or, where they are not in there, now.
    pub bytes: u64,
}

/// What is in a backup, and what differs from now.
#[derive(Debug, Serialize)]
pub struct Preview {
    /// The backup's id.
    pub backup: String,
    /// What its files were compared with.
    pub compared_with: Vec<PathBuf>,
    /// Every entry that was chosen, and what is only there now, in the order of the archive.
    pub entries: Vec<Line>,
    /// What is the same.
    pub same: Total,
    /// What a restore would add.
    pub added: Total,
    /// What a restore would change.
    pub changed: Total,
    /// What is there now, and not in the backup: a restore lets it stay.
    pub removed: Total,
}

impl Preview {
    fn add(&mut self, line: Line) {
        let total = match line.change {
            Change::Same => &mut self.same,
            Change::Added => &mut self.added,
            Change::Changed => &mut self.changed,
            Change::Removed => &mut self.removed,
        };
        total.entries += 1;
        total.bytes = total.bytes.saturating_add(line.bytes.or(line.bytes_now).unwrap_or(0));
        self.entries.push(line);
    }
}

/// Holds the files of a backup against those in a folder, or against the places that they were taken from. Contents are not read:
/// type, length and time decide. What the environment would not back up is not looked at.
pub fn preview(
    backup: &Backup,
    folder: Option<&Path>,
    chosen: &Chosen,
    environment: Option<&Environment>,
    state: &StateDir,
) -> Result<Preview> {
    let total = Total::default();
    let (same, added, changed, removed) = (total, total, total, total);
    let mut preview =
        Preview { backup: backup.id().to_owned(), compared_with: Vec::new(), entries: Vec::new(), same, added, changed, removed };
    for component in archives(backup)? {
        let declared = component.files.clone().unwrap_or_default();
        let place =
            |root: Root| Root { path: folder.map_or(root.path, |folder| folder.join(&root.name)), name: root.name, ..Root::default() };
        let roots: Vec<Root> = declared.roots.into_iter().map(place).collect();
        preview.compared_with.extend(roots.iter().map(|root| root.path.clone()));
        let rules = match environment {
            Some(environment) => {
                let engine = full::engine_of(environment, state)?;
                full::rules(environment, &component.role, &environment.store, engine.as_deref())?
            }
            _ => Rules::default(),
        };
        // In a folder what is in the backup may be there although it would not be backed up now: a restore replaces that too.
        let walked = if folder.is_some() { Rules { never: rules.never.clone(), ..Rules::default() } } else { rules.clone() };
        let mut held = Held { lines: extract::checked(backup, component)?, next: None, chosen, rules, preview: &mut preview };
        walk::walk(&Selection { roots, rules: walked, ..Selection::default() }, &mut held)?;
        while let Some(entry) = held.entry_before(None)? {
            held.added(&entry);
        }
    }
    Ok(preview)
}

/// An inventory that is held against a walk in the same order.
struct Held<'a> {
    lines: Checked,
    next: Option<Entry>,
    chosen: &'a Chosen,
    rules: Rules,
    preview: &'a mut Preview,
}

impl Held<'_> {
    /// The next entry, if it comes before this path; any, where there is none.
    fn entry_before(&mut self, path: Option<&Name>) -> Result<Option<Entry>> {
        if self.next.is_none() {
            self.next = self.lines.next().transpose()?;
        }
        Ok(self.next.take_if(|entry| path.is_none_or(|path| entry.path < *path)))
    }

    fn line(&mut self, change: Change, path: &Name, what: Type, bytes: Option<u64>, bytes_now: Option<u64>) {
        if self.chosen.takes(path) {
            self.preview.add(Line { change, path: path.to_string(), what, bytes, bytes_now });
        }
    }

    fn added(&mut self, entry: &Entry) {
        self.line(Change::Added, &entry.path, entry.what, Some(entry.bytes), None);
    }
}

impl Visitor for Held<'_> {
    fn found(&mut self, found: Found) -> Result<()> {
        while let Some(entry) = self.entry_before(Some(&found.path))? {
            self.added(&entry);
        }
        let kind = SFlag::from_bits_truncate(found.stat.st_mode & SFlag::S_IFMT.bits());
        let is_file = kind == SFlag::S_IFREG;
        let bytes_now = Some(if is_file { u64::try_from(found.stat.st_size).unwrap_or(0) } else { 0 });
        match self.next.take_if(|entry| entry.path == found.path) {
            Some(entry) => {
                let change = if is_same(&entry, &found, kind) { Change::Same } else { Change::Changed };
                // A further name of a file has the length of that.
                let bytes = if entry.what == Type::Hardlink && change == Change::Same { bytes_now } else { Some(entry.bytes) };
                self.line(change, &entry.path, entry.what, bytes, bytes_now);
            }
            None => {
                let what = match kind {
                    SFlag::S_IFREG => Type::File,
                    SFlag::S_IFDIR => Type::Folder,
                    _ => Type::Link,
                };
                if self.rules.takes_with_all_above(&found.path, what == Type::Folder) {
                    self.line(Change::Removed, &found.path, what, None, bytes_now);
                }
            }
        }
        Ok(())
    }

    fn missing(&mut self, _: &Name, _: &str) -> Result<()> {
        Ok(())
    }

    fn left_out(&mut self, _: &Name, _: &str) -> Result<()> {
        Ok(())
    }
}

fn is_same(entry: &Entry, found: &Found, kind: SFlag) -> bool {
    let is_time = entry.mtime == mtime(&found.stat);
    match entry.what {
        Type::Folder => kind == SFlag::S_IFDIR,
        Type::File => kind == SFlag::S_IFREG && is_time && i64::try_from(entry.bytes) == Ok(found.stat.st_size),
        Type::Hardlink => kind == SFlag::S_IFREG && is_time,
        Type::Link => kind == SFlag::S_IFLNK && walk::target_of(&found.folder, &found.name).ok() == entry.target,
    }
}
