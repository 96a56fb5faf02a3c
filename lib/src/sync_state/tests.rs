use super::*;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs;

use crate::error::Kind;

const ID: &str = "20261121T130000Z-dev-db-7f3a";

/// What macOS would say of evicted files, said of a list of paths.
#[derive(Default)]
struct Fake {
    dataless: RefCell<BTreeSet<PathBuf>>,
    downloads: Cell<u32>,
    delivers: bool,
}

impl Fake {
    fn evicted(paths: &[PathBuf]) -> Self {
        Fake { dataless: RefCell::new(paths.iter().cloned().collect()), ..Fake::default() }
    }
}

impl SyncProbe for Fake {
    fn state(&self, path: &Path) -> Result<SyncState> {
        if self.dataless.borrow().contains(path) { Ok(SyncState::CloudOnly) } else { SystemProbe.state(path) }
    }

    fn request_download(&self, path: &Path, _deadline: Duration) -> Result<()> {
        self.downloads.set(self.downloads.get() + 1);
        if self.delivers {
            self.dataless.borrow_mut().remove(path);
        }
        Ok(())
    }
}

/// A store with one backup in `dev`.
fn store() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let backup = folder.path().join("dev").join(ID);
    fs::create_dir_all(&backup).expect("a backup");
    for name in ["manifest.json", "database.sql.gz", "database.index", "SHA256SUMS", "RESTORE.txt"] {
        fs::write(backup.join(name), name).expect("a file");
    }
    (folder, backup)
}

/// The survey, in a thread that is given up after a while: opening a pipe without a writer would block for ever.
fn survey_in_time(folder: &Path, evicted: Vec<PathBuf>) -> Survey {
    let (sender, receiver) = std::sync::mpsc::channel();
    let folder = folder.to_owned();
    std::thread::spawn(move || sender.send(survey(&folder, &Fake::evicted(&evicted))));
    receiver.recv_timeout(Duration::from_secs(20)).expect("no file was opened").expect("a survey")
}

fn plain_survey(folder: &Path) -> Survey {
    survey(folder, &SystemProbe).expect("a survey")
}

#[test]
fn a_plain_folder_is_not_a_synced_one() {
    let (folder, _) = store();
    let survey = plain_survey(folder.path());
    assert_eq!(survey, Survey::default());
    assert!(!survey.is_synced() && survey.is_clean());
    assert_eq!(survey.to_string(), "not a synced folder");
}

#[test]
fn fm_d01_an_evicted_file_is_cloud_only_and_is_never_opened() {
    let (folder, backup) = store();
    let dump = backup.join("database.sql.gz");
    fs::remove_file(&dump).expect("gone");
    nix::unistd::mkfifo(&dump, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let survey = survey_in_time(folder.path(), vec![dump.clone()]);
    assert_eq!(survey.cloud_only, [CloudOnly { path: dump.clone(), placeholder: None }]);
    assert_eq!(survey.to_string(), format!("a synced folder\nonly in the cloud: {}", dump.display()));
}

#[test]
fn fm_d01_an_evicted_folder_is_named_and_not_listed() {
    let (folder, backup) = store();
    fs::write(backup.join("manifest 2.json"), "").expect("a copy");
    let survey = survey_in_time(folder.path(), vec![backup.clone()]);
    assert_eq!(survey.cloud_only, [CloudOnly { path: backup, placeholder: None }]);
    assert_eq!(survey.conflicts, []);
    assert_eq!(survey_in_time(folder.path(), vec![folder.path().to_owned()]).cloud_only.len(), 1);
}

#[test]
fn fm_d02_a_placeholder_stands_for_its_file_and_is_no_junk() {
    let (folder, backup) = store();
    let (dump, placeholder) = (backup.join("database.sql.gz"), backup.join(".database.sql.gz.icloud"));
    fs::rename(&dump, &placeholder).expect("evicted");
    let survey = plain_survey(folder.path());
    assert_eq!(survey.cloud_only, [CloudOnly { path: dump.clone(), placeholder: Some(placeholder.clone()) }]);
    assert_eq!(SystemProbe.state(&dump).expect("a state"), SyncState::CloudOnly);
    assert_eq!(SystemProbe.state(&backup.join("manifest.json")).expect("a state"), SyncState::Local);
    assert_eq!(SystemProbe.state(&backup.join("other")).expect("a state"), SyncState::Missing);
    assert!(placeholder.exists(), "a survey removes nothing");
    for name in [".icloud", "a.icloud", ".a.icloud2", "..icloud"] {
        assert_eq!(placeholder_for(OsStr::new(name)), None, "{name}");
    }
}

#[test]
fn fm_d04_conflict_copies_of_what_is_ours_are_named() {
    let (folder, backup) = store();
    let dev = folder.path().join("dev");
    let copies = [
        (backup.join("database 2.sql.gz"), backup.join("database.sql.gz")),
        (backup.join("database (1).index"), backup.join("database.index")),
        (backup.join("database.sql 3.gz"), backup.join("database.sql.gz")),
        (backup.join("SHA256SUMS 2"), backup.join("SHA256SUMS")),
        (backup.join("RESTORE (mac's conflicted copy 2026-11-21).txt"), backup.join("RESTORE.txt")),
        (backup.join("manifest.sync-conflict-20261121-130000-ABCDEFG.json"), backup.join("manifest.json")),
        (backup.join(".manifest 2.json.icloud"), backup.join("manifest.json")),
        (dev.join(format!("{ID} 2")), dev.join(ID)),
        (folder.path().join("dev 2"), dev.clone()),
    ];
    for (copy, original) in &copies {
        if original.is_dir() { fs::create_dir(copy).expect("a folder") } else { fs::write(copy, "").expect("a file") }
    }
    let mut expected: Vec<Conflict> = copies.map(|(path, original)| Conflict { path, original }).into();
    expected.sort();
    assert_eq!(plain_survey(folder.path()).conflicts, expected);
    assert!(expected.iter().all(|one| one.path.exists()), "a survey removes nothing");
}

#[test]
fn fm_d04_names_that_only_look_alike_are_nobodys_conflict() {
    let (folder, backup) = store();
    for name in [
        "Report.pdf",
        "Report 2.pdf",
        "Report (1).pdf",
        "notes",
        "notes 2",
        "database 2026.sql.gz",
        "database 02.sql.gz",
        "database 2sql.gz",
    ] {
        fs::write(backup.join(name), "").expect("a file");
        fs::write(folder.path().join(name), "").expect("a file");
    }
    fs::create_dir(folder.path().join("dev").join(format!("{ID} 2b"))).expect("a folder");
    fs::create_dir(folder.path().join("photos")).expect("a folder");
    fs::create_dir(folder.path().join("photos 2")).expect("a folder");
    assert_eq!(plain_survey(folder.path()).conflicts, []);
}

#[test]
fn fm_d07_the_staging_folder_is_not_uploaded_and_not_surveyed() {
    let (folder, _) = store();
    let name = staging_name(ID);
    assert_eq!(name, format!(".staging-{ID}.nosync"));
    assert!(name.ends_with(NOT_UPLOADED_SUFFIX) && is_not_uploaded(OsStr::new(&name)));
    let staging = folder.path().join(name);
    fs::create_dir(&staging).expect("staging");
    fs::write(staging.join("manifest 2.json"), "").expect("a file");
    assert!(plain_survey(folder.path()).is_clean());
}

#[test]
fn a_synced_folder_is_known_by_its_place_or_its_marker() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = |path: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(&path).expect("a folder");
        path
    };
    let of = |path: &Path| service_of(path).expect("an answer");
    assert_eq!(of(&made("Library/Mobile Documents/com~apple~CloudDocs/backups")), Some(Service::ICloud));
    assert_eq!(of(&made("Library/CloudStorage/OneDrive-Personal/b")), Some(Service::OneDrive));
    assert_eq!(of(&made("Library/CloudStorage/GoogleDrive-me@example.org")), Some(Service::GoogleDrive));
    assert_eq!(of(&made("Library/CloudStorage/Box-Box")), Some(Service::Other));
    let dropbox = made("Dropbox/backups/dev");
    assert_eq!(of(&dropbox), None, "the name alone says nothing");
    made(".dropbox");
    assert_eq!(of(&dropbox), None, "nor do the settings of Dropbox in a home folder");
    fs::write(folder.path().join("Dropbox/.dropbox"), "").expect("a marker");
    assert_eq!(of(&dropbox), Some(Service::Dropbox));
    std::os::unix::fs::symlink(&dropbox, folder.path().join("link")).expect("a link");
    assert_eq!(of(&folder.path().join("link")), Some(Service::Dropbox), "where it really is counts");
    assert_eq!(plain_survey(&dropbox).to_string(), "kept by Dropbox");
}

#[test]
fn a_hostile_name_is_escaped_when_it_is_shown() {
    assert_eq!(shown(OsStr::new("a\u{1b}[31m\n\u{202e}é b")), "a\\u{1b}[31m\\n\\u{202e}é b");
    let (folder, backup) = store();
    fs::write(backup.join(".x\u{7}.icloud"), "").expect("a file");
    let text = plain_survey(folder.path()).to_string();
    assert!(text.ends_with("x\\u{7}") && !text.contains('\u{7}'), "{text:?}");
}

#[test]
fn links_are_not_followed() {
    let (folder, backup) = store();
    std::os::unix::fs::symlink(folder.path(), backup.join("loop")).expect("a link");
    std::os::unix::fs::symlink("/nonexistent", folder.path().join("broken")).expect("a link");
    assert!(plain_survey(folder.path()).is_clean());
}

#[test]
fn a_download_is_asked_for_once_and_waited_for() {
    let (_folder, backup) = store();
    let dump = backup.join("database.sql.gz");
    let arrives = Fake { delivers: true, ..Fake::evicted(std::slice::from_ref(&dump)) };
    wait_until_local(&dump, &arrives, Duration::from_secs(5)).expect("it arrives");
    assert_eq!(arrives.downloads.get(), 1);

    let never = Fake::evicted(std::slice::from_ref(&dump));
    let error = wait_until_local(&dump, &never, Duration::from_millis(300)).expect_err("it never arrives");
    assert_eq!((error.kind(), never.downloads.get()), (Kind::Bad, 1));
    assert!(error.next_step().is_some() && error.to_string().contains("only in the cloud"), "{error}");

    let error = wait_until_local(&backup.join("no"), &SystemProbe, Duration::ZERO).expect_err("nothing there");
    assert!(error.to_string().ends_with("no is missing"), "{error}");
}
