//! Attempts to make the toolkit lose data, lie, or go round a protection; each was once a way that worked.

#[allow(dead_code)]
#[path = "support/postgres.rs"]
mod postgres;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rusqlite::Connection;

/// A folder with a state directory of its own.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn database(&self, name: &str, rows: i64) -> PathBuf {
        let path = self.path(name);
        let connection = Connection::open(&path).expect("a database");
        connection.execute_batch("CREATE TABLE entry(id INTEGER PRIMARY KEY)").expect("a table");
        for row in 0..rows {
            connection.execute("INSERT INTO entry VALUES (?)", [row]).expect("a row");
        }
        path
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("written");
    }

    fn run_in(&self, folder: &str, program: &str, args: &[&str]) -> Output {
        let program = match program {
            "backup-db" => env!("CARGO_BIN_EXE_backup-db"),
            "restore-db" => env!("CARGO_BIN_EXE_restore-db"),
            other => {
                assert_eq!(other, "backup-guard");
                env!("CARGO_BIN_EXE_backup-guard")
            }
        };
        Command::new(program)
            .args(args)
            .current_dir(self.path(folder))
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOLDFAST_STATE_DIR", self.path("state"))
            .stdin(std::process::Stdio::null())
            .output()
            .expect("it runs")
    }

    fn run(&self, program: &str, args: &[&str]) -> Output {
        self.run_in(".", program, args)
    }

    /// Runs `backup-db` and gives the id and the folder that it prints.
    fn back_up(&self, args: &[&str]) -> (String, PathBuf) {
        let output = self.run("backup-db", args);
        assert_eq!(status(&output), 0, "{}", stderr(&output));
        let line = String::from_utf8(output.stdout).expect("text");
        let (id, folder) = line.trim_end().split_once('\t').expect("an id and a folder");
        (id.to_owned(), folder.into())
    }
}

fn status(output: &Output) -> i32 {
    output.status.code().expect("it was not killed")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn rows(path: &Path) -> i64 {
    Connection::open(path).expect("open").query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).expect("a count")
}

/// Changes a backup's manifest and makes `SHA256SUMS` agree.
fn rewrite_manifest(folder: &Path, change: impl FnOnce(&mut serde_json::Value)) {
    use sha2::{Digest, Sha256};
    let path = folder.join("manifest.json");
    let mut manifest = serde_json::from_slice(&fs::read(&path).expect("a manifest")).expect("JSON");
    change(&mut manifest);
    let bytes = serde_json::to_vec(&manifest).expect("JSON");
    let hash = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    fs::write(&path, bytes).expect("written");
    let sums = folder.join("SHA256SUMS");
    let text: String = fs::read_to_string(&sums)
        .expect("sums")
        .lines()
        .map(|line| if line.ends_with("  manifest.json") { format!("{hash}  manifest.json\n") } else { format!("{line}\n") })
        .collect();
    fs::write(&sums, text).expect("written");
}

#[test]
fn a_backup_that_lost_its_modes_or_met_a_stranger_restores_and_the_guard_says_so() {
    let place = Place::new();
    let app = place.database("app.db", 3);
    let (_, folder) = place.back_up(&["app.db"]);
    for entry in fs::read_dir(&folder).expect("a list") {
        fs::set_permissions(entry.expect("an entry").path(), fs::Permissions::from_mode(0o644)).expect("as a FAT disk would");
    }
    fs::write(folder.join(".DS_Store"), "").expect("as the Finder would");
    Connection::open(&app).expect("open").execute_batch("DELETE FROM entry").expect("a mishap");
    let guard = place.run("backup-guard", &["-q"]);
    assert_eq!(status(&guard), 3);
    let told = String::from_utf8_lossy(&guard.stdout).into_owned();
    assert!(told.contains("mode 0644") && told.contains(".DS_Store does not belong"), "{told}");
    let restored = place.run("restore-db", &["latest"]);
    assert_eq!(status(&restored), 0, "{}", stderr(&restored));
    assert_eq!(rows(&app), 3);
}

#[test]
fn a_quick_look_does_not_clear_a_damaged_backup() {
    let place = Place::new();
    place.database("app.db", 3);
    let (_, _) = place.back_up(&["app.db"]);
    let (id, folder) = place.back_up(&["app.db"]);
    let file = folder.join("database.sqlite.gz");
    let mut bytes = fs::read(&file).expect("a component");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).expect("one bit");
    assert_eq!(status(&place.run("backup-guard", &["--verify", "structure"])), 3);
    let output = place.run("backup-guard", &["--verify", "quick", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let newest = report.to_string();
    assert!(!newest.contains(&format!("\"id\":\"{id}\"")), "the damaged one is not the newest good one: {newest}");
}

#[test]
fn a_backup_dated_in_the_future_does_not_hide_missed_runs() {
    let place = Place::new();
    place.database("app.db", 3);
    let (_, folder) = place.back_up(&["app.db"]);
    let id = "20990101T000000Z-dev-db-abcd";
    rewrite_manifest(&folder, |manifest| {
        manifest["id"] = id.into();
        manifest["created_at"] = "2099-01-01T00:00:00.000Z".into();
        manifest["finished_at"] = "2099-01-01T00:00:00.000Z".into();
    });
    fs::rename(&folder, folder.with_file_name(id)).expect("renamed");
    fs::remove_dir_all(place.path("state/known")).expect("forgotten");
    let output = place.run("backup-guard", &["--max-age", "1h"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(status(&output), 3, "{told}");
    assert!(told.contains("its age cannot be told"), "{told}");
}

#[test]
fn a_file_of_a_live_database_is_not_taken_for_all_of_it() {
    let place = Place::new();
    let path = place.path("live.db");
    let connection = Connection::open(&path).expect("a database");
    connection.query_row("PRAGMA journal_mode = wal", [], |_| Ok(())).expect("a mode");
    connection.execute_batch("CREATE TABLE entry(id INTEGER PRIMARY KEY); PRAGMA wal_checkpoint(TRUNCATE)").expect("a table");
    connection.execute_batch("INSERT INTO entry VALUES (1), (2)").expect("rows that stand in the log only");
    let output = place.run("restore-db", &["-f", "live.db", "--to", "sqlite:copy.db"]);
    assert_eq!(status(&output), 4, "{}", stderr(&output));
    assert!(stderr(&output).contains("live.db-wal belongs to it"), "{}", stderr(&output));
    assert!(!place.path("copy.db").exists());
}

#[test]
fn a_dump_cannot_reach_another_database() {
    let place = Place::new();
    let victim = place.database("victim.db", 2);
    let text = format!(
        "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE a(b);\nCOMMIT;\nATTACH '{}' AS v;\nDROP TABLE v.entry;\nBEGIN;\nCOMMIT;\n",
        victim.display()
    );
    place.write("evil.sql", &text);
    let output = place.run("restore-db", &["-f", "evil.sql", "--to", "sqlite:new.db"]);
    assert_eq!(status(&output), 1, "{}", stderr(&output));
    assert_eq!(rows(&victim), 2);
    assert!(!place.path("new.db").exists());
}

#[test]
fn a_restart_command_that_leaves_a_daemon_behind_ends() {
    let place = Place::new();
    place.database("app.db", 1);
    place.write("holdfast.toml", "[env.dev]\ndatabase = \"sqlite:app.db\"\nrestart = [\"/bin/sh\", \"-c\", \"sleep 20 & echo started\"]\n");
    place.back_up(&[]);
    let start = std::time::Instant::now();
    let output = place.run("restore-db", &["latest"]);
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    assert!(start.elapsed() < std::time::Duration::from_secs(10));
}

/// Two environments whose databases are files; prod is protected.
fn two_environments(place: &Place, more: &str) {
    place.database("prod.db", 5);
    place.database("dev.db", 1);
    place.database("test.db", 1);
    place.write(
        "holdfast.toml",
        &format!(
            "[env.prod]\ndatabase = \"sqlite:prod.db\"\nprotected = true\n{more}[env.dev]\ndatabase = \"sqlite:dev.db\"\n[env.test]\ndatabase = \"sqlite:test.db\"\n"
        ),
    );
}

#[test]
fn a_protected_database_is_known_under_every_name() {
    let place = Place::new();
    two_environments(&place, "");
    let prod = place.path("prod.db");
    place.back_up(&["-e", "dev"]);
    place.back_up(&["-e", "prod"]);
    fs::hard_link(&prod, place.path("hard.db")).expect("a link");
    std::os::unix::fs::symlink(&prod, place.path("soft.db")).expect("a link");
    for name in ["hard.db", "soft.db", "./prod.db"] {
        let target = format!("sqlite:{name}");
        let wrong = place.run("restore-db", &["-e", "dev", "latest", "--to", &target]);
        assert_eq!(status(&wrong), 4, "{name}: {}", stderr(&wrong));
        let unconfirmed = place.run("restore-db", &["-e", "prod", "latest", "--to", &target]);
        assert_eq!(status(&unconfirmed), 4, "{name}: {}", stderr(&unconfirmed));
        assert_eq!(rows(&prod), 5);
    }
}

#[test]
fn a_protection_does_not_end_with_a_broken_configuration_or_without_one() {
    let place = Place::new();
    two_environments(&place, "");
    let (id, folder) = place.back_up(&["-e", "prod"]);
    Connection::open(place.path("prod.db")).expect("open").execute_batch("DELETE FROM entry").expect("a change");
    let store = place.path("backups");
    let outside = tempfile::tempdir().expect("a folder no configuration is above");
    let elsewhere = outside.path().to_str().expect("text");
    let none = place.run_in(elsewhere, "restore-db", &["--store", store.to_str().expect("text"), &id]);
    assert_eq!(status(&none), 4, "{}", stderr(&none));
    assert!(stderr(&none).contains("--config"), "{}", stderr(&none));
    let by_folder = place.run_in(elsewhere, "restore-db", &["--no-safety-backup", folder.to_str().expect("text")]);
    assert_eq!(status(&by_folder), 4, "{}", stderr(&by_folder));
    let config = fs::read_to_string(place.path("holdfast.toml")).expect("a configuration");
    place.write("holdfast.toml", &config.replace("protected = true\n", "protected = true\npassword_file = \"gone\"\n"));
    let broken = place.run("restore-db", &[&id]);
    assert_ne!(status(&broken), 0);
    assert!(stderr(&broken).contains("gone"), "{}", stderr(&broken));
    assert_eq!(rows(&place.path("prod.db")), 0);
    // The others can be restored all the same.
    place.back_up(&["-e", "dev"]);
    let own = place.run("restore-db", &["-e", "dev", "latest"]);
    assert_eq!(status(&own), 0, "{}", stderr(&own));
}

#[test]
fn a_folder_from_elsewhere_does_not_choose_its_target() {
    let place = Place::new();
    let victim = place.database("victim.db", 5);
    place.database("app.db", 1);
    let (_, folder) = place.back_up(&["app.db"]);
    let evil = place.path("evil");
    fs::rename(&folder, &evil).expect("handed over");
    rewrite_manifest(&evil, |manifest| {
        manifest["database"]["location"] = format!("sqlite:{}", victim.display()).into();
        manifest["database"]["name"] = "victim.db".into();
    });
    let output = place.run("restore-db", &["--no-safety-backup", "./evil"]);
    assert_eq!(status(&output), 4, "{}", stderr(&output));
    assert_eq!(rows(&victim), 5);
    let named = place.run("restore-db", &["--to", "sqlite:new.db", "./evil"]);
    assert_eq!(status(&named), 0, "{}", stderr(&named));
}

#[test]
fn a_protected_server_database_is_known_as_another_user_and_through_another_path() {
    let place = Place::new();
    let server = postgres::server();
    for sql in [
        "CREATE ROLE attack_plain LOGIN CREATEDB",
        "CREATE DATABASE attack_prod OWNER attack_plain",
        "CREATE DATABASE attack_dev OWNER attack_plain",
    ] {
        assert!(server.psql("postgres", "postgres", sql).0, "{sql}");
    }
    for database in ["attack_prod", "attack_dev"] {
        assert!(server.psql("attack_plain", database, "CREATE TABLE entry(id int); INSERT INTO entry VALUES (1), (2)").0);
    }
    let (prod, dev) = (server.url("postgres", "attack_prod"), server.url("postgres", "attack_dev"));
    place.write("holdfast.toml", &format!("[env.prod]\ndatabase = \"{prod}\"\nprotected = true\n[env.dev]\ndatabase = \"{dev}\"\n"));
    place.back_up(&["-e", "dev"]);
    place.back_up(&["-e", "prod"]);
    let folder = prod.split("host=").nth(1).and_then(|rest| rest.split('&').next()).expect("a folder");
    std::os::unix::fs::symlink(folder, place.path("s")).expect("a link");
    let through_link = prod.replace(folder, place.path("s").to_str().expect("text"));
    for (flag, value) in [
        ("--to", server.url("attack_plain", "attack_prod").as_str()),
        ("--to", &through_link),
        ("-u", "attack_plain"),
        ("-d", "attack_prod"),
    ] {
        let environment = if flag == "-d" { "dev" } else { "prod" };
        let output = place.run("restore-db", &["-e", environment, "latest", flag, value, "--no-safety-backup"]);
        assert_eq!(status(&output), 4, "{flag} {value}: {}", stderr(&output));
    }
}

#[test]
fn what_is_written_while_the_old_database_is_kept_is_not_lost() {
    let place = Place::new();
    let path = place.path("app.db");
    let connection = Connection::open(&path).expect("a database");
    connection.query_row("PRAGMA journal_mode = wal", [], |_| Ok(())).expect("a mode");
    connection.execute_batch("CREATE TABLE entry(id INTEGER PRIMARY KEY)").expect("a table");
    place.back_up(&["app.db"]);
    connection.execute_batch("CREATE TABLE ballast(x); INSERT INTO ballast VALUES (zeroblob(60000000))").expect("slow to copy");
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writer = std::thread::spawn({
        let (stop, path) = (stop.clone(), path.clone());
        move || {
            let connection = Connection::open(path).expect("open");
            connection.busy_timeout(std::time::Duration::from_secs(30)).expect("a wait");
            let mut written = 0;
            while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                // Ends when the swap has taken its mark away.
                if connection.query_row("SELECT count(*) FROM ballast", [], |_| Ok(())).is_err() {
                    break;
                }
                if connection.execute("INSERT INTO ballast VALUES ('late')", []).is_err() {
                    break;
                }
                written += 1;
            }
            written
        }
    });
    let output = place.run("restore-db", &["latest", "--no-safety-backup"]);
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let written: i64 = writer.join().expect("it ends");
    assert_eq!(status(&output), 0, "{}", stderr(&output));
    let aside = fs::read_dir(place.path("."))
        .expect("a list")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.display().to_string().contains(".before-"))
        .expect("kept aside");
    let kept: i64 = Connection::open(aside).expect("open").query_row("SELECT count(*) FROM ballast", [], |row| row.get(0)).expect("rows");
    // One more than the rows, the ballast itself; and one commit may fall between two locks.
    assert!(kept >= written, "{written} rows were committed, {} kept", kept - 1);
}

#[test]
fn after_a_restore_killed_at_any_step_undo_works() {
    let place = Place::new();
    let app = place.database("app.db", 1);
    place.back_up(&["app.db"]);
    Connection::open(&app).expect("open").execute_batch("INSERT INTO entry VALUES (100)").expect("a change");
    assert_eq!(status(&place.run("restore-db", &["latest", "--no-safety-backup"])), 0);
    assert_eq!(rows(&app), 1);
    let saved = tempfile::tempdir().expect("a folder");
    let copy = |from: &Path, to: &Path| {
        assert!(Command::new("/bin/cp").arg("-a").arg(from.join(".")).arg(to).status().expect("cp").success());
    };
    copy(place.0.path(), saved.path());
    for step in 1..200 {
        for entry in fs::read_dir(place.0.path()).expect("a list") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }.expect("emptied");
        }
        copy(saved.path(), place.0.path());
        let killed = Command::new(env!("CARGO_BIN_EXE_restore-db"))
            .args(["latest", "--no-safety-backup", "-q"])
            .current_dir(place.0.path())
            .env("HOLDFAST_STATE_DIR", place.path("state"))
            .env("HOLDFAST_TEST_STOP_AT", step.to_string())
            .output()
            .expect("it runs");
        assert_eq!(rows(&app), 1, "step {step}");
        let undone = place.run("restore-db", &["--undo"]);
        assert_eq!(status(&undone), 0, "step {step}: {}", stderr(&undone));
        assert!(matches!(rows(&app), 1 | 2), "step {step}");
        if killed.status.code() == Some(0) {
            assert!(step > 10, "{step}");
            return;
        }
    }
    panic!("it never came to its end");
}
