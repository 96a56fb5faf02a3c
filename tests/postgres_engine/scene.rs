//! What the tests of the PostgreSQL engine begin with.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use holdfast::engine::postgres::Postgres;
use holdfast::engine::{Content, Cut, Depth, Dumped, Engine, Kept, Outlet, Settings};
use holdfast::error::Result;

use crate::postgres::{self, server};

pub(crate) fn settings() -> Settings {
    Settings {
        busy_timeout: Duration::from_secs(3),
        stall_timeout: Duration::from_secs(120),
        allow_empty: false,
        lock_tables: false,
        program_dirs: vec![postgres::bin_folder()],
        scratch_dir: std::env::temp_dir(),
        cache: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("postgres-cache"),
        scratch_user: None,
        scratch_server: None,
    }
}

pub(crate) fn engine_as(user: &str, database: &str) -> Postgres {
    Postgres::parse(&server().url(user, database), None, settings()).expect("a URL")
}

pub(crate) fn engine(database: &str) -> Postgres {
    engine_as("postgres", database)
}

/// Keeps all that is dumped.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) bytes: Vec<u8>,
    pub(crate) cut: Option<Cut>,
}

impl Write for Collected {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Outlet for Collected {
    fn begin(&mut self, cut: Cut) -> Result<()> {
        assert!(self.cut.replace(cut).is_none() && self.bytes.is_empty(), "begin comes once, and first");
        Ok(())
    }

    fn spool(&self) -> &std::path::Path {
        std::path::Path::new("/nonexistent")
    }
}

/// Keeps nothing.
pub(crate) struct Null;

impl Write for Null {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Outlet for Null {
    fn spool(&self) -> &std::path::Path {
        std::path::Path::new("/nonexistent")
    }

    fn begin(&mut self, _: Cut) -> Result<()> {
        Ok(())
    }
}

pub(crate) fn dump_of(engine: &dyn Engine) -> Result<(Dumped, Vec<u8>)> {
    let mut out = Collected::default();
    let dumped = engine.dump(&mut out)?;
    assert!(out.cut.is_some());
    Ok((dumped, out.bytes))
}

pub(crate) fn simple(name: &str) {
    server().database(name, "CREATE TABLE t (a integer PRIMARY KEY, b text); INSERT INTO t SELECT g, 'row ' || g FROM generate_series(1, 777) g; CREATE TABLE u (c text)");
}

/// A folder whose pg_dump is this script; the other programs are the real ones.
pub(crate) fn with_fake_pg_dump(script: &str) -> (tempfile::TempDir, Settings) {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("pg_dump");
    let real = server().bin().join("pg_dump");
    let text = format!(
        "#!/bin/sh\ncase \"$1\" in --version) echo 'pg_dump (PostgreSQL) 15.99'; exit;; esac\nreal() {{ {} \"$@\"; }}\n{script}\n",
        real.display()
    );
    std::fs::write(&path, text).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    let settings = Settings { program_dirs: vec![folder.path().to_owned(), server().bin().to_owned()], ..settings() };
    (folder, settings)
}

pub(crate) fn restore(name: &str, dumped: &Dumped, bytes: &[u8], id: &str) -> Kept {
    let engine = engine(name);
    let mut beside = engine.beside(Some(&dumped.database), id).expect("a database beside");
    beside.load(Content::PostgresSql, &mut &bytes[..]).expect("a load");
    assert_eq!(dumped.fingerprint.differences(&beside.loaded().fingerprint(Depth::Rows).expect("a fingerprint")), Vec::<String>::new());
    beside.swap().expect("a swap")
}

pub(crate) fn around(name: &str) -> String {
    server().sql(
        "postgres",
        &format!(
            "SELECT pg_get_userbyid(datdba), datconnlimit, datallowconn, datacl::text, shobj_description(oid, 'pg_database'), \
             (SELECT string_agg(setrole::text || setconfig::text, ';' ORDER BY setrole) FROM pg_db_role_setting WHERE setdatabase = d.oid) \
             FROM pg_database d WHERE datname = '{name}'"
        ),
    )
}

/// A process of its own that runs one ignored test of this binary: to be killed, or to have ended.
pub(crate) fn another_process(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("our path"));
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command
}

/// A process that goes by kill -9.
pub(crate) struct Run(pub(crate) Child);

impl Drop for Run {
    fn drop(&mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("reaped");
    }
}

/// A client that has said this and stays connected.
pub(crate) fn client(database: &str, sql: &str) -> Run {
    talk(&mut server().command("psql", "postgres", database), sql)
}

/// The same, of another user.
pub(crate) fn talk(psql: &mut Command, sql: &str) -> Run {
    let call = psql.args(["-X", "-q"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = call.spawn().expect("psql");
    child.stdin.as_mut().expect("a pipe").write_all(format!("{sql}\n").as_bytes()).expect("said");
    Run(child)
}

/// The command line of a person's shell; whether it went well, and what it printed.
pub(crate) fn paste(line: &str) -> (bool, String) {
    let output = Command::new("sh").args(["-c", line]).output().expect("a shell");
    (output.status.success(), String::from_utf8_lossy(&output.stdout).trim_end().to_owned() + &String::from_utf8_lossy(&output.stderr))
}

/// Looks again and again, for half a minute, whether something has come about.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(30), "not within half a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
