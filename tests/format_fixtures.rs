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

    /// `file-versions`, which takes its flags after the subcommand.
    fn versions(&self, arguments: &[&str]) -> Output {
        let store = self.store();
        let all: Vec<&str> = arguments.iter().copied().chain(["--store", store.to_str().expect("UTF-8")]).collect();
        self.start(env!("CARGO_BIN_EXE_file-versions"), &all)
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let path = match program {
            "backup-guard" => env!("CARGO_BIN_EXE_backup-guard"),
            "restore-db" => env!("CARGO_BIN_EXE_restore-db"),
            other => panic!("{other}"),
        };
        let store = self.store();
        let all: Vec<&str> = ["--store", store.to_str().expect("UTF-8")].into_iter().chain(arguments.iter().copied()).collect();
        self.start(path, &all)
    }

    fn start(&self, path: &str, arguments: &[&str]) -> Output {
        Command::new(path)
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

/// The records of every version in a fixture: key, id and bytes.
fn records(store: &Path) -> Vec<(String, String, Vec<u8>)> {
    let listed = |folder: &Path| -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = fs::read_dir(folder).expect("a listing").map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        paths
    };
    let name = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    let mut records = Vec::new();
    for folder in listed(&store.join("versions/index")) {
        for path in listed(&folder) {
            records.push((name(&folder), name(&path), fs::read(&path).expect("bytes")));
        }
    }
    records
}

#[test]
fn versions_of_format_1_are_read_and_restored() {
    let fixture = Fixture::new("versions-1");
    let stats = fixture.versions(&["stats", "--verify", "--json"]);
    assert!(stats.status.success(), "{}", said(&stats));
    let stats: Value = serde_json::from_slice(&stats.stdout).expect("JSON");
    assert_eq!([&stats["files"], &stats["versions"], &stats["tags"], &stats["objects"]], [3, 5, 1, 4]);
    let numbers: String = (1..=500).map(|number| format!("{number}\n")).collect();
    let rates: String = (1..=400).map(|number| format!("vat = {number}\n")).collect();
    for (selector, wanted) in [("latest", numbers), ("latest~1", "x".repeat(300_000)), ("v1.0", rates)] {
        let printed = fixture.versions(&["cat", "/srv/ledger/rates.toml", selector]);
        assert!(printed.status.success() && printed.stdout == wanted.as_bytes(), "{selector}: {}", said(&printed));
    }
    let restored = fixture.versions(&["restore", "/srv/ledger/rates.toml", "v1.0", "--to", "back.toml"]);
    assert!(restored.status.success(), "{}", said(&restored));
    let back = fixture.folder.path().join("back.toml");
    assert_eq!(fs::metadata(&back).expect("it is there").permissions().mode() & 0o777, 0o640);
    let collected = fixture.versions(&["gc", "--json"]);
    assert!(said(&collected).contains(r#""objects":0"#), "{}", said(&collected));
}

#[test]
fn versions_of_format_1_are_rebuilt_by_standard_tools_from_the_page_alone() {
    let fixture = Fixture::new("versions-1");
    let all = records(&fixture.store());
    assert_eq!(all.len(), 5);
    for (key, id, bytes) in all {
        let hash = |bytes: &[u8]| -> String { Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect() };
        assert_eq!(id[17..], hash(&bytes)[..12], "{id}");
        let record: Value = serde_json::from_slice(&bytes).expect("JSON");
        let path = match record["file_hex"].as_str() {
            Some(hex) => (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect(),
            None => record["file"].as_str().expect("a path").as_bytes().to_vec(),
        };
        assert_eq!(key, hash(&path)[..32], "{id}");
        let sha256 = record["sha256"].as_str().expect("a hash");
        let object = fixture.store().join("versions/objects").join(&sha256[..2]).join(&sha256[2..4]).join(sha256);
        let program = if fs::read(&object).expect("the object").starts_with(&[0x1f, 0x8b]) { "gzip" } else { "zstd" };
        let input = fs::File::open(&object).expect("the object");
        let output = Command::new(program).arg("-dc").stdin(input).output().expect("it runs");
        assert!(output.status.success(), "{program}: {}", said(&output));
        assert_eq!(hash(&output.stdout), sha256, "{id}");
        assert_eq!(record["bytes"], output.stdout.len());
    }
}

/// Full, incremental, incremental, differential: of each the reason says what is in it.
const INCREMENTS_2: [&str; 2] = ["gzip", "zstd"];

#[test]
fn increments_of_index_version_2_still_verify() {
    let fixture = Fixture::new("increments-2");
    let output = fixture.run("backup-guard", &["--verify", "structure", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let findings = report["findings"].as_array().expect("findings");
    let count = |check: &str, message: &str| findings.iter().filter(|it| it["check"] == check && it["message"] == message).count();
    assert_eq!(count("verify", "structure passed"), 4 * INCREMENTS_2.len(), "{report}");
    assert_eq!(count("chain", "all that 3 increments need is there"), INCREMENTS_2.len(), "{report}");
}

#[test]
fn increments_of_index_version_2_still_restore_and_are_rebuilt() {
    for environment in INCREMENTS_2 {
        let fixture = Fixture::new("increments-2");
        let mut backups: Vec<PathBuf> =
            fs::read_dir(fixture.store().join(environment)).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
        backups.sort();
        assert_eq!(backups.len(), 4);
        for backup in backups {
            let manifest = manifest(&backup);
            let id = manifest["id"].as_str().expect("an id");
            let restored = fixture.folder.path().join("restored.db");
            let output = fixture.run("restore-db", &["-e", environment, id, "--to", &format!("sqlite:{}", restored.display())]);
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
            let rebuilt = fixture.folder.path().join("rebuilt.db");
            let output = recover(&[backup.as_os_str(), rebuilt.as_os_str()]);
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
            for file in [&restored, &rebuilt] {
                let database = Connection::open(file).expect("opens");
                let found: String =
                    database.query_row("SELECT count(*) || '|' || sum(cents) FROM entry", [], |row| row.get(0)).expect("an answer");
                assert_eq!(found, manifest["reason"].as_str().expect("a reason"), "{id}, {}", file.display());
            }
            fs::remove_file(restored).expect("removed");
            fs::remove_file(rebuilt).expect("removed");
        }
    }
}

/// Makes the fixture's only frame of a role a bomb: a backup whose index, manifest and checksums all agree, and a frame that
/// unpacks to very much more than they say.
fn with_a_bomb(backup: &Path, bomb: &[u8]) {
    let described = fs::read(backup.join("manifest.json")).expect("a manifest");
    let mut manifest: Value = serde_json::from_slice(&described).expect("JSON");
    let component = &mut manifest["components"][0];
    let index = backup.join(component["index"].as_str().expect("a name"));
    let mut bytes = fs::read(&index).expect("an index");
    let number = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four")) as usize;
    let frames = number(&bytes, 28);
    let stored = number(&bytes, 64 + 8);
    // Only the first frame's length in the file changes, and with it where all others begin.
    let grown = (bomb.len() as u64).wrapping_sub(stored as u64);
    bytes[72..76].copy_from_slice(&u32::try_from(bomb.len()).expect("small").to_le_bytes());
    for frame in 1..frames {
        let at = 64 + frame * 32;
        let offset = u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight")).wrapping_add(grown);
        bytes[at..at + 8].copy_from_slice(&offset.to_le_bytes());
    }
    let body = bytes.len() - 32;
    let seal = Sha256::digest(&bytes[..body]);
    bytes[body..].copy_from_slice(&seal);
    fs::write(&index, &bytes).expect("written");
    let file = backup.join(component["file"].as_str().expect("a name"));
    let rest = fs::read(&file).expect("a file").split_off(stored);
    fs::write(&file, [bomb, &rest].concat()).expect("written");
    let hash = |bytes: &[u8]| -> String { Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect() };
    component["index_sha256"] = hash(&bytes).into();
    fs::write(backup.join("manifest.json"), manifest.to_string()).expect("written");
}

#[test]
fn fm_j05_the_script_stops_a_bomb_at_the_size_that_its_index_says() {
    const BOMB_MB: usize = 600;
    const MEMORY_KB: usize = 300_000;
    for (environment, pack) in [("gzip", "gzip -1"), ("zstd", "zstd -q -1")] {
        let fixture = Fixture::new("format-1");
        let backup = fixture.backup(environment);
        let made = Command::new("sh").arg("-c").arg(format!("head -c {BOMB_MB}000000 /dev/zero | {pack}")).output().expect("it runs");
        assert!(made.status.success() && made.stdout.len() < 4_000_000, "{}", said(&made));
        with_a_bomb(&backup, &made.stdout);
        let out = fixture.folder.path().join("out");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/recover");
        // With so little memory it could not hold what the frame unpacks to.
        let limited = format!("ulimit -v {MEMORY_KB} && exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command.arg("-c").arg(limited).arg(script).arg(&backup).arg(&out);
        let output = command.output().expect("python3 runs");
        assert_eq!(output.status.code(), Some(3), "{environment}: {}", said(&output));
        assert!(said(&output).contains("frame 1 of"), "{environment}: {}", said(&output));
        assert!(!out.exists(), "nothing of it is left");
    }
}
