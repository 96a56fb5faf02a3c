//! A private server that is let go: it lives on without us, until somebody ends it.

use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Cluster, OPTIONS, READY_WAIT, SOCKET, SUPERUSER, wait_until_ready};
use crate::engine::private::folder;
use crate::error::{Error, Result};
use crate::exec::{self, Call};
use crate::{interrupt, shell};

/// Starts a program that is nobody's child. What it says goes into the file named first.
const LET_GO: &str = r#"log=$1; shift; "$@" </dev/null >>"$log" 2>&1 &"#;

impl Cluster {
    /// Stops the server and starts it again as nobody's child, in the folder where it is, which no sweep takes any more.
    /// Gives the command that ends it and removes everything.
    pub(in crate::engine::mariadb) fn keep(mut self) -> Result<String> {
        let admin = ["mariadb-admin", "mysqladmin"].iter().find_map(|name| exec::find(name, &[]).into_iter().next());
        let admin = admin.ok_or_else(|| {
            Error::failed("mariadb-admin, by which a clone that was kept is ended, was not found").hint("install mariadb-client")
        })?;
        let path = self.folder.path().to_owned();
        let socket = path.join(SOCKET);
        interrupt::while_cleaning(|| {
            self.end_in_order();
            let log = path.join("log");
            let words = ["-c", LET_GO, "sh"].map(std::ffi::OsString::from);
            let server = [log.into_os_string(), self.program.path.clone().into_os_string()];
            let options = format!("--defaults-file={}", path.join(OPTIONS).display());
            Call::new("/bin/sh").args(words).args(server).arg(options).run_as(self.user).dir(&path).silence_max(READY_WAIT).run()?;
            let log = || std::fs::read_to_string(path.join("log")).unwrap_or_default();
            wait_until_ready(&socket, || !log().contains("[ERROR] Aborting"), log)
        })
        .map_err(|error| error.within("the clone's server cannot be kept"))?;
        // Killed before this line, the next run ends the server and removes the folder.
        folder::release(self.folder.path())?;
        let folder = self.folder.keep();
        let words = [
            admin.display().to_string(),
            "--no-defaults".to_owned(),
            format!("--socket={}", socket.display()),
            format!("--user={SUPERUSER}"),
            "shutdown".to_owned(),
        ];
        let stop: Vec<String> = words.iter().map(|word| shell::word(word)).collect();
        Ok(format!("{}; rm -rf {}", stop.join(" "), shell::word(&folder.display().to_string())))
    }

    /// Lets the server write down what it holds; killed, tables of some engines would have to be repaired.
    fn end_in_order(&mut self) {
        let _ = kill(Pid::from_raw(self.server.pid().cast_signed()), Signal::SIGTERM);
        let asked = Instant::now();
        while self.server.is_running() && asked.elapsed() < READY_WAIT {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        self.server.stop();
    }
}
