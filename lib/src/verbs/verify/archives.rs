//! The proof that files restore: they are extracted into a scratch folder, and what is there then is compared with the inventory.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::backup::Backup;
use crate::engine::Settings;
use crate::error::{Kind, OnPath, Result};
use crate::files::archive;
use crate::files::entry::{Entry, Name, Type};
use crate::files::extract::{self, Wish};
use crate::frames::open::hash_file;
use crate::manifest::Component;
use crate::progress::Progress;
use crate::store;

/// Restores the files of a backup into a scratch folder, and says what is not there as the inventory has it.
pub fn rehearse_files(backup: &Backup, settings: &Settings, progress: &dyn Progress) -> Result<Vec<String>> {
    let components: Vec<&Component> = backup.manifest().components.iter().filter(|component| archive::is_archive(component)).collect();
    if components.iter().all(|component| component.files.as_ref().is_none_or(|files| files.entries() == 0)) {
        return Ok(Vec::new());
    }
    let scratch = store::scratch_folder(&settings.scratch_dir)?;
    let folder = scratch.path().join("files");
    let restored = match extract::extract(backup, &components, &folder, &Wish::default(), progress) {
        Err(error) if error.kind() == Kind::Bad => return Ok(vec![format!("its files do not restore: {error}")]),
        other => other?,
    };
    if let Some(first) = restored.refused.first() {
        return Ok(vec![format!("restored, {} is not there: {}", first.path, first.why)]);
    }
    for component in components {
        for entry in extract::checked(backup, component)? {
            let entry = entry?;
            if let Some(why) = difference(&folder, &entry)? {
                return Ok(vec![format!("restored, {} has another {why}", entry.path)]);
            }
        }
    }
    make_removable(&folder);
    Ok(Vec::new())
}

fn difference(folder: &Path, entry: &Entry) -> Result<Option<&'static str>> {
    use std::os::unix::ffi::OsStrExt;
    let path = folder.join(std::ffi::OsStr::from_bytes(&entry.path.0));
    let found = match path.symlink_metadata() {
        Ok(found) => found,
        // A folder that its owner may not enter, restored as it was.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return Ok(None),
        other => other.on("look at", &path)?,
    };
    let is_type = match entry.what {
        Type::Folder => found.is_dir(),
        Type::File | Type::Hardlink => found.is_file(),
        Type::Link => found.is_symlink(),
    };
    if !is_type {
        return Ok(Some("type"));
    }
    let seen = (found.mtime(), found.mtime_nsec());
    if entry.what != Type::Hardlink && seen != (entry.mtime.seconds, i64::from(entry.mtime.nanos)) {
        return Ok(Some("time"));
    }
    match entry.what {
        Type::Link => {
            let target = std::fs::read_link(&path).on("read", &path)?;
            Ok((entry.target != Some(Name(target.as_os_str().as_bytes().to_vec()))).then_some("target"))
        }
        Type::File if found.len() != entry.bytes => Ok(Some("length")),
        // Where the holes are now is for the scratch folder's file system to say.
        Type::File if entry.stored.is_none() && entry.mode & 0o400 != 0 => {
            Ok((Some(hash_file(&path)?.0) != entry.sha256).then_some("content"))
        }
        _ if entry.what != Type::Hardlink && found.mode() & 0o777 != entry.mode & 0o777 => Ok(Some("mode")),
        _ => Ok(None),
    }
}

/// The scratch folder goes with its value, and that needs rights in every folder.
fn make_removable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let _ = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(crate::fsx::FOLDER_MODE));
    let Ok(listing) = std::fs::read_dir(folder) else { return };
    for entry in listing.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        make_removable(&entry.path());
    }
}
