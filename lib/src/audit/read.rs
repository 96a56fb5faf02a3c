//! A log read from its first line to its last: verified, and searched on the way.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use super::append::hold;
use super::chain::{Chain, Findings, Hash, Link};
use super::days::{self, Listing, day_of};
use super::line::{LINE_MAX_BYTES, Line};
use super::memory::{Head, Memory};
use super::place::Place;
use super::query::{Query, Search};
use super::summary::Summary;
use crate::catalog::Catalog;
use crate::clock;
use crate::error::{OnPath, Result};
use crate::fsx;
use crate::interrupt;
use crate::store::Store;

/// A reader of a file asks for this much at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// A line of the trail that a backup's manifest names: it must be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The backup's id.
    pub backup: String,
    /// SHA-256 (hex) of the line.
    pub sha256: String,
    /// When the line was written.
    pub at: DateTime<Utc>,
}

/// The lines that the manifests of a store's own backups name.
pub fn witnesses(store: &Store) -> Result<Vec<Witness>> {
    let catalog = Catalog::read(store, None)?;
    let manifests = catalog.backups().map(|backup| backup.manifest()).filter(|manifest| manifest.store_id == store.id());
    let witness = |manifest: &crate::manifest::Manifest| {
        let head = manifest.audit_head.clone()?;
        Some(Witness { backup: manifest.id.clone(), sha256: head.sha256, at: head.at })
    };
    Ok(manifests.filter_map(witness).collect())
}

/// What a log holds, and how it stands.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Whether the log is as it was written.
    pub findings: Findings,
    /// The newest lines that were asked for, in the order of the log.
    pub lines: Vec<Line>,
    /// How many lines there are that were asked for.
    pub matched: u64,
    /// What those lines say together.
    pub summary: Summary,
}

/// Verifies a whole trail and gives the lines that were asked for. It is held against what this machine remembers and what
/// the `witnesses` say. Runs that write meanwhile are not waited for: what they add is left out.
pub fn read(place: &Place, witnesses: &[Witness], query: &Query) -> Result<Answer> {
    let (lengths, listing, memory) = {
        // Without the lock (a store that is only read here) the end may be half a line of a run that is writing it.
        let _held = hold(place).ok();
        let listing = days::list(place.folder())?;
        let length = |name: &String| {
            let path = place.folder().join(name);
            path.symlink_metadata().map(|found| found.len()).on("look at", &path)
        };
        (listing.files.iter().map(length).collect::<Result<Vec<u64>>>()?, listing, Memory::recall(place))
    };
    let mut search = Search::new(query);
    let findings = verify(place.folder(), &listing, &lengths, memory.head.as_ref(), witnesses, &mut |line| search.take(line))?;
    Ok(search.answer(findings))
}

/// Reads a log in order. `lengths` are the sizes of the listing's files up to which they are read.
pub(super) fn verify(
    folder: &Path,
    listing: &Listing,
    lengths: &[u64],
    head: Option<&Head>,
    witnesses: &[Witness],
    each: &mut dyn FnMut(Line),
) -> Result<Findings> {
    let mut reading = Reading { findings: Findings::default(), chain: Chain::default(), wanted: BTreeMap::new(), torn: None, each };
    reading.findings.files = listing.files.len() as u64;
    for name in &listing.odd {
        reading.findings.add(
            Some(name),
            None,
            format!("{name} is no file of the trail: it was renamed, copied by a sync service, or is not here but in the cloud"),
        );
    }
    for witness in witnesses {
        let said = format!("the line of {}, which backup {} was made after", clock::readable(witness.at), witness.backup);
        reading.want(&witness.sha256, None, said);
    }
    if let Some(head) = head {
        let said = format!("{} line {} of {}, the newest that this machine wrote", head.file, head.line, clock::readable(head.at));
        reading.want(&head.sha256, Some((head.file.clone(), head.line)), said);
    }
    for (name, length) in listing.files.iter().zip(lengths) {
        reading.file(folder, name, *length)?;
    }
    Ok(reading.end(head.is_some()))
}

/// Where a line should be, where that is known, and how it is called.
type Wanted = (Option<(String, u64)>, String);

struct Reading<'a> {
    findings: Findings,
    chain: Chain,
    /// The lines that must be there and have not come yet.
    wanted: BTreeMap<Hash, Wanted>,
    /// What stands after the last line of the last file.
    torn: Option<(String, u64)>,
    each: &'a mut dyn FnMut(Line),
}

impl Reading<'_> {
    fn want(&mut self, sha256: &str, place: Option<(String, u64)>, said: String) {
        match hash_of(sha256) {
            Some(hash) => {
                // One finding a line: what this machine knows says more than what a manifest says.
                if place.is_some() || !self.wanted.contains_key(&hash) {
                    self.wanted.insert(hash, (place, said));
                }
            }
            None => self.findings.add(None, None, format!("{said}, is named by {sha256:?}, which is no hash")),
        }
    }

    fn file(&mut self, folder: &Path, name: &str, length: u64) -> Result<()> {
        let path = folder.join(name);
        if let Some((name, number)) = self.torn.take() {
            self.findings.add(Some(&name), Some(number), format!("{name} line {number} has no end: the file was cut"));
        }
        let day = day_of(name);
        let mut input = BufReader::with_capacity(BUFFER_BYTES, fsx::open_to_read(&path)?.take(length));
        let (mut number, mut bytes) = (0, Vec::new());
        loop {
            number += 1;
            bytes.clear();
            let has_end = next_line(&mut input, &mut bytes).on("read", &path)?;
            if bytes.is_empty() && !has_end {
                return Ok(());
            }
            if !has_end {
                self.torn = Some((name.to_owned(), number));
                return Ok(());
            }
            self.line(name, number, day, &bytes);
            if number % 4_096 == 0 {
                interrupt::check()?;
            }
        }
    }

    fn line(&mut self, name: &str, number: u64, day: Option<NaiveDate>, bytes: &[u8]) {
        self.findings.lines += 1;
        let hash: Hash = sha2::Digest::finalize(sha2::Digest::chain_update(<sha2::Sha256 as sha2::Digest>::new(), bytes)).into();
        self.wanted.remove(&hash);
        let parsed = parse(bytes);
        let prev = parsed.as_ref().map(|(_, prev)| *prev).map_err(Clone::clone);
        self.chain.add(Link { file: name.to_owned(), number, hash, prev }, &mut self.findings);
        let Ok((line, _)) = parsed else { return };
        // The first line names the file; a clock that went back leaves older lines after it, never younger ones.
        let own = line.at.date_naive();
        if day.is_some_and(|day| own > day || number == 1 && own != day) {
            let what = format!("{name} line {number} was written on {own}: it does not belong there");
            self.findings.add(Some(name), Some(number), what);
        }
        (self.each)(line);
    }

    fn end(mut self, is_remembered: bool) -> Findings {
        self.chain.close(&mut self.findings);
        let is_whole = self.wanted.is_empty();
        if let Some((name, number)) = self.torn {
            let what = format!("{name} line {number} has no end");
            if is_whole && is_remembered {
                self.findings.notes.push(format!("{what}: a run was cut off while it wrote it; the next run removes it and says so"));
            } else {
                self.findings.add(Some(&name), Some(number), format!("{what}: a run was cut off while it wrote it, or the file was cut"));
            }
        }
        for (place, said) in self.wanted.into_values() {
            let (file, line) = place.unzip();
            let what = format!("{said}, is not there: it was changed, or the end of the log was cut off");
            self.findings.add(file.as_deref(), line, what);
        }
        self.findings
    }
}

/// Reads up to and including the next newline, which is not kept. Of a line that is longer than any of ours only the beginning
/// is kept: it is none of ours.
fn next_line(input: &mut BufReader<std::io::Take<File>>, line: &mut Vec<u8>) -> std::io::Result<bool> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(false);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = &buffer[..end.unwrap_or(buffer.len())];
        let room = (LINE_MAX_BYTES + 1).saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(true);
        }
    }
}

/// The line, and the hash it gives for the one before; or what it is instead.
fn parse(bytes: &[u8]) -> Result<(Line, Hash), String> {
    if bytes.len() > LINE_MAX_BYTES {
        return Err(format!("it is longer than {LINE_MAX_BYTES} bytes"));
    }
    let mut input = serde_json::Deserializer::from_slice(bytes);
    let line = Line::deserialize(&mut input).and_then(|line| input.end().map(|()| line));
    let line = line.map_err(|error| format!("it is no line of an audit trail ({error})"))?;
    let prev = hash_of(&line.prev).ok_or("its prev is no hash")?;
    Ok((line, prev))
}

/// 64 lowercase hex digits.
fn hash_of(text: &str) -> Option<Hash> {
    let text = text.as_bytes();
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut hash = Hash::default();
    if text.len() != 2 * hash.len() {
        return None;
    }
    for (at, pair) in text.chunks_exact(2).enumerate() {
        hash[at] = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(hash)
}
