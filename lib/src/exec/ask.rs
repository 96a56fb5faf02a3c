//! A program that is asked something: it gets a text on stdin, and answers by its exit status.

use std::io::{Seek, Write};
use std::time::{Duration, Instant};

use super::Call;
use crate::error::{Error, Result};
use crate::interrupt;

/// How a program answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// Status 0.
    Yes,
    /// Any other end, in words.
    No(String),
    /// It said nothing in time, and was stopped.
    Late,
}

impl Call {
    /// Runs it with `question` as its stdin, for at most `limit`; what it says on stdout is thrown away. Beside the answer,
    /// its last stderr line.
    pub fn ask(self, question: &[u8], limit: Duration) -> Result<(Answered, Option<String>)> {
        // A file and no pipe: a program that answers without reading is an answer too, and no broken pipe.
        let mut stdin = tempfile::tempfile().map_err(|error| Error::from_io(format!("cannot ask {}", self.name()), error))?;
        stdin
            .write_all(question)
            .and_then(|()| stdin.rewind())
            .map_err(|error| Error::from_io(format!("cannot ask {}", self.name()), error))?;
        let mut child = self.start(|expression| expression.stdin_file(stdin).stdout_null())?;
        let start = Instant::now();
        let mut pause = Duration::from_millis(1);
        while child.is_running() {
            interrupt::check()?;
            if start.elapsed() > limit {
                child.stop();
                return Ok((Answered::Late, child.stderr.last_line()));
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(super::TICK);
        }
        let outcome = child.finish();
        interrupt::check()?;
        Ok((outcome.map_or_else(|error| Answered::No(error.to_string()), |()| Answered::Yes), child.stderr.last_line()))
    }
}
