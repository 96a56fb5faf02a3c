//! A private throwaway MariaDB server for the tests of one binary, from the distribution's own packages.

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
    // Its end tells the watchdog to stop the server and remove the folder.
    _alive: std::process::ChildStdin,
}

/// Stops the server as soon as the test process is gone, however it went.
const WATCHDOG: &str = r#""$1" --no-defaults --datadir="$2/data" --socket="$2/s" --pid-file="$2/data/pid" --tmpdir="$2" --skip-networking \
    --skip-name-resolve --skip-log-bin --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-flush-method=nosync \
    --innodb-buffer-pool-size=128M --innodb-log-file-size=64M --performance-schema=off --character-set-server=utf8mb4 --max-connections=200 \
    --max-allowed-packet=1G >"$2/log" 2>&1 &
pid=$!; cat >/dev/null; kill -KILL $pid; wait $pid; rm -rf "$2""#;

/// The server, started on first use.
pub(crate) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(Server::start)
}

/// A program of the packages.
pub(crate) fn program(name: &str) -> PathBuf {
    let folders = ["/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/libexec"];
    let found = folders.iter().map(|folder| Path::new(folder).join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is missing: apt-get install mariadb-server"))
}

/// A server refuses to run as root.
fn server_user() -> Option<nix::unistd::User> {
    let user = || {
        nix::unistd::User::from_name("mysql").expect("the user database").expect("user mysql is missing: apt-get install mariadb-server")
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
    fn start() -> Server {
        let (mariadbd, installer) = (program("mariadbd"), program("mariadb-install-db"));
        let folder = tempfile::Builder::new().prefix("hf-test-").tempdir_in("/tmp").expect("a folder").keep();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        if let Some(user) = server_user() {
            std::os::unix::fs::chown(&folder, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("an owner");
        }
        let made = as_server_user(&mut Command::new(installer))
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"])
            .args(["--innodb-flush-method=nosync", "--innodb-log-file-size=8M"])
            .arg(format!("--datadir={}", folder.join("data").display()))
            .arg(format!("--tmpdir={}", folder.display()))
            .current_dir(&folder)
            .output()
            .expect("mariadb-install-db runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        #[expect(clippy::zombie_processes, reason = "it ends with this process, which holds its stdin")]
        let mut watchdog = as_server_user(&mut Command::new("/bin/sh"))
            .args(["-c", WATCHDOG, "sh"])
            .arg(mariadbd)
            .arg(&folder)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server");
        let server = Server { folder, _alive: watchdog.stdin.take().expect("a pipe") };
        let start = Instant::now();
        while !server.client("root", "mysql", "SELECT 1").0 {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "{}",
                std::fs::read_to_string(server.folder.join("log")).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// Its socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.folder.join("s")
    }

    /// A URL for an account and a database.
    pub(crate) fn url(&self, user: &str, database: &str) -> String {
        let encoded: String = database
            .bytes()
            .map(|byte| if byte.is_ascii_alphanumeric() || byte == b'_' { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect();
        format!("mariadb://{user}@localhost/{encoded}?socket={}", self.socket().display())
    }

    /// A client program, ready for arguments.
    pub(crate) fn command(&self, name: &str, user: &str) -> Command {
        let mut command = Command::new(program(name));
        command.arg("--no-defaults").arg(format!("--socket={}", self.socket().display())).arg(format!("--user={user}"));
        command
    }

    /// Runs SQL; whether it went well, and what it said.
    pub(crate) fn client(&self, user: &str, database: &str, sql: &str) -> (bool, String) {
        let mut child = self
            .command("mariadb", user)
            .args(["--batch", "--skip-column-names", "--default-character-set=utf8mb4", "--binary-mode"])
            .arg(format!("--database={database}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("mariadb");
        let mut stdin = child.stdin.take().expect("a pipe");
        let text = sql.to_owned();
        let writer = std::thread::spawn(move || drop(stdin.write_all(text.as_bytes())));
        let output = child.wait_with_output().expect("mariadb ends");
        writer.join().expect("written");
        (
            output.status.success(),
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)).trim_end().to_owned(),
        )
    }

    /// Runs SQL as the administrator, which must go well.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> String {
        let (good, text) = self.client("root", database, sql);
        assert!(good, "{sql}: {text}");
        text
    }

    /// A new database with this content.
    pub(crate) fn database(&self, name: &str, content: &str) {
        self.sql("mysql", &format!("CREATE DATABASE `{}`", name.replace('`', "``")));
        self.sql(name, content);
    }
}
