//! A private server that is let go: it lives on without us, until somebody ends it.

use std::path::Path;

use super::Cluster;
use crate::engine::postgres::programs;
use crate::engine::private::{READY_WAIT, folder, shell_as};
use crate::error::{Error, Result};
use crate::exec::{Call, RunAs};
use crate::{interrupt, shell};

impl Cluster {
    /// Stops the server and starts it again as nobody's child, in the folder where it is, which no sweep takes any more.
    /// Gives the command that ends it and removes everything.
    pub(in crate::engine::postgres) fn keep(mut self) -> Result<String> {
        let pg_ctl = programs::beside(&self.program, "pg_ctl")
            .ok_or_else(|| Error::failed("pg_ctl, by which a clone is kept, was not found beside postgres").hint("set pg_bin"))?;
        let data = self.data();
        let call = |words: &[&str]| {
            let call = Call::new(&pg_ctl).arg("-D").arg(&data).args(words).run_as(self.user).dir(self.folder.path());
            call.silence_max(READY_WAIT * 2).run()
        };
        interrupt::while_cleaning(|| {
            // Where it is stopping already, because we were asked to stop, there is nothing to ask for.
            let _ = call(&["-m", "fast", "-w", "stop"]);
            self.server.stop();
            let log = self.folder.path().join("log").display().to_string();
            call(&["-l", &log, "-t", &READY_WAIT.as_secs().to_string(), "-w", "start"])
        })
        .map_err(|error| error.within("the clone's server cannot be kept"))?;
        // Killed before this line, the next run ends the server and removes the folder.
        folder::release(self.folder.path())?;
        let folder = self.folder.keep();
        Ok(format!("{}; rm -rf {}", stop_command(&pg_ctl, &data, self.user), shell::word(&folder.display().to_string())))
    }
}

/// Only its own user may stop a server by `pg_ctl`.
fn stop_command(pg_ctl: &Path, data: &Path, user: Option<RunAs>) -> String {
    let words = [&pg_ctl.display().to_string(), "-D", &data.display().to_string(), "-m", "immediate", "stop"];
    shell_as(user, words.map(shell::word).join(" "))
}
