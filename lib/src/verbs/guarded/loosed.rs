//! A command let loose, wherever it is meant to work, and what the database's server still does for it when it has ended.

use std::time::{Duration, Instant};

use super::{Guarded, Onlooker};
use crate::command::{self, Ended, Wrapped};
use crate::error::Result;
use crate::interrupt;
use crate::journal::RUN_VARIABLE;
use crate::process::Process;

/// How long the question who waits for whom may take: whoever asks has run out of time.
const HELD_UP_WAIT: Duration = Duration::from_secs(5);
/// How long the server may take to notice that a client has gone.
const NOTICE_WAIT: Duration = Duration::from_secs(1);
/// The pause between two looks at what it does.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

/// The command, what it is given, and how long it may take.
pub(in crate::verbs) struct Loose<'a> {
    /// Names the run.
    pub(in crate::verbs) run: &'a str,
    pub(in crate::verbs) command: &'a Wrapped,
    pub(in crate::verbs) variables: command::Changes,
    pub(in crate::verbs) timeout: Option<Duration>,
}

/// How it ended, and what the server did for it then.
pub(in crate::verbs) struct Loosed {
    pub(in crate::verbs) ended: Ended,
    /// What was at work for it on the server and was ended: a sentence each.
    pub(in crate::verbs) cut_off: Vec<String>,
    /// Why what is at work for it could not be ended: it may change the database at any time.
    pub(in crate::verbs) at_large: Option<String>,
}

impl Loosed {
    /// What a person should know of it.
    pub(in crate::verbs) fn notes(&self) -> Vec<String> {
        let cut_off = self.cut_off.iter().map(|work| format!("the server was still at work for the command, which was ended: {work}"));
        self.ended.held_up.iter().cloned().chain(cut_off).collect()
    }
}

impl Guarded<'_> {
    /// Runs a command to its end. An error says that it was not started.
    pub(in crate::verbs) fn let_loose(
        &self,
        loose: Loose<'_>,
        starts: impl FnOnce(&Process) -> Result<()>,
        on: &dyn Onlooker,
    ) -> Result<Loosed> {
        let Loose { run, command, mut variables, timeout } = loose;
        variables.insert(RUN_VARIABLE.into(), Some(run.into()));
        variables.extend(self.engine.badge(run).into_iter().map(|(name, value)| (name.into(), Some(value.into()))));
        let limits = command::Limits { timeout, ..command::Limits::default() };
        let ended = command.run(&variables, limits, starts, || self.held_up(), |line| on.note(line))?;
        on.command_ended(&ended);
        let (cut_off, at_large) = self.see_off(run, &ended, on);
        Ok(Loosed { ended, cut_off, at_large })
    }

    /// Who waits for whom, while the command still does.
    fn held_up(&self) -> Vec<String> {
        interrupt::replace_deadline(Some(HELD_UP_WAIT));
        let waiting = self.engine.waiting();
        interrupt::replace_deadline(None);
        waiting.unwrap_or_else(|error| {
            tracing::warn!("who waits for whom cannot be asked: {error}");
            Vec::new()
        })
    }

    /// What the server still does for a command that has ended is waited for, where that has succeeded and left nothing behind,
    /// and then ended: nobody may come to a judgement while it goes on.
    fn see_off(&self, run: &str, ended: &Ended, on: &dyn Onlooker) -> (Vec<String>, Option<String>) {
        if !ended.left_behind.is_empty() {
            return (Vec::new(), None);
        }
        let has_succeeded = ended.status == 0 && !ended.timed_out;
        let limit = if has_succeeded { command::LINGER } else { NOTICE_WAIT };
        let start = Instant::now();
        let mut is_told = false;
        let work = loop {
            match self.engine.at_work(run) {
                Ok(work) if work.is_empty() => return (work, None),
                Ok(work) if start.elapsed() > limit => break work,
                Ok(_) => {}
                Err(error) => {
                    // A server that does not answer is looked at by those who judge.
                    tracing::debug!("what the server still does for the command cannot be asked: {error}");
                    return (Vec::new(), None);
                }
            }
            if start.elapsed() > NOTICE_WAIT && !std::mem::replace(&mut is_told, true) {
                on.note(&format!("the command has ended, but the server is still at work for it: waiting {} s at most", limit.as_secs()));
            }
            std::thread::sleep(LOOK_PAUSE);
        };
        match self.engine.end_work(run) {
            Ok(()) => (work, None),
            Err(error) => {
                let hint = error.next_step().map(|hint| format!(" ({hint})")).unwrap_or_default();
                (Vec::new(), Some(format!("{error}{hint}: {}", work.join("; "))))
            }
        }
    }

    /// Ends what the server still does for a run that was interrupted.
    pub(in crate::verbs) fn end_work(&self, run: &str) -> Option<String> {
        self.engine.end_work(run).err().map(|error| error.to_string())
    }
}
