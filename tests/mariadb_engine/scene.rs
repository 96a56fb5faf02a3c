//! What the tests of the MariaDB engine begin with.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use holdfast::engine::mariadb::Mariadb;
use holdfast::engine::{Cut, Dumped, Engine, Outlet, Settings};
use holdfast::error::Result;

use crate::mariadb::server;

pub(crate) fn settings() -> Settings {
    Settings {
        busy_timeout: Duration::from_secs(3),
        stall_timeout: Duration::from_secs(120),
        allow_empty: false,
        lock_tables: false,
        program_dirs: Vec::new(),
        scratch_dir: std::env::temp_dir(),
        cache: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mariadb-cache"),
        scratch_user: None,
        scratch_server: None,
    }
}

pub(crate) fn engine_as(user: &str, database: &str) -> Mariadb {
    Mariadb::parse(&server().url(user, database), None, settings()).expect("a URL")
}

pub(crate) fn engine(database: &str) -> Mariadb {
    engine_as("root", database)
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

pub(crate) fn dump_of(engine: &dyn Engine) -> Result<(Dumped, Vec<u8>)> {
    let mut out = Collected::default();
    let dumped = engine.dump(&mut out)?;
    assert!(out.cut.is_some());
    Ok((dumped, out.bytes))
}

pub(crate) fn simple(name: &str) {
    server().database(
        name,
        "CREATE TABLE t (a int PRIMARY KEY, b varchar(20), KEY (b)); INSERT INTO t SELECT seq, CONCAT('row ', seq) FROM seq_1_to_777; CREATE TABLE u (c text)",
    );
}

/// Looks again and again, for half a minute, whether something has come about.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(30), "not within half a minute: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
