//! A private server: a data directory of its own, reachable by a socket in a private folder and nothing else.

mod detach;

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::programs::{self, Flavour, Program, Tool};
use crate::engine::Settings;
use crate::engine::private::{READY_WAIT, folder, run_as, template};
use crate::error::{Error, Result};
use crate::exec::{self, Call, Child, RunAs};
use crate::manifest::Database;
use crate::{fsx, interrupt};

/// The administrator of a private server, who needs no password: whoever is let into the folder is trusted.
pub(super) const SUPERUSER: &str = "root";
/// Its socket, in the private folder.
const SOCKET: &str = "mariadb.sock";
/// What a server reads before it starts, in the private folder too.
const OPTIONS: &str = "my.cnf";
/// Where it writes its number: in the data directory, by which a later run finds a server that outlived its own.
const PID_FILE: &str = "mariadbd.pid";
/// Where it keeps its own temporary files, and the only place where a statement may make or read one.
const SPOOL: &str = "tmp";

/// Durability off: what it holds is thrown away. What one of the two families does not know begins with `loose-`.
const SETTINGS: &[(&str, &str)] = &[
    ("skip-networking", "1"),
    ("skip-name-resolve", "1"),
    ("skip-log-bin", "1"),
    ("loose-mysqlx", "0"),
    ("innodb-flush-log-at-trx-commit", "0"),
    ("innodb-flush-method", "nosync"),
    ("innodb-doublewrite", "0"),
    // A small log makes a load wait for its pages to be written.
    ("innodb-log-file-size", "256M"),
    ("innodb-buffer-pool-size", "256M"),
    ("innodb-buffer-pool-load-at-startup", "0"),
    ("innodb-buffer-pool-dump-at-shutdown", "0"),
    ("innodb-fast-shutdown", "2"),
    ("performance-schema", "0"),
    // A dump's single row may be as large as the programs allow.
    ("max-allowed-packet", "1G"),
    ("character-set-server", "utf8mb4"),
    ("local-infile", "0"),
    // Events are loaded, and never run.
    ("event-scheduler", "OFF"),
];

/// A running private server. Dropped, it is stopped and its folder removed; in this order, which the fields' order gives.
pub(super) struct Cluster {
    server: Child,
    folder: TempDir,
    _alive: File,
    program: Program,
    user: Option<RunAs>,
}

impl Cluster {
    /// Starts one of the origin's family where that is installed, else of the other.
    pub(super) fn start(settings: &Settings, origin: Option<&Database>) -> Result<Self> {
        let flavour = origin.map_or(Flavour::Mariadb, |origin| programs::flavour_of_server(&origin.server_version));
        let program = programs::for_server(Tool::Server, &settings.program_dirs, flavour).map_err(|_| no_server_program(flavour))?;
        if program.flavour != flavour {
            tracing::warn!("the backup is of {}, and is loaded into {}, the only server here", flavour.name(), program.flavour.name());
        }
        let user = run_as(settings, flavour.name(), &["mysql", "nobody"])?;
        let folder = folder::create(user)?;
        folder::sweep(folder.path(), user);
        let alive = folder::hold(folder.path())?;
        let name = format!("{}-{}", program.flavour.scheme(), program.text);
        let fresh = template::ready(settings, &name, user, |folder| make(&program, user, folder))?;
        template::copy_tree(&fresh, &folder.path().join("data"), user)?;
        fs::create_dir(folder.path().join(SPOOL)).map_err(|error| Error::from_io("cannot create a folder", error))?;
        folder::own(&folder.path().join(SPOOL), user)?;
        write_options(folder.path(), user, folds_names(origin))?;
        let server = call(&program, folder.path()).run_as(user).dir(folder.path()).stop_signal(Signal::SIGKILL).background()?;
        wait_until_ready(&folder.path().join(SOCKET), || server.is_running(), || server.stderr_tail())?;
        Ok(Cluster { server, folder, _alive: alive, program, user })
    }

    /// Its socket, which is all that leads to it.
    pub(super) fn socket(&self) -> String {
        self.folder.path().join(SOCKET).display().to_string()
    }
}

/// A server's program with its options.
fn call(program: &Program, folder: &Path) -> Call {
    Call::new(&program.path).arg(format!("--defaults-file={}", folder.join(OPTIONS).display()))
}

/// Whether the origin's server has only table names in small letters.
fn folds_names(origin: Option<&Database>) -> bool {
    origin.and_then(|origin| origin.properties.get("lower_case_table_names")?.as_u64()) == Some(1)
}

fn write_options(folder: &Path, user: Option<RunAs>, folds_names: bool) -> Result<()> {
    let path = |name: &str| folder.join(name).display().to_string();
    let (data, spool) = (path("data"), path(SPOOL));
    let (socket, pid_file) = (path(SOCKET), format!("{data}/{PID_FILE}"));
    let places = [("datadir", &data), ("socket", &socket), ("pid-file", &pid_file), ("tmpdir", &spool), ("secure-file-priv", &spool)];
    let places = places.iter().map(|(name, value)| (*name, value.as_str()));
    let names = folds_names.then_some(("lower-case-table-names", "1"));
    let lines: String = SETTINGS.iter().copied().chain(places).chain(names).map(|(name, value)| format!("{name} = {value}\n")).collect();
    let options = folder.join(OPTIONS);
    // Clients of other programs heed what stands in a machine's own files more than any variable, but for a file that
    // MYSQL_HOME leads to.
    let client = format!("[client]\nsocket = {socket}\nprotocol = socket\nuser = {SUPERUSER}\n");
    fsx::write_private(&options, format!("[mysqld]\n{lines}\n{client}").as_bytes())?;
    folder::own(&options, user)
}

/// Makes a fresh data directory, `data` in this folder.
fn make(program: &Program, user: Option<RunAs>, folder: &Path) -> Result<()> {
    let data = format!("--datadir={}", folder.join("data").display());
    // A server that begins removes what it finds of the temporary tables of others, also of one that runs.
    let spool = format!("--tmpdir={}", folder.display());
    let call = match program.flavour {
        Flavour::Mariadb => {
            let near: Vec<PathBuf> =
                program.path.parent().into_iter().flat_map(|bin| [bin.to_owned(), bin.join("../bin"), bin.join("../scripts")]).collect();
            let installer = ["mariadb-install-db", "mysql_install_db"].iter().find_map(|name| exec::find(name, &near).into_iter().next());
            let installer = installer.ok_or_else(|| {
                Error::failed("mariadb-install-db, by which a private server's data directory is made, was not found")
                    .hint("install mariadb-server")
            })?;
            let words = ["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"];
            Call::new(installer).args(words)
        }
        Flavour::Mysql => Call::new(&program.path).args(["--no-defaults", "--initialize-insecure"]),
    };
    call.args([data, spool]).run_as(user).dir(folder).silence_max(READY_WAIT * 2).run().map(|_| ())
}

/// A server that is ready greets whoever connects.
fn wait_until_ready(socket: &Path, is_running: impl Fn() -> bool, said: impl Fn() -> String) -> Result<()> {
    const PROTOCOL: u8 = 10;
    let start = Instant::now();
    let greets = || -> std::io::Result<bool> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        // Three bytes of length, a number, and the version of the protocol.
        let mut head = [0; 5];
        stream.read_exact(&mut head)?;
        Ok(head[4] == PROTOCOL)
    };
    loop {
        interrupt::check()?;
        if greets().unwrap_or(false) {
            return Ok(());
        }
        if !is_running() || start.elapsed() > READY_WAIT {
            let said = said();
            let last = said.lines().rev().find(|line| line.contains("[ERROR]")).or(said.lines().last());
            return Err(Error::failed(format!("the private server did not start: {}", last.unwrap_or("it said nothing"))));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What a person should know where no private server can be had.
fn no_server_program(flavour: Flavour) -> Error {
    let package = match flavour {
        Flavour::Mariadb => "mariadb-server",
        Flavour::Mysql => "mysql-server or mariadb-server",
    };
    Error::failed(format!("{}'s server program, by which a restore is rehearsed, was not found on this machine", flavour.name()))
        .hint(format!("install {package}, set mariadb_bin, or name a scratch_server"))
}
