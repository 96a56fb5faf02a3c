//! Every format ever written stays under `tests/fixtures/` as a small store. Its backups must still verify, restore, and be
//! rebuilt by `scripts/recover` and by the standard tools, byte for byte. A fixture is never made again: it is the past.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rusqlite::Connection;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A copy of one fixture, private as a store must be: a checkout keeps no modes.
struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name), &folder.path().join("store"));
        Fixture { folder }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// The folder of the only backup of an environment.
    fn backup(&self, environment: &str) -> PathBuf {
        let mut found = fs::read_dir(self.store().join(environment)).expect("a folder").map(|entry| entry.expect("an entry").path());
        let backup = found.next().expect("a backup");
        assert!(found.next().is_none(), "{environment} has one backup");
        backup
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let path = match program {
            "backup-guard" => env!("CARGO_BIN_EXE_backup-guard"),
            "restore-db" => env!("CARGO_BIN_EXE_restore-db"),
            other => panic!("{other}"),
        };
        Command::new(path)
            .args(["--store".as_ref(), self.store().as_os_str()])
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HOLDFAST_STATE_DIR", self.folder.path().join("state"))
            .env("XDG_CONFIG_HOME", self.folder.path().join("none"))
            .env_remove("HOLDFAST_CONFIG")
            .env_remove("HOLDFAST_ENV")
            .output()
            .expect("it runs")
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a folder");
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).expect("a mode");
    for entry in fs::read_dir(from).expect("a listing") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::write(&target, fs::read(entry.path()).expect("bytes")).expect("a copy");
            fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).expect("a mode");
        }
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn manifest(backup: &Path) -> Value {
    serde_json::from_slice(&fs::read(backup.join("manifest.json")).expect("a manifest")).expect("JSON")
}

fn recover(arguments: &[&std::ffi::OsStr]) -> Output {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/recover")).args(arguments).output().expect("python3 runs")
}

/// What standard tools make of a component's file.
fn unpacked(backup: &Path, component: &Value) -> Vec<u8> {
    let file = component["file"].as_str().expect("a name");
    let program = match component["compression"].as_str().expect("a compression") {
        "gzip" => ["gzip", "-dc"],
        "zstd" => ["zstd", "-dcq"],
        _ => ["cat", "--"],
    };
    let output = Command::new(program[0]).arg(program[1]).arg(file).current_dir(backup).output().expect(program[0]);
    assert!(output.status.success(), "{file}: {}", said(&output));
    output.stdout
}

const FORMAT_1: [&str; 4] = ["gzip", "zstd", "pg", "plain"];

#[test]
fn format_1_still_verifies() {
    let fixture = Fixture::new("format-1");
    let output = fixture.run("backup-guard", &["--verify", "structure", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let passed = |finding: &&Value| finding["check"] == "verify" && finding["message"] == "structure passed";
    assert_eq!(report["findings"].as_array().expect("findings").iter().filter(passed).count(), FORMAT_1.len(), "{report}");
}

#[test]
fn format_1_still_fails_when_it_is_damaged() {
    let fixture = Fixture::new("format-1");
    let file = fixture.backup("zstd").join("database.sqlite.zst");
    let mut bytes = fs::read(&file).expect("bytes");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).expect("written");
    let output = fixture.run("backup-guard", &["--verify", "checksum"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
}

#[test]
fn format_1_still_restores() {
    for environment in ["gzip", "zstd"] {
        let fixture = Fixture::new("format-1");
        let target = fixture.folder.path().join("restored.db");
        let to = format!("sqlite:{}", target.display());
        let output = fixture.run("restore-db", &["-e", environment, "latest", "--to", &to]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let database = Connection::open(target).expect("opens");
        let answer = |query: &str| database.query_row(query, [], |row| row.get::<_, i64>(0)).expect("an answer");
        assert_eq!(answer("SELECT count(*) FROM account"), 50);
        assert_eq!(answer("SELECT count(*) FROM entry"), 12_000);
        assert_eq!(
            answer("SELECT sum(cents) FROM balance"),
            answer(
                "SELECT sum(i*37%1000-500) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<12000) SELECT i FROM n)"
            )
        );
    }
}

#[test]
fn format_1_is_rebuilt_by_the_script_and_by_standard_tools_alike() {
    let fixture = Fixture::new("format-1");
    for environment in FORMAT_1 {
        let backup = fixture.backup(environment);
        let sums = Command::new("sha256sum").args(["--check", "--strict", "--quiet", "SHA256SUMS"]).current_dir(&backup).output();
        let sums = sums.expect("sha256sum");
        assert!(sums.status.success(), "{environment}: {}", said(&sums));
        for component in manifest(&backup)["components"].as_array().expect("components") {
            let role = component["role"].as_str().expect("a role");
            let out = fixture.folder.path().join(format!("{environment}-{role}"));
            let output = recover(&["--role".as_ref(), role.as_ref(), backup.as_os_str(), out.as_os_str()]);
            assert_eq!(output.status.code(), Some(0), "{environment}/{role}: {}", said(&output));
            let rebuilt = fs::read(&out).expect("rebuilt");
            assert!(!rebuilt.is_empty() && rebuilt == unpacked(&backup, component), "{environment}/{role}");
            let hash: String = Sha256::digest(&rebuilt).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(component["plain_sha256"], hash, "{environment}/{role}");
        }
    }
}

#[test]
fn the_script_names_damage_and_saves_the_rest() {
    let fixture = Fixture::new("format-1");
    let backup = fixture.backup("gzip");
    let component = manifest(&backup)["components"][0].clone();
    let whole = unpacked(&backup, &component);
    let file = backup.join("database.sqlite.gz");
    let mut bytes = fs::read(&file).expect("bytes");
    let late = bytes.len() - 1000;
    bytes[late] ^= 1;
    fs::write(&file, bytes).expect("written");

    let out = fixture.folder.path().join("out");
    let output = recover(&[backup.as_os_str(), out.as_os_str()]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(said(&output).contains("frame 2 of 2"), "{}", said(&output));
    assert!(!out.exists(), "half a database must not be left");

    let output = recover(&["--salvage".as_ref(), backup.as_os_str(), out.as_os_str()]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let saved = fs::read(&out).expect("saved");
    assert_eq!(saved.len(), whole.len());
    let frame = 256 << 10;
    assert_eq!(saved[..frame], whole[..frame]);
    assert!(saved[frame..].iter().all(|byte| *byte == 0));

    let output = recover(&[backup.as_os_str(), out.as_os_str()]);
    assert_eq!(output.status.code(), Some(1), "an existing file is never overwritten: {}", said(&output));
    assert_eq!(fs::read(&out).expect("saved"), saved);
}
