use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use tempfile::TempDir;

use super::append::append_by;
use super::memory::Memory;
use super::*;
use crate::fsx;
use crate::state_dir::StateDir;

mod damage;
mod writing;

/// A trail in a folder of its own.
struct Log {
    _folder: TempDir,
    place: Place,
}

impl Log {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateDir::at(&folder.path().join("state"));
        let place = Place::at(&folder.path().join("audit"), "s", &state).expect("a place");
        Log { _folder: folder, place }
    }

    /// 30 lines over three days: one run every other hour, each with a start and an outcome.
    fn of_three_days() -> Self {
        let log = Log::new();
        for (day, number) in ["2026-11-20", "2026-11-21", "2026-11-23"].iter().flat_map(|day| (0..10).map(move |number| (day, number))) {
            let event = if number % 2 == 0 { Event::Start } else { Event::Outcome };
            log.append(&format!("{day}T{:02}:00:00Z", number + 8), event, &format!("run{}", number / 2));
        }
        log
    }

    fn append(&self, at: &str, event: Event, run: &str) -> Head {
        append_by(|| time(at), &self.place, &entry(event, run)).expect("appended")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.folder().join(name)
    }

    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let names = days::list(self.place.folder()).expect("a listing").files;
        names.into_iter().map(|name| (name.clone(), fs::read(self.path(&name)).expect("a file"))).collect()
    }

    fn answer(&self) -> Answer {
        read(&self.place, &[], &Query::default()).expect("read")
    }

    #[track_caller]
    fn is_whole(&self) -> Answer {
        let answer = self.answer();
        assert!(answer.findings.are_none(), "{:#?}", answer.findings);
        answer
    }
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

fn entry(event: Event, run: &str) -> Entry {
    let mut entry = Entry::new(event, run, "backup-db", "backup");
    entry.environment = Some("prod".to_owned());
    if event == Event::Outcome {
        entry.backup = Some("20261121T130000Z-prod-db-7f3a".to_owned());
        entry.result = Some("done".to_owned());
        entry.status = Some(0);
    }
    entry
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).expect("a listing").map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
