//! Scenarios of the real binaries against a real PostgreSQL server: the scripts in `tests/postgres_scenarios/`.
//!
//! Each runs in an empty folder, with a database name, a state directory and a store of its own, on one private server.
//! `SCENARIO=word cargo test --test postgres_scenarios` runs those whose name holds the word.

#![allow(clippy::print_stderr)] // how long each took is said

#[allow(dead_code)] // what other test binaries ask of it
#[path = "support/postgres.rs"]
mod postgres;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use postgres::server;

/// A scenario that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(150);
/// Most of a scenario is waiting for other processes, so more run at once than there are cores.
const AT_ONCE: usize = 4;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres_scenarios")
}

fn scenarios() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .expect("the scenarios' folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .filter(|name| name.ends_with(".sh") && !["lib.sh", "story.sh"].contains(&name.as_str()))
        .collect();
    names.sort();
    names
}

/// Runs one script to its end, at most [`LONGEST`]; what went wrong, if anything did.
fn play(number: usize, name: &str) -> Result<(), String> {
    let place = tempfile::Builder::new().prefix("hf-").tempdir_in("/tmp").expect("a folder");
    // A private server that runs as another user lives below.
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o711)).expect("a mode");
    let url = server().url("postgres", "x");
    let socket = url.split_once("host=").and_then(|(_, rest)| rest.split_once('&')).expect("a socket").0;
    let binaries = Path::new(env!("CARGO_BIN_EXE_backup-db")).parent().expect("a folder");
    let said = std::fs::File::create(place.path().join("said")).expect("a file");
    let mut command = Command::new("sh");
    command
        .arg(folder().join(name))
        .current_dir(place.path())
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", binaries.display()))
        .env("HOME", place.path().join("home"))
        .env("TMPDIR", place.path().join("tmp"))
        .env("HOLDFAST_STATE_DIR", place.path().join("state"))
        .env("STORY", folder().join("story.sh"))
        .env("WORDS", folder().join("lib.sh"))
        .env("DB", format!("s{number}"))
        .env("SERVER_PROGRAMS", server().bin())
        .env("SERVER_SOCKET", socket)
        .envs(std::env::var_os("HOLDFAST_SOAK").map(|value| ("HOLDFAST_SOAK", value)))
        .stdin(Stdio::null())
        .stdout(said.try_clone().expect("a file"))
        .stderr(said)
        .process_group(0);
    let longest = if std::env::var_os("HOLDFAST_SOAK").is_some() { LONGEST * 60 } else { LONGEST };
    let start = Instant::now();
    let mut child = command.spawn().expect("sh");
    let status = loop {
        if let Some(status) = child.try_wait().expect("a status") {
            break Some(status);
        }
        if start.elapsed() > longest {
            break None;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    // Whatever the script left in the background ends with it.
    let _ = killpg(Pid::from_raw(i32::try_from(child.id()).expect("a pid")), Signal::SIGKILL);
    let _ = child.wait();
    let text = String::from_utf8_lossy(&std::fs::read(place.path().join("said")).expect("what it said")).into_owned();
    eprintln!("{:6.1} s  {name}", start.elapsed().as_secs_f64());
    for line in text.lines().filter(|line| line.starts_with("note: ") || line.starts_with("NOT RUN: ")) {
        eprintln!("          {line}");
    }
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("{name}: {status}\n{text}")),
        None => Err(format!("{name}: still running after {} s\n{text}", longest.as_secs())),
    }
}

#[test]
fn every_scenario_holds() {
    let wanted = std::env::var("SCENARIO").unwrap_or_default();
    let mut queue: Vec<(usize, String)> = scenarios().into_iter().enumerate().filter(|(_, name)| name.contains(&wanted)).collect();
    assert!(!queue.is_empty(), "no scenario's name holds {wanted:?}");
    // Whoever is in this role has to give a password.
    let data = Path::new(&server().sql("postgres", "SHOW hba_file")).to_owned();
    let hba = std::fs::read_to_string(&data).expect("pg_hba.conf");
    std::fs::write(&data, format!("local all +scram_only scram-sha-256\n{hba}")).expect("pg_hba.conf");
    server().sql("postgres", "CREATE ROLE scram_only; SELECT pg_reload_conf()");

    queue.reverse();
    let (queue, failures) = (Mutex::new(queue), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("the queue").pop();
                    let Some((number, name)) = next else { return };
                    if let Err(why) = play(number, &name) {
                        failures.lock().expect("the failures").push(why);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("the failures");
    assert!(failures.is_empty(), "{} scenarios do not hold\n\n{}", failures.len(), failures.join("\n"));
}
