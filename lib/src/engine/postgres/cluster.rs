//! A private server: a data directory of its own, reachable by a socket in a private folder and nothing else.

mod detach;

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::programs;
use super::scratch::no_server_programs;
use crate::engine::Settings;
use crate::engine::private::{READY_WAIT, folder, run_as, template};
use crate::error::{Error, OnPath, Result};
use crate::exec::{Call, Child, RunAs};
use crate::interrupt;

/// Durability off: what it holds is thrown away. Every table may be locked at once by a dump.
const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", ""),
    ("port", "5432"),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
    ("autovacuum", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("max_wal_size", "4GB"),
    ("shared_buffers", "128MB"),
    // As many as a server has that nobody has set up: tests run in parallel.
    ("max_connections", "100"),
    ("max_prepared_transactions", "20"),
    ("max_locks_per_transaction", "1024"),
    // In the folder too: what is in /dev/shm outlives a server that was killed.
    ("dynamic_shared_memory_type", "mmap"),
    ("jit", "off"),
    ("log_min_messages", "fatal"),
    ("log_statement", "none"),
];

/// A running private server. Dropped, it is stopped and its folder removed; in this order, which the fields' order gives.
pub(super) struct Cluster {
    server: Child,
    folder: TempDir,
    _alive: File,
    program: PathBuf,
    user: Option<RunAs>,
}

impl Cluster {
    /// Starts one of the origin's major version where that is installed, else of the next newer.
    pub(super) fn start(settings: &Settings, origin_version: Option<&str>, superuser: &str) -> Result<Self> {
        let needed = origin_version.and_then(programs::read_version).map_or(0, |(version, _)| programs::major(version));
        let initdb = programs::at_least("initdb", &settings.program_dirs, needed).ok_or_else(|| no_server_programs(needed))?;
        let program = programs::beside(&initdb.path, "postgres").ok_or_else(|| no_server_programs(needed))?;
        let user = run_as(settings, "PostgreSQL", &["postgres", "nobody"])?;
        let folder = folder::create(user)?;
        folder::sweep(folder.path(), user);
        let alive = folder::hold(folder.path())?;
        let data = folder.path().join("data");
        let fresh = template::ready(settings, &format!("postgres-{}", initdb.text), user, |folder| {
            let call = Call::new(&initdb.path).arg("-D").arg(folder.join("data"));
            let call = call.args(["--username", superuser, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]);
            call.run_as(user).dir(folder).silence_max(READY_WAIT * 2).run().map(|_| ())
        })?;
        template::copy_tree(&fresh, &data, user)?;
        configure(&data, folder.path())?;
        let call = Call::new(&program).arg("-D").arg(&data);
        let server = call.run_as(user).dir(folder.path()).stop_signal(Signal::SIGQUIT).background()?;
        wait_until_ready(&server, &data)?;
        Ok(Cluster { server, folder, _alive: alive, program, user })
    }

    /// The folder of its socket, which is all that leads to it.
    pub(super) fn socket_folder(&self) -> String {
        self.folder.path().display().to_string()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

/// Writes the settings into the data directory, where whoever starts the server later finds them too.
fn configure(data: &Path, socket_folder: &Path) -> Result<()> {
    let path = data.join("postgresql.conf");
    let folder = socket_folder.display().to_string();
    let settings = SETTINGS.iter().copied().chain([("unix_socket_directories", folder.as_str())]);
    let text: String = settings.map(|(name, value)| format!("{name} = '{}'\n", value.replace('\'', "''"))).collect();
    let written = OpenOptions::new().append(true).open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.on("write", &path)
}

/// The server itself says when it is ready, in the last line of its pid file.
fn wait_until_ready(server: &Child, data: &Path) -> Result<()> {
    let start = Instant::now();
    let pid_file = data.join("postmaster.pid");
    loop {
        interrupt::check()?;
        if fs::read_to_string(&pid_file).is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready")) {
            return Ok(());
        }
        if !server.is_running() || start.elapsed() > READY_WAIT {
            let said = server.stderr_tail();
            let last = said.lines().rev().find(|line| line.contains("FATAL") || line.contains("ERROR")).or(said.lines().last());
            return Err(Error::failed(format!("the private PostgreSQL server did not start: {}", last.unwrap_or("it said nothing"))));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
