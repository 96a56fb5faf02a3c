//! Every bit of a small backup, flipped one at a time: none may pass unnoticed, in no file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use holdfast::backup::Backup;
use holdfast::engine::Settings;
use holdfast::manifest::Level;
use holdfast::progress::Silent;
use holdfast::verbs::verify::{Demands, verify};

/// A backup of a small database, and a place for the checks' caches.
struct Made {
    _own: tempfile::TempDir,
    folder: PathBuf,
    settings: Settings,
}

fn made(compression: &str) -> Made {
    let own = tempfile::tempdir().expect("a folder");
    let database = rusqlite::Connection::open(own.path().join("app.db")).expect("a database");
    database.execute_batch("CREATE TABLE entry (id INTEGER PRIMARY KEY, cents INTEGER); INSERT INTO entry VALUES (1, 250)").expect("rows");
    drop(database);
    let output = Command::new(env!("CARGO_BIN_EXE_backup-db"))
        .args(["app.db", "--compression", compression])
        .current_dir(own.path())
        .env("HOLDFAST_STATE_DIR", own.path().join("state"))
        .output()
        .expect("backup-db");
    assert!(output.status.success(), "{output:?}");
    let line = String::from_utf8(output.stdout).expect("text");
    let folder = PathBuf::from(line.trim_end().split_once('\t').expect("an id and a folder").1);
    let settings = Settings {
        busy_timeout: Duration::from_secs(1),
        stall_timeout: Duration::from_secs(1),
        allow_empty: false,
        lock_tables: false,
        program_dirs: Vec::new(),
        scratch_dir: own.path().to_owned(),
        cache: own.path().to_owned(),
        scratch_user: None,
        scratch_server: None,
    };
    Made { _own: own, folder, settings }
}

/// What the check of a backup says is wrong with it, as `backup-guard --verify structure` would.
fn findings(made: &Made) -> Vec<String> {
    let demands = Demands { level: Level::Structure, min_size: None, asserts: &[], settings: &made.settings };
    let outcome = Backup::open(&made.folder).and_then(|backup| verify(&backup, &demands, &Silent));
    outcome.map_or_else(|error| vec![error.to_string()], |outcome| outcome.findings)
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("the backup").map(|entry| entry.expect("an entry").path());
    entries.map(|path| (path.clone(), fs::read(path).expect("a file"))).collect()
}

fn every_flip_is_noticed(compression: &str) {
    let made = made(compression);
    assert_eq!(findings(&made), Vec::<String>::new());
    let mut flips = 0;
    for (path, whole) in files(&made.folder) {
        let mut bytes = whole.clone();
        for bit in 0..whole.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(&path, &bytes).expect("damage");
            assert!(!findings(&made).is_empty(), "bit {} of byte {} of {} passes unnoticed", bit % 8, bit / 8, path.display());
            bytes[bit / 8] = whole[bit / 8];
            flips += 1;
        }
        fs::write(&path, &whole).expect("repair");
    }
    assert!(flips > 8 * 2_000, "only {flips} bits were flipped");
    assert_eq!(findings(&made), Vec::<String>::new());
}

#[test]
fn fm_c03_fm_c04_every_flipped_bit_of_a_gzip_backup_is_noticed() {
    every_flip_is_noticed("gzip");
}

#[test]
fn fm_c03_fm_c04_every_flipped_bit_of_a_zstd_backup_is_noticed() {
    every_flip_is_noticed("zstd");
}
