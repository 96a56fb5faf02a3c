//! A private throwaway PostgreSQL server for the tests of one binary, from the distribution's own packages.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A running server; all tests of the binary share it, each with databases of its own.
pub(crate) struct Server {
    folder: PathBuf,
    bin: PathBuf,
    // Its end tells the watchdog to stop the server and remove the folder.
    _alive: std::process::ChildStdin,
}

/// Stops the server as soon as the test process is gone, however it went.
const WATCHDOG: &str = r#""$1" -D "$2/data" -k "$2" -p 5432 -c listen_addresses= -c fsync=off -c autovacuum=off -c max_connections=60 -c max_prepared_transactions=4 >"$2/log" 2>&1 &
pid=$!; cat >/dev/null; kill -QUIT $pid; wait $pid; rm -rf "$2""#;

/// The server, started on first use.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

/// The folder of the newest installed server's programs.
pub(crate) fn bin_folder() -> PathBuf {
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin")).collect();
    folders.retain(|folder| folder.join("initdb").is_file());
    folders.sort();
    folders.pop().expect("PostgreSQL's server programs are missing: apt-get install postgresql")
}

/// A server refuses to run as root.
fn server_user() -> Option<nix::unistd::User> {
    let user = || {
        nix::unistd::User::from_name("postgres").expect("the user database").expect("user postgres is missing: apt-get install postgresql")
    };
    nix::unistd::geteuid().is_root().then(user)
}

fn as_server_user(command: &mut Command) -> &mut Command {
    match server_user() {
        Some(user) => command.uid(user.uid.as_raw()).gid(user.gid.as_raw()),
        None => command,
    }
}

impl Server {
    // The watchdog outlives us by design.
    #[allow(clippy::zombie_processes)]
    fn start() -> Server {
        let bin = bin_folder();
        let folder = tempfile::Builder::new().prefix("hf-test-").tempdir_in("/tmp").expect("a folder").keep();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        if let Some(user) = server_user() {
            std::os::unix::fs::chown(&folder, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("an owner");
        }
        let made = as_server_user(&mut Command::new(bin.join("initdb")))
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-D"])
            .arg(folder.join("data"))
            .current_dir(&folder)
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        #[expect(clippy::zombie_processes, reason = "it ends with this process, which holds its stdin")]
        let mut watchdog = as_server_user(&mut Command::new("/bin/sh"))
            .args(["-c", WATCHDOG, "sh"])
            .arg(bin.join("postgres"))
            .arg(&folder)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server");
        let server = Server { folder, bin, _alive: watchdog.stdin.take().expect("a pipe") };
        let start = Instant::now();
        while !server.psql("postgres", "postgres", "SELECT 1").0 {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "{}",
                std::fs::read_to_string(server.folder.join("log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// The programs' folder.
    pub(crate) fn bin(&self) -> &Path {
        &self.bin
    }

    /// A URL for a role and a database.
    pub(crate) fn url(&self, user: &str, database: &str) -> String {
        let encoded: String = database
            .bytes()
            .map(|byte| if byte.is_ascii_alphanumeric() || byte == b'_' { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect();
        format!("postgres://{user}@/{encoded}?host={}&port=5432", self.folder.display())
    }

    /// A psql, ready for arguments.
    pub(crate) fn command(&self, program: &str, user: &str, database: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.env("PGHOST", &self.folder).env("PGPORT", "5432").env("PGUSER", user).env("PGDATABASE", database);
        command
    }

    /// Runs SQL; whether it went well, and what it said.
    pub(crate) fn psql(&self, user: &str, database: &str, sql: &str) -> (bool, String) {
        let mut child = self
            .command("psql", user, database)
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("psql");
        let mut stdin = child.stdin.take().expect("a pipe");
        let text = sql.to_owned();
        let writer = std::thread::spawn(move || drop(stdin.write_all(text.as_bytes())));
        let output = child.wait_with_output().expect("psql ends");
        writer.join().expect("written");
        (
            output.status.success(),
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)).trim_end().to_owned(),
        )
    }

    /// Runs SQL as the superuser, which must go well.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let (good, text) = self.psql("postgres", database, sql);
        assert!(good, "{sql}: {text}");
        text
    }

    /// A new database with this content.
    pub(crate) fn database(&self, name: &str, content: &str) {
        self.sql("postgres", &format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\"")));
        self.sql(name, content);
    }
}
