//! Scenarios of the real binaries that any engine's databases can be in: the scripts in `tests/engine_scenarios/`.
//!
//! Each is written once and runs for every engine, whose words (`make_ledger`, `picture`, `sql` …) are in `words/`. A line
//! `# engines: mariadb; WHY` in a scenario says that it is for some only. Each run has an empty folder, a database name, a
//! state directory and a store of its own; each engine that has servers has one private server.
//!
//! `SCENARIO=word cargo test --test engine_scenarios mariadb` runs those whose name holds the word, on MariaDB.

#![allow(clippy::print_stderr)] // how long each took is said

#[allow(dead_code)] // what other test binaries ask of it
#[path = "support/mariadb.rs"]
mod mariadb;
#[allow(dead_code)]
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

/// A scenario that takes longer hangs.
const LONGEST: Duration = Duration::from_secs(300);
/// Most of a scenario is waiting for other processes, so more run at once than there are cores.
const AT_ONCE: usize = 4;
/// More failures than these are not the load's.
const FLAKY_MAX: usize = 2;
/// The numbers of databases begin here when a scenario is played a second time.
const SECOND_TIME: usize = 1000;
/// The engines that have words.
const ENGINES: [&str; 3] = ["postgres", "mariadb", "sqlite"];

/// An engine that scenarios run on, and its server where it has one.
struct Stage {
    engine: &'static str,
    programs: PathBuf,
    socket: PathBuf,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine_scenarios")
}

/// The engines that a scenario is for: all, where it does not say.
fn engines(name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder().join(name)).expect("a scenario");
    let Some(line) = text.lines().find_map(|line| line.strip_prefix("# engines: ")) else {
        return ENGINES.map(str::to_owned).to_vec();
    };
    let (engines, why) = line.split_once("; ").unwrap_or((line, ""));
    let engines: Vec<String> = engines.split(' ').map(str::to_owned).collect();
    assert!(engines.iter().all(|engine| ENGINES.contains(&engine.as_str())), "{name}: {line}: an engine that is not known");
    assert!(!why.is_empty(), "{name}: {line}: it does not say why");
    engines
}

/// The scenarios for an engine, each with its number among all.
fn scenarios(engine: &str) -> Vec<(usize, String)> {
    let mut names: Vec<String> = std::fs::read_dir(folder())
        .expect("the scenarios' folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .filter(|name| name.ends_with(".sh") && name != "story.sh")
        .collect();
    names.sort();
    let wanted = std::env::var("SCENARIO").unwrap_or_default();
    assert!(names.iter().any(|name| name.contains(&wanted)), "no scenario's name holds {wanted:?}");
    names
        .into_iter()
        .enumerate()
        .filter(|(_, name)| name.contains(&wanted) && engines(name).iter().any(|for_it| for_it == engine))
        .collect()
}

/// Runs one script to its end, at most [`LONGEST`]; what went wrong, if anything did.
fn play(stage: &Stage, number: usize, name: &str) -> Result<(), String> {
    let place = tempfile::Builder::new().prefix("hf-").tempdir_in("/tmp").expect("a folder");
    // A private server that runs as another user lives below.
    std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o711)).expect("a mode");
    // What a private server begins with is made once: it takes longer than many a scenario.
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scenario-cache");
    std::fs::create_dir_all(&cache).expect("a folder");
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::create_dir(place.path().join("state")).expect("a folder");
    std::fs::set_permissions(place.path().join("state"), private.clone()).expect("a mode");
    std::fs::set_permissions(&cache, private).expect("a mode");
    std::os::unix::fs::symlink(&cache, place.path().join("state/cache")).expect("a link");
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
        .env("WORDS", folder().join(format!("words/{}.sh", stage.engine)))
        .env("DB", format!("s{number}"))
        .env("SERVER_PROGRAMS", &stage.programs)
        .env("SERVER_SOCKET", &stage.socket)
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
    eprintln!("{:6.1} s  {}: {name}", start.elapsed().as_secs_f64(), stage.engine);
    for line in text.lines().filter(|line| line.starts_with("note: ") || line.starts_with("NOT RUN: ")) {
        eprintln!("          {line}");
    }
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(format!("{}: {name}: {status}\n{text}", stage.engine)),
        None => Err(format!("{}: {name}: still running after {} s\n{text}", stage.engine, longest.as_secs())),
    }
}

/// What of the failures is left when each is played a second time with the machine to itself. One that holds then is shown all
/// the same: either the script trusts in how fast the machine is, or the tools do.
///
/// A soak has no second time, and where many fail it is not for the load.
fn again_alone(stage: &Stage, failures: Vec<(usize, String, String)>) -> Vec<String> {
    let is_for_load = failures.len() <= FLAKY_MAX && std::env::var_os("HOLDFAST_SOAK").is_none();
    let mut left = Vec::new();
    for (number, name, first) in failures {
        if !is_for_load {
            left.push(first);
            continue;
        }
        match play(stage, SECOND_TIME + number, &name) {
            Ok(()) => eprintln!("FLAKY: it held only when it was played alone\n{first}"),
            Err(second) => left.push(format!("{first}\nand once more, alone:\n{second}")),
        }
    }
    left
}

fn play_all(stage: &Stage, mut queue: Vec<(usize, String)>) {
    queue.reverse();
    let (queue, failures) = (Mutex::new(queue), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("the queue").pop();
                    let Some((number, name)) = next else { return };
                    if let Err(why) = play(stage, number, &name) {
                        failures.lock().expect("the failures").push((number, name, why));
                    }
                }
            });
        }
    });
    let failures = again_alone(stage, failures.into_inner().expect("the failures"));
    assert!(failures.is_empty(), "{} scenarios do not hold\n\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_scenario_holds_on_postgres() {
    let queue = scenarios("postgres");
    if queue.is_empty() {
        return;
    }
    let server = postgres::server();
    // Whoever is in this role has to give a password.
    let data = Path::new(&server.sql("postgres", "SHOW hba_file")).to_owned();
    let hba = std::fs::read_to_string(&data).expect("pg_hba.conf");
    std::fs::write(&data, format!("local all +scram_only scram-sha-256\n{hba}")).expect("pg_hba.conf");
    server.sql("postgres", "CREATE ROLE scram_only; SELECT pg_reload_conf()");
    let url = server.url("postgres", "x");
    let socket = url.split_once("host=").and_then(|(_, rest)| rest.split_once('&')).expect("a socket").0;
    play_all(&Stage { engine: "postgres", programs: server.bin().to_owned(), socket: socket.into() }, queue);
}

#[test]
fn every_scenario_holds_on_mariadb() {
    let queue = scenarios("mariadb");
    if queue.is_empty() {
        return;
    }
    let server = mariadb::server();
    // Events run by themselves, as on a server that somebody uses.
    server.sql("mysql", "SET GLOBAL event_scheduler = ON");
    let programs = mariadb::program("mariadb-dump").parent().expect("a folder").to_owned();
    play_all(&Stage { engine: "mariadb", programs, socket: server.socket() }, queue);
}

#[test]
fn every_scenario_holds_on_sqlite() {
    let queue = scenarios("sqlite");
    if queue.is_empty() {
        return;
    }
    play_all(&Stage { engine: "sqlite", programs: PathBuf::new(), socket: PathBuf::new() }, queue);
}
