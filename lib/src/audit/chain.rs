//! Whether each line follows the one before it, and, where one does not, what was done to the log.

use std::collections::VecDeque;
use std::fmt;

use serde::Serialize;

/// More findings are only counted: a log that somebody rewrote has one a line.
const FINDINGS_MAX: usize = 1_000;
/// A longer row of lines that do not follow each other is told as one.
const CLUSTER_MAX: usize = 64;

pub(super) type Hash = [u8; 32];

/// Something that is wrong with a log, and its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file it is about.
    pub file: Option<String>,
    /// The number of the line there, counted from 1; none where it is about the file.
    pub line: Option<u64>,
    /// What it is, for a person, with the place.
    pub what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

/// What a verification found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Findings {
    /// What is wrong, in the order of the log.
    pub broken: Vec<Finding>,
    /// How many more findings there were than are listed.
    pub more: u64,
    /// What a person should know, and is nothing wrong.
    pub notes: Vec<String>,
    /// How many files were read.
    pub files: u64,
    /// How many lines were read.
    pub lines: u64,
}

impl Findings {
    /// Whether the log is as it was written.
    pub fn are_none(&self) -> bool {
        self.broken.is_empty()
    }

    pub(super) fn add(&mut self, file: Option<&str>, line: Option<u64>, what: impl Into<String>) {
        if self.broken.len() < FINDINGS_MAX {
            self.broken.push(Finding { file: file.map(str::to_owned), line, what: what.into() });
        } else {
            self.more += 1;
        }
    }
}

/// What the chain needs of a line.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) file: String,
    pub(super) number: u64,
    pub(super) hash: Hash,
    /// The hash it gives for the line before; or why it is no line of a trail.
    pub(super) prev: Result<Hash, String>,
}

impl Link {
    fn place(&self) -> String {
        format!("{} line {}", self.file, self.number)
    }

    /// Its place, where the reader knows the file already.
    fn place_after(&self, file: &str) -> String {
        if self.file == file { format!("line {}", self.number) } else { self.place() }
    }
}

/// The chain, line by line. Lines that do not follow each other are collected until one does, and are then explained
/// together: a swapped pair breaks the chain three times, and is one finding.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// The two lines before the cluster, then the cluster.
    recent: VecDeque<Link>,
    /// How many of `recent`, at its end, do not follow the line before them.
    broken: usize,
}

impl Chain {
    pub(super) fn add(&mut self, link: Link, findings: &mut Findings) {
        let follows = match (&link.prev, self.recent.back()) {
            (Ok(prev), Some(before)) => *prev == before.hash,
            (Ok(prev), None) => *prev == Hash::default(),
            (Err(_), _) => false,
        };
        if follows || self.broken >= CLUSTER_MAX {
            self.close(findings);
        }
        self.recent.push_back(link);
        if !follows {
            self.broken += 1;
        }
        while self.broken == 0 && self.recent.len() > 2 {
            self.recent.pop_front();
        }
    }

    /// Explains the cluster, where there is one.
    pub(super) fn close(&mut self, findings: &mut Findings) {
        if self.broken == 0 {
            return;
        }
        let links = self.recent.make_contiguous();
        let (before, cluster) = links.split_at(links.len() - self.broken);
        explain(before, cluster, findings);
        self.broken = 0;
        while self.recent.len() > 2 {
            self.recent.pop_front();
        }
    }
}

/// Says what was done to lines that do not follow the ones before them. `before` holds up to two lines that are in order; fewer
/// than two only at the beginning of the log.
fn explain(before: &[Link], cluster: &[Link], findings: &mut Findings) {
    let unreadable: Vec<&Link> = cluster.iter().filter(|link| link.prev.is_err()).collect();
    for link in &unreadable {
        let why = link.prev.as_ref().err().map_or("", String::as_str);
        findings.add(Some(&link.file), Some(link.number), format!("{} was changed: {why}", link.place()));
    }
    // The line after a changed one cannot follow it.
    if !unreadable.is_empty() && cluster.len() <= 2 * unreadable.len() {
        return;
    }
    let beginning = Hash::default();
    let last = before.last();
    let before_last = before.len().checked_sub(2).map_or(beginning, |at| before[at].hash);
    let last_hash = last.map_or(beginning, |link| link.hash);
    let is = |link: &Link, hash: Hash| link.prev.as_ref() == Ok(&hash);
    let mut tell = |link: &Link, what: String| findings.add(Some(&link.file), Some(link.number), what);
    match (last, cluster) {
        (Some(last), [a]) if a.hash == last.hash => tell(a, format!("{} repeats the line before it", a.place())),
        (Some(last), [a]) if is(a, before_last) => tell(last, format!("{} was inserted", last.place())),
        (Some(last), [a]) => {
            tell(last, format!("{} was changed, or lines between it and {} are missing", last.place(), a.place_after(&last.file)))
        }
        (None, [a]) => tell(a, format!("{} is not the first of the log: the lines before it are missing, or it was changed", a.place())),
        (_, [a, b]) if is(a, b.hash) && is(b, last_hash) => {
            tell(a, format!("{} and {} were swapped", a.place(), b.place_after(&a.file)));
        }
        (_, [a, b, c]) if is(a, b.hash) && is(b, last_hash) && is(c, a.hash) => {
            tell(a, format!("{} and {} were swapped", a.place(), b.place_after(&a.file)));
        }
        (_, [a, b]) if is(b, last_hash) => tell(a, format!("{} was inserted", a.place())),
        (_, [a, _]) => tell(a, format!("{} was changed", a.place())),
        (_, [a, .., z]) => tell(a, format!("{} to {} were changed, moved, inserted or removed", a.place(), z.place_after(&a.file))),
        (_, []) => {}
    }
}
