//! The files and folders that a configuration names, and the names they have in an archive.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::manifest::Root;

/// Gives each path a name: its own, with `-2`, `-3`, … where one before it has the same but for the case of its letters. So the
/// names are the same as long as the configuration is, and restore on a file system that does not tell `Media` from `media`.
///
/// The files and the configuration files of an environment are named together, so that both can be restored into one folder.
pub fn named(files: &[PathBuf], config_files: &[PathBuf]) -> Result<(Vec<Root>, Vec<Root>)> {
    let mut taken: Vec<String> = Vec::new();
    let mut roots = Vec::new();
    for path in files.iter().chain(config_files) {
        if path.to_str().is_none() {
            return Err(Error::usage(format!("{path:?} cannot be a part of a backup by itself: it is no UTF-8, and the manifest is"))
                .hint("name the folder above it: what is in a folder may have any name; or reach it through a link"));
        }
        let own = own_name(path)?;
        let mut name = own.clone();
        let mut number = 1;
        while taken.contains(&name.to_lowercase()) {
            number += 1;
            name = format!("{own}-{number}");
        }
        taken.push(name.to_lowercase());
        roots.push(Root { name, path: path.clone(), ..Root::default() });
    }
    let config_roots = roots.split_off(files.len());
    refuse_nested(&roots)?;
    refuse_nested(&config_roots)?;
    Ok((roots, config_roots))
}

/// The last part of a path, `.` and `..` resolved; `root` for the root folder itself.
fn own_name(path: &Path) -> Result<String> {
    let ends_in_name = path.file_name().is_some() && !path.as_os_str().as_encoded_bytes().ends_with(b"/.");
    let real = if ends_in_name { path.to_owned() } else { path.canonicalize().unwrap_or_else(|_| path.to_owned()) };
    let name = real.file_name().map_or_else(|| "root".to_owned(), |name| name.to_string_lossy().into_owned());
    if name.chars().any(char::is_control) {
        return Err(Error::config(format!("{name:?} cannot be the name of a part of a backup")).hint("name the folder above it"));
    }
    Ok(name)
}

/// What lies in another root would be stored twice, and restored over itself.
fn refuse_nested(roots: &[Root]) -> Result<()> {
    let real: Vec<PathBuf> = roots.iter().map(|root| crate::fsx::real_path(&root.path)).collect();
    for (inner, root) in real.iter().zip(roots) {
        let around = real.iter().zip(roots).find(|(outer, other)| *other != root && inner.starts_with(outer));
        if let Some((_, around)) = around {
            return Err(Error::config(format!("{} is in {} already", root.path.display(), around.path.display()))
                .hint("take one of the two out of files or config_files"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(files: &[&str], config_files: &[&str]) -> Vec<String> {
        let paths = |list: &[&str]| list.iter().map(PathBuf::from).collect::<Vec<_>>();
        let (files, config) = named(&paths(files), &paths(config_files)).expect("names");
        files.into_iter().chain(config).map(|root| root.name).collect()
    }

    #[test]
    fn fm_f14_roots_of_one_name_get_different_ones() {
        assert_eq!(names(&["/a/media", "/b/media", "/c/Media"], &["/c/media"]), ["media", "media-2", "Media-3", "media-4"]);
        assert_eq!(names(&["/a/media-2", "/b/media", "/c/media"], &[]), ["media-2", "media", "media-3"]);
        assert_eq!(names(&["/"], &[]), ["root"]);
        assert_eq!(names(&["/a/media/"], &["/a/.env"]), ["media", ".env"]);
    }

    #[test]
    fn a_root_whose_name_is_no_text_is_refused_at_once() {
        use std::os::unix::ffi::OsStrExt;
        for path in [&b"/a/\xff"[..], b"/\xff/a"] {
            let error = named(&[PathBuf::from(std::ffi::OsStr::from_bytes(path))], &[]).expect_err("no UTF-8");
            assert_eq!(error.kind(), crate::error::Kind::Usage, "{error}");
        }
    }

    #[test]
    fn a_root_in_another_is_refused_by_name() {
        let paths = ["/a/media", "/a/media/photos"].map(PathBuf::from);
        let error = named(&paths, &[]).expect_err("nested");
        assert!(error.to_string().contains("/a/media/photos is in /a/media already"), "{error}");
        // A configuration file may well be in a folder of files.
        assert!(named(&[PathBuf::from("/a")], &[PathBuf::from("/a/.env")]).is_ok());
    }
}
