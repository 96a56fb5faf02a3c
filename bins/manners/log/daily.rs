//! One log file a day.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use chrono::NaiveDate;
use holdfast::error::{OnPath, Result};
use holdfast::fsx;

use crate::text::visible;

const BEGIN: &str = "holdfast-";
const END: &str = ".log";
const DATE: &str = "%Y-%m-%d";

/// The file of the day, changed at midnight UTC.
pub(super) struct Daily {
    tool: &'static str,
    folder: PathBuf,
    current: Mutex<Current>,
}

struct Current {
    day: NaiveDate,
    file: Option<File>,
    warned: bool,
}

impl Daily {
    pub(super) fn open(tool: &'static str, folder: &Path, today: NaiveDate) -> Result<Self> {
        fsx::create_private_dirs(folder)?;
        let path = folder.join(name_of(today));
        let file = append_to(&path).on("open", &path)?;
        Ok(Daily { tool, folder: folder.to_owned(), current: Mutex::new(Current { day: today, file: Some(file), warned: false }) })
    }

    /// Appends whole lines. The first failure is warned about on stderr, the rest are silent.
    pub(super) fn write(&self, lines: &[u8], today: NaiveDate) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let written = current.write(lines, today, &self.folder);
        if let Err(error) = written
            && !current.warned
        {
            current.warned = true;
            let path = self.folder.join(name_of(today));
            let warning = format!("{}: warning: cannot write the log {}: {error}", self.tool, path.display());
            let _ = writeln!(io::stderr(), "{}", visible(&warning));
        }
    }

    #[cfg(test)]
    pub(super) fn has_warned(&self) -> bool {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).warned
    }

    #[cfg(test)]
    pub(super) fn break_file(&self, with: File) {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).file = Some(with);
    }
}

impl Current {
    fn write(&mut self, lines: &[u8], today: NaiveDate, folder: &Path) -> io::Result<()> {
        if self.day != today {
            self.file = None;
            self.day = today;
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(append_to(&folder.join(name_of(today)))?),
        };
        file.write_all(lines)
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_CLOEXEC).open(path)
}

fn name_of(day: NaiveDate) -> String {
    format!("{BEGIN}{}{END}", day.format(DATE))
}

/// The day of a log file's name, if it is exactly one of ours.
fn day_of(name: &str) -> Option<NaiveDate> {
    let date = name.strip_prefix(BEGIN)?.strip_suffix(END)?;
    // The way back tells 2026-1-2 from 2026-01-02.
    NaiveDate::parse_from_str(date, DATE).ok().filter(|day| name_of(*day) == name)
}

/// Removes the log files of days more than `keep_days` before `today`; 0 keeps all. Whatever else is there stays.
pub(super) fn remove_old(folder: &Path, today: NaiveDate, keep_days: u32) -> Result<()> {
    if keep_days == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(folder).on("list", folder)? {
        let entry = entry.on("list", folder)?;
        let Some(day) = entry.file_name().to_str().and_then(day_of) else { continue };
        let is_old = today.signed_duration_since(day).num_days() > i64::from(keep_days);
        if is_old && entry.file_type().is_ok_and(|kind| kind.is_file()) {
            match fs::remove_file(entry.path()) {
                // Another run was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => other.on("remove", &entry.path())?,
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn only_our_own_old_files_go() {
        let folder = tempfile::tempdir().expect("folder");
        let (go, stay) = (
            ["holdfast-2026-10-01.log", "holdfast-2026-11-13.log"],
            [
                "holdfast-2026-11-14.log",
                "holdfast-2026-11-21.log",
                "holdfast-2030-01-01.log",
                "holdfast-2026-1-2.log",
                "holdfast-2026-10-01.log.gz",
                "holdfast-2026-13-01.log",
                "app-2026-10-01.log",
                "notes.txt",
            ],
        );
        for name in go.iter().chain(&stay) {
            fs::write(folder.path().join(name), "x").expect("write");
        }
        fs::create_dir(folder.path().join("holdfast-2020-01-01.log")).expect("folder");
        remove_old(folder.path(), day("2026-11-21"), 0).expect("keeps all");
        assert!(folder.path().join(go[0]).exists());
        remove_old(folder.path(), day("2026-11-21"), 7).expect("removes");
        for name in go {
            assert!(!folder.path().join(name).exists(), "{name} stayed");
        }
        for name in stay.iter().chain(&["holdfast-2020-01-01.log"]) {
            assert!(folder.path().join(name).exists(), "{name} went");
        }
    }

    #[test]
    fn midnight_opens_the_next_file_and_old_lines_stay() {
        let folder = tempfile::tempdir().expect("folder");
        let inside = folder.path().join("logs");
        let daily = Daily::open("backup-db", &inside, day("2026-11-21")).expect("opens");
        daily.write(b"one\n", day("2026-11-21"));
        daily.write(b"two\n", day("2026-11-22"));
        Daily::open("backup-db", &inside, day("2026-11-21")).expect("opens").write(b"three\n", day("2026-11-21"));
        assert_eq!(fs::read_to_string(inside.join("holdfast-2026-11-21.log")).expect("reads"), "one\nthree\n");
        assert_eq!(fs::read_to_string(inside.join("holdfast-2026-11-22.log")).expect("reads"), "two\n");
        assert_eq!(fsx::mode_of(&inside.join("holdfast-2026-11-22.log")).expect("mode"), 0o600);
        assert_eq!(fsx::mode_of(&inside).expect("mode"), 0o700);
    }

    #[test]
    fn a_link_in_place_of_the_log_is_not_followed() {
        let folder = tempfile::tempdir().expect("folder");
        let target = folder.path().join("precious");
        fs::write(&target, "x").expect("write");
        std::os::unix::fs::symlink(&target, folder.path().join("holdfast-2026-11-21.log")).expect("link");
        assert!(Daily::open("backup-db", folder.path(), day("2026-11-21")).is_err());
        assert_eq!(fs::read_to_string(target).expect("reads"), "x");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn fm_b09_a_full_disk_under_the_log_only_warns() {
        let folder = tempfile::tempdir().expect("folder");
        let daily = Daily::open("backup-db", folder.path(), day("2026-11-21")).expect("opens");
        daily.write(b"fits\n", day("2026-11-21"));
        assert!(!daily.has_warned());
        daily.break_file(OpenOptions::new().write(true).open("/dev/full").expect("opens"));
        daily.write(b"lost\n", day("2026-11-21"));
        assert!(daily.has_warned());
    }
}
