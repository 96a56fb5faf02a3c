use std::time::Duration;

use super::*;
use crate::error::Kind;

fn state(folder: &Path) -> StateDir {
    let path = folder.join("state");
    fsx::create_private_dirs(&path).expect("a state folder");
    StateDir::at(&path)
}

#[test]
fn fm_c18_a_store_that_lost_its_marker_is_refused_until_it_is_meant() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = state(folder.path());
    let root = folder.path().join("backups");
    let first = Store::open(&root, &state, Create::FirstUse).expect("created");
    assert_eq!(Store::open(&root, &state, Create::FirstUse).expect("known").id(), first.id());
    std::fs::remove_dir_all(&root).expect("unmounted");
    std::fs::create_dir(&root).expect("an empty mount point");
    let error = Store::open(&root, &state, Create::FirstUse).expect_err("lost");
    assert_eq!(error.kind(), Kind::Refused);
    assert!(std::fs::read_dir(&root).expect("a list").next().is_none(), "nothing was written into the mount point");
    std::fs::remove_dir(&root).expect("removed");
    assert_eq!(Store::open(&root, &state, Create::FirstUse).expect_err("lost").kind(), Kind::Refused);
    let second = Store::open(&root, &state, Create::Meant).expect("meant");
    assert_ne!(second.id(), first.id());
    Store::open(&root, &state, Create::FirstUse).expect("known again");
}

#[test]
fn a_store_is_not_created_under_a_missing_folder_or_by_a_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = state(folder.path());
    let root = folder.path().join("not-mounted/backups");
    let error = Store::open(&root, &state, Create::FirstUse).expect_err("no parent");
    assert!(error.to_string().contains("the folder above it does not exist"), "{error}");
    assert!(!folder.path().join("not-mounted").exists());
    assert_eq!(Store::open(&folder.path().join("b"), &state, Create::Never).expect_err("nothing").kind(), Kind::Bad);
    Store::open(&root, &state, Create::Meant).expect("created with every folder");
}

#[test]
fn fm_i06_folders_and_files_are_private_whatever_the_umask() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = state(folder.path());
    for mask in [0o000, 0o077] {
        let previous = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(mask));
        let root = folder.path().join(format!("backups-{mask}"));
        let made = Store::open(&root, &state, Create::FirstUse);
        nix::sys::stat::umask(previous);
        made.expect("created");
        assert_eq!(fsx::mode_of(&root).expect("a mode"), 0o700);
        assert_eq!(fsx::mode_of(&root.join(MARKER)).expect("a mode"), 0o600);
    }
}

#[test]
fn what_is_not_published_is_gone_and_what_is_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = state(folder.path());
    let store = Store::open(&folder.path().join("backups"), &state, Create::FirstUse).expect("a store");
    let held = Held::acquire(&state, store.id(), "dev", Duration::ZERO).expect("the lock");
    let id = "20261121T130000Z-dev-db-7f3a";
    let staging = store.stage(&held, id).expect("a staging folder");
    staging.write("a", b"1").expect("written");
    assert_eq!(store.strays().expect("a list").len(), 1);
    drop(staging);
    assert_eq!(store.strays().expect("a list"), Vec::<String>::new());
    let staging = store.stage(&held, id).expect("a staging folder");
    staging.write("a", b"1").expect("written");
    staging.write_checksums(&[]).expect("summed");
    let path = staging.publish(&store.folder("dev")).expect("published");
    let sums = std::fs::read_to_string(path.join(CHECKSUMS)).expect("the sums");
    assert_eq!(sums, "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b  a\n");
    // The same id a second time must not replace the first.
    let again = store.stage(&held, id).expect("a staging folder");
    again.publish(&store.folder("dev")).expect_err("the name is taken");
    assert!(path.join("a").exists());
}

#[test]
fn fm_b01_a_killed_runs_staging_is_swept_by_the_next_and_another_machines_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = state(folder.path());
    let store = Store::open(&folder.path().join("backups"), &state, Create::FirstUse).expect("a store");
    let held = Held::acquire(&state, store.id(), "dev", Duration::ZERO).expect("the lock");
    let staging = store.stage(&held, "20261121T130000Z-dev-db-7f3a").expect("a staging folder");
    staging.write("database.sql.gz", b"half").expect("written");
    std::mem::forget(staging);
    std::fs::create_dir(store.root().join(".staging-20261121T130000Z-dev-db-0000.nosync")).expect("another machine's");
    assert_eq!(store.sweep(&held).expect("swept"), [".staging-20261121T130000Z-dev-db-7f3a.nosync"]);
    assert_eq!(store.strays().expect("a list"), [".staging-20261121T130000Z-dev-db-0000.nosync"]);
    assert_eq!(store.places().expect("a list"), Vec::<String>::new());
}

#[test]
fn fm_c18_a_store_that_was_reached_through_a_link_is_refused_when_its_disk_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = state(folder.path());
    let disk = folder.path().join("mnt/disk");
    std::fs::create_dir_all(&disk).expect("a mount point");
    std::os::unix::fs::symlink(&disk, folder.path().join("disk")).expect("a link");
    let root = folder.path().join("disk/backups");
    Store::open(&root, &state, Create::FirstUse).expect("created");
    std::fs::remove_dir_all(disk.join("backups")).expect("unmounted");
    assert_eq!(Store::open(&root, &state, Create::FirstUse).expect_err("lost").kind(), Kind::Refused);
    assert!(!disk.join("backups").exists(), "nothing was written under the mount point");
}

#[test]
fn what_others_left_is_swept_by_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = state(folder.path());
    let store = Store::open(&folder.path().join("backups"), &state, Create::FirstUse).expect("created");
    // Larger than any process id of Linux, so that no such process runs.
    let dead = 1 << 23;
    let own = format!("{SCRATCH_PREFIX}{}-{dead}-abc{UNSYNCED_SUFFIX}", host_tag());
    let foreign = format!("{SCRATCH_PREFIX}0badc0de-{dead}-abc{UNSYNCED_SUFFIX}");
    let trash = |environment: &str| format!("{TRASH_PREFIX}20261121T130000Z-{environment}-db-7f3a{UNSYNCED_SUFFIX}");
    let clone = clone_name().expect("a name");
    // Somebody's own folder that only has such a name; and one that was killed before it was marked.
    let unmarked = format!("{SCRATCH_PREFIX}{}-{dead}-mine{UNSYNCED_SUFFIX}", host_tag());
    let empty = format!("{SCRATCH_PREFIX}{}-{dead}-new{UNSYNCED_SUFFIX}", host_tag());
    for name in [&own, &foreign, &unmarked, &empty, &clone, &trash("prod"), &trash("prod-eu")] {
        std::fs::create_dir(store.root().join(name)).expect("a folder");
    }
    for name in [&own, &foreign, &unmarked] {
        std::fs::write(store.root().join(name).join("app.db"), "rows").expect("a file");
    }
    for name in [&own, &foreign] {
        std::fs::write(store.root().join(name).join(SCRATCH_MARK), "").expect("a mark");
    }
    let held = Held::acquire(&state, store.id(), "prod", Duration::ZERO).expect("the lock");
    let mut removed = store.sweep(&held).expect("swept");
    removed.sort();
    assert_eq!(removed, [own, empty, trash("prod")]);
    assert!(store.root().join(&foreign).is_dir() && store.root().join(trash("prod-eu")).is_dir());
    // A clone that somebody asked to keep is theirs to remove.
    assert!(store.root().join(&clone).is_dir());
    assert_eq!(store.strays().expect("a list"), [foreign, unmarked, trash("prod-eu")]);
    assert_eq!(store.places().expect("a list"), Vec::<String>::new());
}
