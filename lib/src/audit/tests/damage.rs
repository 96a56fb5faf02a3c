//! Every damage to a small log is found, at its place.

use std::cell::RefCell;

use super::*;
use crate::audit::read::verify;

/// The files of a log in memory, and what must be true of them.
struct Written {
    files: Vec<(String, Vec<u8>)>,
    head: Head,
    folder: TempDir,
    /// What lies in the folder: only what differs is written again.
    on_disk: RefCell<Vec<(String, Vec<u8>)>>,
}

/// A line by its file and number.
type At = (usize, usize);

impl Written {
    fn new() -> Self {
        let log = Log::of_three_days();
        let files = log.files();
        assert_eq!(files.iter().map(|(_, bytes)| lines(bytes).len()).collect::<Vec<_>>(), [10, 10, 10]);
        let head = head(&log.place).expect("a head");
        let written = Written { files, head, folder: tempfile::tempdir().expect("a folder"), on_disk: RefCell::default() };
        let findings = written.findings(&written.files, Some(&written.head));
        assert!(findings.are_none() && findings.lines == 30 && findings.files == 3, "{findings:?}");
        written
    }

    fn findings(&self, files: &[(String, Vec<u8>)], head: Option<&Head>) -> Findings {
        let on_disk = self.on_disk.replace(files.to_vec());
        for (name, _) in on_disk.iter().filter(|(name, _)| !files.iter().any(|(kept, _)| kept == name)) {
            fs::remove_file(self.folder.path().join(name)).expect("removed");
        }
        for (name, bytes) in files.iter().filter(|file| !on_disk.contains(file)) {
            fs::write(self.folder.path().join(name), bytes).expect("written");
        }
        let listing = days::list(self.folder.path()).expect("a listing");
        let length = |name: &String| fs::metadata(self.folder.path().join(name)).expect("a file").len();
        let lengths: Vec<u64> = listing.files.iter().map(length).collect();
        verify(self.folder.path(), &listing, &lengths, head, &[], &mut |_| {}).expect("read")
    }

    /// The damaged log is reported, with that line's place.
    #[track_caller]
    fn found_at(&self, files: &[(String, Vec<u8>)], (file, line): At, what: &str) -> Findings {
        let findings = self.findings(files, Some(&self.head));
        let name = &self.files[file].0;
        let is_there = |finding: &Finding| finding.file.as_ref() == Some(name) && finding.line == Some(line as u64 + 1);
        assert!(findings.broken.iter().any(is_there), "{what}: {name} line {} is not in {:#?}", line + 1, findings.broken);
        for finding in &findings.broken {
            if let (Some(file), Some(line)) = (&finding.file, finding.line) {
                assert!(finding.what.contains(&format!("{file} line {line}")), "{finding:?} does not say its place");
            }
        }
        findings
    }

    fn with(&self, file: usize, change: impl FnOnce(&mut Vec<u8>)) -> Vec<(String, Vec<u8>)> {
        let mut files = self.files.clone();
        change(&mut files[file].1);
        files
    }

    fn with_lines(&self, file: usize, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<(String, Vec<u8>)> {
        self.with(file, |bytes| {
            let mut all = lines(bytes);
            change(&mut all);
            *bytes = all.concat();
        })
    }

    /// The line before, in whichever file; none before the first.
    fn before(&self, (file, line): At) -> Option<At> {
        match (file, line) {
            (0, 0) => None,
            (_, 0) => Some((file - 1, lines(&self.files[file - 1].1).len() - 1)),
            _ => Some((file, line - 1)),
        }
    }

    fn every_line(&self) -> impl Iterator<Item = At> + '_ {
        self.files.iter().enumerate().flat_map(|(file, (_, bytes))| (0..lines(bytes).len()).map(move |line| (file, line)))
    }

    fn last(&self) -> At {
        self.every_line().last().expect("a line")
    }
}

/// The lines of a file, each with its newline.
fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

#[test]
fn fm_j07_every_changed_byte_is_reported_with_its_line() {
    let written = Written::new();
    let mut flips = 0;
    for file in 0..written.files.len() {
        let (mut line, length) = (0, written.files[file].1.len());
        for at in 0..length {
            let files = written.with(file, |bytes| bytes[at] ^= 1 << (at % 8));
            written.found_at(&files, (file, line), &format!("byte {at} of file {file}"));
            line += usize::from(written.files[file].1[at] == b'\n');
            flips += 1;
        }
    }
    assert!(flips > 8_000, "only {flips} bytes");
}

#[test]
fn fm_j07_every_removed_line_is_reported_with_its_place() {
    let written = Written::new();
    for (file, line) in written.every_line() {
        let files = written.with_lines(file, |lines| drop(lines.remove(line)));
        let place = match written.before((file, line)) {
            _ if (file, line) == written.last() => written.last(),
            Some(before) => before,
            None => (0, 0),
        };
        written.found_at(&files, place, &format!("line {line} of file {file} removed"));
    }
}

#[test]
fn fm_j07_every_swapped_pair_is_reported_with_its_place() {
    let written = Written::new();
    for file in 0..3 {
        for line in 0..9 {
            let files = written.with_lines(file, |lines| lines.swap(line, line + 1));
            let findings = written.found_at(&files, (file, line), "a pair swapped");
            assert!(findings.broken[0].what.ends_with("were swapped"), "{findings:?}");
        }
    }
    // Across midnight, which also brings each into a file of another day.
    for file in 0..2 {
        let mut files = written.files.clone();
        let (mut before, mut after) = (lines(&files[file].1), lines(&files[file + 1].1));
        std::mem::swap(&mut before[9], &mut after[0]);
        (files[file].1, files[file + 1].1) = (before.concat(), after.concat());
        written.found_at(&files, (file, 9), "a pair swapped across files");
    }
}

#[test]
fn fm_j07_every_repeated_line_is_reported_with_its_place() {
    let written = Written::new();
    for (file, line) in written.every_line() {
        let files = written.with_lines(file, |lines| lines.insert(line, lines[line].clone()));
        let findings = written.found_at(&files, (file, line + 1), "a line repeated");
        assert!(findings.broken[0].what.ends_with("repeats the line before it"), "{findings:?}");
    }
}

#[test]
fn fm_j07_every_inserted_line_is_reported_with_its_place() {
    let written = Written::new();
    for (file, line) in written.every_line() {
        let before = written.before((file, line)).map(|(file, line)| lines(&written.files[file].1)[line].clone());
        let prev = before.map_or(BEGINNING.to_owned(), |line| fsx::sha256_hex(line.strip_suffix(b"\n").expect("a newline")));
        let old: Line = serde_json::from_slice(&lines(&written.files[file].1)[line]).expect("a line");
        for (prev, what) in [(prev, "a forged line that continues the chain"), (BEGINNING.to_owned(), "a forged line")] {
            let forged = Line { user: "mallory".into(), prev, ..old.clone() };
            let mut bytes = serde_json::to_vec(&forged).expect("JSON");
            bytes.push(b'\n');
            let files = written.with_lines(file, |lines| lines.insert(line, bytes));
            let findings = written.found_at(&files, (file, line), what);
            assert!(findings.broken.iter().any(|finding| finding.what.ends_with("was inserted")), "{what}: {findings:?}");
        }
    }
}

#[test]
fn fm_j07_every_cut_is_reported_with_its_place() {
    let written = Written::new();
    for file in 0..3 {
        let (mut line, whole) = (0, written.files[file].1.clone());
        for at in 0..whole.len() {
            let files = written.with(file, |bytes| bytes.truncate(at));
            let is_line_end = at == 0 || whole[at - 1] == b'\n';
            let place = match (file, is_line_end) {
                // The end of the log is known to this machine.
                (2, _) => written.last(),
                (_, false) => (file, line),
                (_, true) => written.before((file, line)).unwrap_or((1, 0)),
            };
            written.found_at(&files, place, &format!("file {file} cut at byte {at}"));
            line += usize::from(whole[at] == b'\n');
        }
    }
}

#[test]
fn fm_j07_every_missing_file_is_reported_with_its_place() {
    let written = Written::new();
    for (file, place) in [(0, (1, 0)), (1, (0, 9)), (2, (2, 9))] {
        let mut files = written.files.clone();
        files.remove(file);
        written.found_at(&files, place, &format!("file {file} removed"));
    }
    written.found_at(&[], (2, 9), "every file removed");
}

#[test]
fn fm_j07_a_renamed_or_moved_file_is_reported() {
    let written = Written::new();
    let mut files = written.files.clone();
    (files[0].1, files[1].1) = (files[1].1.clone(), files[0].1.clone());
    written.found_at(&files, (0, 0), "two files swapped");
    // The chain holds in each of these; the name does not.
    for name in ["audit_2026-11-22.jsonl", "audit_2026-11-25.jsonl"] {
        let mut files = written.files.clone();
        files[2].0 = name.to_owned();
        let findings = written.findings(&files, Some(&written.head));
        assert!(findings.broken[0].what.contains("does not belong there"), "{findings:?}");
    }
    for name in ["audit_2026-11-23 2.jsonl", ".audit_2026-11-23.jsonl.icloud", "audit_2026-11-23.jsonl.bak"] {
        let mut files = written.files.clone();
        files[2].0 = name.to_owned();
        let findings = written.findings(&files, Some(&written.head));
        assert!(findings.broken[0].what.starts_with(name), "{findings:?}");
    }
    // A line that is moved over midnight keeps its place in the chain.
    for (from, to) in [((0, 9), 1), ((1, 0), 0)] {
        let mut files = written.files.clone();
        let (mut taken, mut given) = (lines(&files[from.0].1), lines(&files[to].1));
        let line = taken.remove(from.1);
        given.insert(if to == 0 { 10 } else { 0 }, line);
        (files[from.0].1, files[to].1) = (taken.concat(), given.concat());
        let findings = written.findings(&files, Some(&written.head));
        assert!(findings.broken.iter().any(|finding| finding.what.contains("does not belong there")), "{findings:?}");
    }
}

#[test]
fn fm_j07_without_a_memory_a_manifest_tells_of_a_cut_tail() {
    let log = Log::of_three_days();
    let head = head(&log.place).expect("a head");
    let witness = |sha256: &str| Witness { backup: "20261123T170000Z-prod-db-1".into(), sha256: sha256.into(), at: head.at };
    fs::remove_dir_all(log.place.state().path()).expect("another machine");
    let files = log.files();
    let last = lines(&files[2].1).last().expect("a line").len();
    fs::write(log.path(&files[2].0), &files[2].1[..files[2].1.len() - last]).expect("cut");
    log.is_whole();
    let answer = read(&log.place, &[witness(&head.sha256)], &Query::default()).expect("read");
    let what = &answer.findings.broken[0].what;
    assert!(what.contains("2026-11-23T17:00:00Z") && what.contains("20261123T170000Z-prod-db-1") && what.contains("cut off"), "{what}");
    for nonsense in ["", "abc", &"g".repeat(64)] {
        assert!(!read(&log.place, &[witness(nonsense)], &Query::default()).expect("read").findings.are_none());
    }
}

#[test]
fn fm_j07_what_was_cut_stays_visible_when_more_is_written() {
    let log = Log::of_three_days();
    let files = log.files();
    let last = lines(&files[2].1).last().expect("a line").len();
    fs::write(log.path(&files[2].0), &files[2].1[..files[2].1.len() - last]).expect("cut");
    log.append("2026-11-23T20:00:00Z", Event::Start, "later");
    log.append("2026-11-24T20:00:00Z", Event::Start, "later still");
    // By the log alone, on any machine.
    fs::remove_dir_all(log.place.state().path()).expect("another machine");
    let broken = log.answer().findings.broken;
    assert_eq!((broken[0].file.as_deref(), broken[0].line), (Some("audit_2026-11-23.jsonl"), Some(9)), "{broken:?}");
    assert_eq!(broken.len(), 1);
    assert!(broken[0].what.contains("line 9 was changed, or lines between it and line 10 are missing"), "{broken:?}");
}

#[test]
fn a_log_of_nonsense_is_reported_in_short() {
    let log = Log::new();
    fs::create_dir_all(log.place.folder()).expect("a folder");
    fs::write(log.path("audit_2026-11-21.jsonl"), "{}\n".repeat(5_000)).expect("written");
    fs::write(log.path("audit_2026-11-22.jsonl"), vec![b'['; 300_000]).expect("written");
    let findings = log.answer().findings;
    assert!(findings.broken.len() <= 1_000 && findings.more >= 4_000 && findings.lines == 5_000, "{}", findings.broken.len());
}
