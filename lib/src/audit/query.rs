//! Which lines are meant.

use std::collections::VecDeque;

use chrono::{DateTime, NaiveDate, Utc};

use super::chain::Findings;
use super::line::Line;
use super::read::Answer;
use super::summary::Count;
use crate::clock;
use crate::config::duration;
use crate::error::{Error, Result};
use crate::select::Selector;

/// What is looked for; each field that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// The event's name.
    pub event: Option<String>,
    /// The user's name or number.
    pub user: Option<String>,
    /// The environment.
    pub environment: Option<String>,
    /// The operation, or the tool.
    pub operation: Option<String>,
    /// The run's id, or its beginning.
    pub run: Option<String>,
    /// Not before this time.
    pub since: Option<DateTime<Utc>>,
    /// Not after this time.
    pub until: Option<DateTime<Utc>>,
    /// Only so many, the newest.
    pub limit: Option<usize>,
}

impl Query {
    /// Whether a line is meant.
    pub fn fits(&self, line: &Line) -> bool {
        let is = |wanted: &Option<String>, found: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(found);
        is(&self.event, &|event| line.event == event)
            && is(&self.user, &|user| line.user == user || line.uid.to_string() == user)
            && is(&self.environment, &|environment| line.environment.as_deref() == Some(environment))
            && is(&self.operation, &|operation| line.operation == operation || line.tool == operation)
            && is(&self.run, &|run| line.run.starts_with(run))
            && self.since.is_none_or(|since| line.at >= since)
            && self.until.is_none_or(|until| line.at <= until)
    }
}

/// Reads a time as a person writes it: a point in time, a day (its begin, or its end), or how long ago: `36h`, `7d`.
pub fn moment(text: &str, is_end: bool) -> Result<DateTime<Utc>> {
    if let Ok(ago) = duration::parse(text)
        && let Some(time) = chrono::Duration::from_std(ago).ok().and_then(|ago| clock::now().checked_sub_signed(ago))
    {
        return Ok(time);
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        && !is_end
        && let Some(begin) = day.and_hms_opt(0, 0, 0)
    {
        return Ok(begin.and_utc());
    }
    match Selector::parse_time(text)? {
        // Times are said in seconds and kept in milliseconds: the whole second is meant.
        Selector::At(time) if is_end && time.timestamp_subsec_millis() == 0 => Ok(time + chrono::Duration::milliseconds(999)),
        Selector::At(time) => Ok(time),
        _ => Err(Error::usage(format!("{text:?} is not a time"))),
    }
}

/// Takes the lines of a log one after the other, and keeps those that are meant.
pub(super) struct Search<'a> {
    query: &'a Query,
    lines: VecDeque<Line>,
    matched: u64,
    count: Count,
}

impl<'a> Search<'a> {
    pub(super) fn new(query: &'a Query) -> Self {
        Search { query, lines: VecDeque::new(), matched: 0, count: Count::default() }
    }

    pub(super) fn take(&mut self, line: Line) {
        let fits = self.query.fits(&line);
        self.count.take(&line, fits);
        if !fits {
            return;
        }
        self.matched += 1;
        self.lines.push_back(line);
        if self.query.limit.is_some_and(|limit| self.lines.len() > limit) {
            self.lines.pop_front();
        }
    }

    pub(super) fn answer(self, findings: Findings) -> Answer {
        Answer { findings, lines: self.lines.into(), matched: self.matched, summary: self.count.summary() }
    }
}
