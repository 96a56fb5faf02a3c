//! A command let loose, wherever it is meant to work, and what the database's server still does for it when it has ended.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::{Guarded, Onlooker};
use crate::command::{self, Ended, Wrapped};
use crate::engine::{Badge, Work};
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
    /// Tells its sessions on the server from others.
    pub(in crate::verbs) badge: &'a Badge,
    pub(in crate::verbs) command: &'a Wrapped,
    pub(in crate::verbs) variables: command::Changes,
    pub(in crate::verbs) timeout: Option<Duration>,
}

/// How it ended, and what the server did for it then.
pub(in crate::verbs) struct Loosed {
    pub(in crate::verbs) ended: Ended,
    pub(in crate::verbs) seen_off: SeenOff,
}

/// What came of what a server still did for a command.
#[derive(Debug, Default)]
pub(in crate::verbs) struct SeenOff {
    /// What was ended: a sentence each.
    pub(in crate::verbs) cut_off: Vec<String>,
    /// Why what is at work could not be ended: it may change the database at any time.
    pub(in crate::verbs) at_large: Option<String>,
}

impl Loosed {
    /// What a person should know of it.
    pub(in crate::verbs) fn notes(&self) -> Vec<String> {
        let cut_off =
            self.seen_off.cut_off.iter().map(|work| format!("the server was still at work for the command, which was ended: {work}"));
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
        let Loose { badge, command, mut variables, timeout } = loose;
        variables.insert(RUN_VARIABLE.into(), Some((&badge.run).into()));
        variables.extend(self.engine.badge_variables(badge).into_iter().map(|(name, value)| (name.into(), Some(value.into()))));
        let limits = command::Limits { timeout, ..command::Limits::default() };
        let ended = command.run(&variables, limits, starts, || self.held_up(), |line| on.note(line))?;
        on.command_ended(&ended);
        // Processes that are left speak to the server themselves.
        let seen_off = match ended.left_behind.as_slice() {
            [] => self.see_off(badge, ended.status == 0 && !ended.timed_out, on),
            _ => SeenOff::default(),
        };
        Ok(Loosed { ended, seen_off })
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

    /// What the server still does for a command that has ended is waited for, the longer where that has succeeded or where nothing
    /// tells it from the work of others, and then ended: nobody may come to a judgement while it goes on.
    pub(in crate::verbs) fn see_off(&self, badge: &Badge, has_succeeded: bool, on: &dyn Onlooker) -> SeenOff {
        let limit = if has_succeeded || !self.engine.can_end_work() { command::LINGER } else { NOTICE_WAIT };
        let work = self.goes_on(badge, limit, || {
            on.note(&format!("the command has ended, but the server is still at work for it: waiting {} s at most", limit.as_secs()));
        });
        if work.is_empty() {
            return SeenOff::default();
        }
        let ended = self.engine.end_work(badge, &work);
        let work = said(work);
        match ended {
            Ok(()) => SeenOff { cut_off: work, at_large: None },
            Err(error) => {
                let hint = error.next_step().map(|hint| format!(" ({hint})")).unwrap_or_default();
                SeenOff { cut_off: Vec::new(), at_large: Some(format!("{error}{hint}: {}", work.join("; "))) }
            }
        }
    }

    /// What of the work that the server does now for a run goes on for a moment; nothing is ended.
    pub(in crate::verbs) fn at_work(&self, badge: &Badge) -> Vec<String> {
        said(self.goes_on(badge, NOTICE_WAIT, || {}))
    }

    /// What of the work that the server does now for a run goes on for so long. What begins later is not the command's, whose clients
    /// have gone.
    fn goes_on(&self, badge: &Badge, limit: Duration, tell: impl FnOnce()) -> Vec<Work> {
        let start = Instant::now();
        let mut tell = Some(tell);
        let mut first: Option<BTreeSet<u64>> = None;
        loop {
            let mut work = match self.engine.at_work(badge) {
                Ok(work) => work,
                Err(error) => {
                    // A server that does not answer is looked at by those who judge.
                    tracing::debug!("what the server still does for the command cannot be asked: {error}");
                    return Vec::new();
                }
            };
            let first = first.get_or_insert_with(|| work.iter().map(|work| work.session).collect());
            work.retain(|work| first.contains(&work.session));
            first.retain(|session| work.iter().any(|work| work.session == *session));
            if work.is_empty() || start.elapsed() > limit {
                return work;
            }
            if start.elapsed() > NOTICE_WAIT
                && let Some(tell) = tell.take()
            {
                tell();
            }
            std::thread::sleep(LOOK_PAUSE);
        }
    }
}

fn said(work: Vec<Work>) -> Vec<String> {
    work.into_iter().map(|work| work.what).collect()
}
