//! Walking the roots in the order of the archive: by descriptors, never through a link.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{Candidate, GlobBuilder, GlobSet, GlobSetBuilder};
use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag, openat, readlinkat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat, stat};

use super::entry::Name;
use super::place::{self, Place};
use crate::error::{Error, OnPath, Result};
use crate::interrupt;
use crate::manifest::Root;

/// Names of folders of a store that hold no backups by themselves, or deeper.
const OF_STORES: [&str; 4] = [crate::store::ARCHIVES, super::VERSIONS, "audit", "checks"];
/// Folders in folders beyond this are named and left out: each holds a descriptor open while what is in it is read.
const DEPTH_MAX: usize = 400;

/// What is taken along, and what is not.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Where it begins.
    pub roots: Vec<Root>,
    /// What else decides.
    pub rules: Rules,
    /// What the command line says of it beside the configuration, in words.
    pub by_hand: Vec<String>,
}

/// Which of the things below the roots are taken along.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Files are taken only if one of these fits; empty takes all.
    pub include: Globs,
    /// What one of these fits is left out, a folder with everything in it.
    pub exclude: Globs,
    /// Whether other file systems that are mounted below a root stay out.
    pub one_file_system: bool,
    /// Folders that are left out with a word of why: the store.
    pub never: Vec<PathBuf>,
    /// Files that are left out with a word of why: the database, which a copy would tear.
    pub database: Option<PathBuf>,
}

/// Patterns.
#[derive(Debug, Clone, Default)]
pub struct Globs {
    /// Without a slash: they are held against the name alone.
    names: GlobSet,
    /// With one: against the path in the archive.
    paths: GlobSet,
    count: usize,
}

impl Globs {
    fn read(patterns: &[String]) -> Result<Self> {
        let (mut names, mut paths) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for pattern in patterns {
            let own = pattern.trim_end_matches('/').trim_start_matches("./");
            let wrong =
                |why: String| Error::config(format!("{pattern:?} is no pattern: {why}")).hint("write it as in *.tmp or media/cache/**");
            if own.is_empty() || own.starts_with('/') {
                return Err(wrong("patterns are held against paths in the archive, which begin with the name of a root".to_owned()));
            }
            let glob = GlobBuilder::new(own).literal_separator(true).build().map_err(|error| wrong(error.kind().to_string()))?;
            if own.contains('/') {
                paths.add(glob)
            } else {
                names.add(glob)
            };
        }
        let built = |builder: GlobSetBuilder| builder.build().map_err(|error| Error::config("cannot read the patterns").because(error));
        Ok(Globs { names: built(names)?, paths: built(paths)?, count: patterns.len() })
    }

    fn fit(&self, path: &Name) -> bool {
        use std::os::unix::ffi::OsStrExt;
        let as_path = |bytes| Candidate::new(std::ffi::OsStr::from_bytes(bytes));
        self.count > 0 && (self.names.is_match_candidate(&as_path(path.split().1)) || self.paths.is_match_candidate(&as_path(&path.0)))
    }
}

impl Rules {
    /// Rules with these patterns. One without a slash is held against names, one with a slash against whole paths.
    pub fn of(include: &[String], exclude: &[String]) -> Result<Self> {
        Ok(Rules {
            include: Globs::read(include)?,
            exclude: Globs::read(exclude)?,
            one_file_system: true,
            never: Vec::new(),
            database: None,
        })
    }

    /// Whether the patterns take something that was found along: itself, and every folder that it is in.
    pub fn takes_with_all_above(&self, path: &Name, is_folder: bool) -> bool {
        self.takes(path, is_folder) && path.above().all(|folder| self.takes(&folder, true))
    }

    fn takes(&self, path: &Name, is_folder: bool) -> bool {
        !self.exclude.fit(path) && (is_folder || self.include.count == 0 || self.include.fit(path))
    }
}

/// Patterns that choose among the entries of an archive, as `--only` takes them: one that fits a folder fits everything in it.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    globs: Globs,
    patterns: Vec<String>,
}

impl Chosen {
    /// Reads patterns; none choose everything.
    pub fn read(patterns: &[String]) -> Result<Self> {
        let globs = Globs::read(patterns).map_err(|error| error.as_kind(crate::error::Kind::Usage))?;
        Ok(Chosen { globs, patterns: patterns.to_vec() })
    }

    /// The patterns, as they were given.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Each pattern by itself.
    pub fn each(&self) -> Result<Vec<Chosen>> {
        self.patterns.iter().map(|pattern| Chosen::read(std::slice::from_ref(pattern))).collect()
    }

    /// Whether everything is chosen.
    pub fn is_all(&self) -> bool {
        self.globs.count == 0
    }

    /// Whether this is.
    pub fn takes(&self, path: &Name) -> bool {
        if self.is_all() || self.globs.fit(path) {
            return true;
        }
        path.above().any(|folder| self.globs.fit(&folder))
    }
}

/// Something that was found.
pub struct Found {
    /// Its path in the archive.
    pub path: Name,
    /// What the file system says of it.
    pub stat: FileStat,
    /// The folder it is in; a root's own is opened for that.
    pub folder: Arc<OwnedFd>,
    /// Its name there.
    pub name: CString,
    /// Where it lies; none where its times prove nothing.
    pub place: Option<Arc<str>>,
}

/// What a walk tells.
pub trait Visitor {
    /// A folder, a file or a symbolic link, in the order of the archive.
    fn found(&mut self, found: Found) -> Result<()>;

    /// Something that should be there, and cannot be read.
    fn missing(&mut self, path: &Name, why: &str) -> Result<()>;

    /// Something that is left out by its nature.
    fn left_out(&mut self, path: &Name, why: &str) -> Result<()>;
}

/// Walks all roots.
pub fn walk(selection: &Selection, visitor: &mut dyn Visitor) -> Result<()> {
    let mut roots: Vec<&Root> = selection.roots.iter().collect();
    roots.sort_by_key(|root| Name(root.name.clone().into_bytes()));
    let identity = |path: &PathBuf| stat(path.as_path()).ok().map(|found| (found.st_dev, found.st_ino));
    let mut walk = Walk {
        rules: &selection.rules,
        never: selection.rules.never.iter().filter_map(identity).collect(),
        inside: selection.rules.never.iter().flat_map(|store| own_folders(store)).filter_map(|path| identity(&path)).collect(),
        database: selection.rules.database.as_ref().and_then(identity),
        device: None,
        real: PathBuf::new(),
        here: None,
        visitor,
    };
    for root in roots {
        walk.root(root)?;
    }
    Ok(())
}

/// The folders in a store that are its own; others may have folders there too.
fn own_folders(store: &Path) -> Vec<PathBuf> {
    let folders = |path: &Path| {
        let listing = std::fs::read_dir(path).into_iter().flatten().flatten();
        listing.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
    };
    let has_backups = |path: &Path| folders(path).any(|inner| inner.join(crate::manifest::FILE).is_file());
    let is_named = |path: &Path| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with('.') || OF_STORES.contains(&name))
    };
    folders(store).filter(|path| is_named(path) || has_backups(path)).collect()
}

/// How many files there are, and how many bytes: what a walk comes to, as far as it can be told beforehand.
pub fn estimate(selection: &Selection) -> Result<(u64, u64)> {
    struct Count(u64, u64);
    impl Visitor for Count {
        fn found(&mut self, found: Found) -> Result<()> {
            if kind_of(&found.stat) == SFlag::S_IFREG {
                self.0 += 1;
                self.1 += u64::try_from(found.stat.st_size.min(found.stat.st_blocks.saturating_mul(512))).unwrap_or(0);
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
    let mut count = Count(0, 0);
    walk(selection, &mut count)?;
    Ok((count.0, count.1))
}

/// The bits that say what something is.
pub(super) fn kind_of(found: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(found.st_mode & SFlag::S_IFMT.bits())
}

/// Where a symbolic link leads.
pub fn target_of(folder: &OwnedFd, name: &CStr) -> nix::Result<Name> {
    use std::os::unix::ffi::OsStringExt;
    readlinkat(folder, name).map(|target| Name(target.into_vec()))
}

struct Walk<'a> {
    rules: &'a Rules,
    never: Vec<(u64, u64)>,
    /// What is in the store and its own: another way (a mount of one of them) may lead there.
    inside: Vec<(u64, u64)>,
    database: Option<(u64, u64)>,
    device: Option<u64>,
    /// Where the root is that is gone through.
    real: PathBuf,
    /// The device of the folder that is gone through, and what it is.
    here: Option<(u64, Option<Place>)>,
    visitor: &'a mut dyn Visitor,
}

impl Walk<'_> {
    fn root(&mut self, root: &Root) -> Result<()> {
        let path = Name(root.name.clone().into_bytes());
        // A root may be reached through links: whoever wrote the configuration meant what is behind them.
        let real = match root.path.canonicalize() {
            Ok(real) => real,
            Err(error) => return self.visitor.missing(&path, &format!("{} cannot be found: {error}", root.path.display())),
        };
        let Some(name) = real.file_name().map_or(Some(c".".to_owned()), |name| CString::new(name.as_encoded_bytes()).ok()) else {
            return Ok(());
        };
        let parent = real.parent().unwrap_or(Path::new("/"));
        let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC | search_only();
        let folder = match nix::fcntl::open(parent, flags, Mode::empty()) {
            Ok(folder) => Arc::new(folder),
            Err(error) => return self.visitor.missing(&path, &format!("{} cannot be opened: {error}", parent.display())),
        };
        if real.ancestors().skip(1).filter_map(|above| stat(above).ok()).any(|found| self.inside.contains(&(found.st_dev, found.st_ino))) {
            return self.visitor.missing(&path, "it is in the store itself, and would take earlier backups along");
        }
        self.device = None;
        self.here = fstat(&*folder).ok().map(|found| (found.st_dev, place::of(&*folder, &real)));
        self.real = real;
        self.entry(path, &folder, name, 0)
    }

    fn entry(&mut self, path: Name, folder: &Arc<OwnedFd>, name: CString, depth: usize) -> Result<()> {
        let found = match fstatat(&**folder, name.as_c_str(), AtFlags::AT_SYMLINK_NOFOLLOW) {
            Ok(found) => found,
            Err(nix::errno::Errno::ENOENT) => return self.visitor.missing(&path, "it vanished while its folder was read"),
            Err(error) => return self.visitor.missing(&path, &format!("it cannot be looked at: {error}")),
        };
        let kind = kind_of(&found);
        let identity = (found.st_dev, found.st_ino);
        if !self.rules.takes(&path, kind == SFlag::S_IFDIR) {
            return Ok(());
        }
        match kind {
            SFlag::S_IFDIR if self.inside.contains(&identity) && depth == 0 => {
                self.visitor.missing(&path, "it is in the store itself, and would take earlier backups along")
            }
            SFlag::S_IFDIR if self.never.contains(&identity) || self.inside.contains(&identity) => {
                self.visitor.left_out(&path, "it is the store itself")
            }
            SFlag::S_IFDIR => self.folder(path, found, folder, name, depth),
            SFlag::S_IFREG if self.is_database(&path, identity, folder, &name) => {
                self.visitor.left_out(&path, "it is the database, which the backup holds as such")
            }
            SFlag::S_IFREG | SFlag::S_IFLNK => {
                // A file may be mounted by itself, from anywhere.
                let place = self.here.as_ref().filter(|(device, _)| *device == found.st_dev).and_then(|(_, place)| place.clone());
                self.visitor.found(Found { path, stat: found, folder: Arc::clone(folder), name, place })
            }
            SFlag::S_IFIFO => self.visitor.left_out(&path, "it is a fifo"),
            SFlag::S_IFSOCK => self.visitor.left_out(&path, "it is a socket"),
            _ => self.visitor.left_out(&path, "it is a device"),
        }
    }

    /// The database itself and what SQLite keeps beside it: opened and closed by us, its locks would be gone.
    fn is_database(&self, path: &Name, identity: (u64, u64), folder: &Arc<OwnedFd>, name: &CStr) -> bool {
        let Some(database) = self.database else { return false };
        let beside = ["-wal", "-shm", "-journal"].iter().find_map(|end| path.split().1.strip_suffix(end.as_bytes()));
        let owner = beside.filter(|_| !name.is_empty()).and_then(|owner| CString::new(owner).ok());
        identity == database
            || owner.is_some_and(|owner| {
                fstatat(&**folder, owner.as_c_str(), AtFlags::empty()).is_ok_and(|found| (found.st_dev, found.st_ino) == database)
            })
    }

    fn folder(&mut self, path: Name, found: FileStat, parent: &Arc<OwnedFd>, name: CString, depth: usize) -> Result<()> {
        let device = *self.device.get_or_insert(found.st_dev);
        self.visitor.found(Found { path: path.clone(), stat: found, folder: Arc::clone(parent), name: name.clone(), place: None })?;
        if self.rules.one_file_system && found.st_dev != device {
            return self.visitor.left_out(&path, "what is in it is another file system");
        }
        if depth >= DEPTH_MAX {
            return self.visitor.missing(&path, "what is in it lies too deep");
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let opened = openat(&**parent, name.as_c_str(), flags, Mode::empty());
        let folder = match opened {
            Ok(folder) => Arc::new(folder),
            Err(error) => return self.visitor.missing(&path, &format!("what is in it cannot be read: {}", error.desc())),
        };
        // Between the look and the opening it may have become another.
        let now = fstat(&*folder).on("look at", Path::new(&path.to_string()))?;
        if (now.st_dev, now.st_ino) != (found.st_dev, found.st_ino) {
            return self.visitor.missing(&path, "it was replaced while it was read");
        }
        let names = match listing(&folder) {
            Ok(names) => names,
            Err(error) => return self.visitor.missing(&path, &format!("what is in it cannot be read: {}", error.desc())),
        };
        let around = self.here.clone();
        if around.as_ref().is_none_or(|(device, _)| *device != now.st_dev) {
            self.here = Some((now.st_dev, place::of(&*folder, &self.real)));
        }
        for name in names {
            interrupt::check()?;
            self.entry(path.join(name.to_bytes()), &folder, name, depth + 1)?;
        }
        self.here = around;
        Ok(())
    }
}

/// A folder's names, sorted by their bytes.
pub(super) fn listing(folder: &OwnedFd) -> nix::Result<Vec<CString>> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut dir = Dir::openat(folder, c".", flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in dir.iter() {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The folder above a root need not be readable, only passable.
fn search_only() -> OFlag {
    #[cfg(target_os = "linux")]
    return OFlag::O_PATH;
    #[cfg(not(target_os = "linux"))]
    return OFlag::O_RDONLY;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name(text.as_bytes().to_vec())
    }

    #[test]
    fn a_pattern_without_a_slash_fits_names_and_one_with_a_slash_paths() {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let rules = Rules::of(&[], &texts(&["*.tmp", "media/cache", "media/*/thumbs/**"])).expect("rules");
        for path in ["a.tmp", "media/x/y.tmp", "media/cache", "media/a/thumbs/b/c"] {
            assert!(!rules.takes(&name(path), false), "{path}");
        }
        for path in ["a.tmp2", "media/cache2", "cache", "other/media/cache", "media/a/b/thumbs/c"] {
            assert!(rules.takes(&name(path), false), "{path}");
        }
        let rules = Rules::of(&texts(&["*.jpg"]), &[]).expect("rules");
        assert!(rules.takes(&name("media/a.jpg"), false) && !rules.takes(&name("media/a.txt"), false));
        assert!(rules.takes(&name("media/a"), true), "folders are gone through");
        for wrong in ["", "/etc", "[", "a{"] {
            assert!(Rules::of(&texts(&[wrong]), &[]).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn what_chooses_a_folder_chooses_everything_in_it() {
        let chosen = Chosen::read(&["media/2024".to_owned(), "*.toml".to_owned()]).expect("patterns");
        for path in ["media/2024", "media/2024/a/b.jpg", "x/settings.toml", "settings.toml"] {
            assert!(chosen.takes(&name(path)), "{path}");
        }
        for path in ["media", "media/2025", "media/20244", "x/media/2024"] {
            assert!(!chosen.takes(&name(path)), "{path}");
        }
        assert!(Chosen::read(&[]).expect("none").takes(&name("anything")));
    }
}
