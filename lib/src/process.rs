//! Processes of this machine, told apart for good: a process id is used again, but not with the same start.

use serde::{Deserialize, Serialize};

use crate::secret::redact;

/// A process, as a journal remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its command line, for people.
    pub command: String,
    /// When it started, in clock ticks since the machine did (Linux).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    started: Option<u64>,
    /// Which start of the machine that was (Linux).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot: Option<String>,
}

impl Process {
    /// The process that has this id now; `command` is what to call it.
    pub fn of(pid: i32, command: impl Into<String>) -> Self {
        Process { pid, command: command.into(), started: Stat::of(pid).map(|stat| stat.started), boot: boot() }
    }

    /// This very process.
    pub fn own() -> Self {
        let pid = nix::unistd::getpid().as_raw();
        Self::of(pid, command_line(pid))
    }

    /// Whether that very process still runs. One that has ended and was not yet waited for does not.
    ///
    /// Where there is no /proc, any process that has the id now counts.
    pub fn is_alive(&self) -> bool {
        if self.boot.is_none() || self.started.is_none() {
            return nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.pid), None) != Err(nix::errno::Errno::ESRCH);
        }
        self.boot == boot() && Stat::of(self.pid).is_some_and(|stat| Some(stat.started) == self.started && !stat.has_ended())
    }
}

/// Every running process but this one that was started with a variable of this value in its environment, or inherited it, as far
/// as the system lets us see (Linux: those of our own user, or all for root).
pub fn with_variable(name: &str, value: &str) -> Vec<Process> {
    let entry = format!("{name}={value}");
    let own = nix::unistd::getpid().as_raw();
    let has_it = |pid: i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|found| found == entry.as_bytes())
    };
    let living = Stat::all().into_iter().filter(|stat| stat.pid != own && !stat.has_ended());
    living.filter(|stat| has_it(stat.pid)).map(|stat| Process::of(stat.pid, command_line(stat.pid))).collect()
}

/// Processes in a sentence: `12 (sleep 60), 13 (make)`.
pub fn list(processes: &[Process]) -> String {
    processes.iter().map(|process| format!("{} ({})", process.pid, process.command)).collect::<Vec<_>>().join(", ")
}

/// The id of this start of the machine.
fn boot() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|text| text.trim().to_owned())
}

/// What `/proc/PID/stat` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) pid: i32,
    pub(crate) state: char,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) started: u64,
}

impl Stat {
    /// Of one process; nothing where there is none, or no /proc.
    pub(crate) fn of(pid: i32) -> Option<Self> {
        Self::parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Of every process that can be seen.
    pub(crate) fn all() -> Vec<Self> {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        entries.filter_map(|entry| Self::of(entry.file_name().to_str()?.parse().ok()?)).collect()
    }

    /// Ended, but not yet waited for.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self.state, 'Z' | 'X' | 'x')
    }

    /// Stopped by job control.
    pub(crate) fn is_stopped(&self) -> bool {
        self.state == 'T'
    }

    /// `PID (NAME) STATE PARENT GROUP …`; the name may hold spaces and parentheses, the last one ends it.
    fn parse(line: &[u8]) -> Option<Self> {
        let end = line.iter().rposition(|byte| *byte == b')')?;
        let pid = std::str::from_utf8(line.split(|byte| *byte == b' ').next()?).ok()?.parse().ok()?;
        let rest = std::str::from_utf8(&line[end + 1..]).ok()?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        Some(Stat {
            pid,
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            // The 22nd of all fields, of which two stand before these.
            started: fields.get(19)?.parse().ok()?,
        })
    }
}

/// The command line of a process, or its name in brackets where it shows none.
pub(crate) fn command_line(pid: i32) -> String {
    let read = |file: &str| std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let words = read("cmdline");
    let words: Vec<_> = words.split(|byte| *byte == 0).filter(|word| !word.is_empty()).map(String::from_utf8_lossy).collect();
    if words.is_empty() { format!("[{}]", String::from_utf8_lossy(&read("comm")).trim_end()) } else { redact(&words.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_shift_the_fields() {
        let line = b"42 (a) S 1 (b c) T 7 40 40 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 123456 1 2 3";
        assert_eq!(Stat::parse(line), Some(Stat { pid: 42, state: 'T', parent: 7, group: 40, started: 123_456 }));
        assert_eq!(Stat::parse(b"42 (cut off) S 1"), None);
    }

    #[test]
    fn a_process_is_found_by_what_it_inherited() {
        let value = format!("of {}", std::process::id());
        let mut child = std::process::Command::new("sh")
            .args(["-c", "sleep 60 & echo; wait"])
            .env("HOLDFAST_TEST_INHERITED", &value)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("a start");
        let mut line = [0];
        std::io::Read::read_exact(child.stdout.as_mut().expect("a pipe"), &mut line).expect("its child is there");
        let found = with_variable("HOLDFAST_TEST_INHERITED", &value);
        child.kill().expect("killed");
        child.wait().expect("reaped");
        let orphans = with_variable("HOLDFAST_TEST_INHERITED", &value);
        for process in &orphans {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(process.pid), nix::sys::signal::Signal::SIGKILL);
        }
        if cfg!(target_os = "linux") {
            assert!(found.iter().any(|process| i64::from(process.pid) == i64::from(child.id())), "{found:?}");
            assert!(list(&orphans).contains("(sleep 60)"), "{orphans:?}");
        }
        assert!(with_variable("HOLDFAST_TEST_INHERITED", "of nobody").is_empty());
    }

    #[test]
    fn a_process_is_known_by_its_start_and_not_by_its_number_alone() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("a start");
        let pid = i32::try_from(child.id()).expect("a pid");
        let noted = Process::of(pid, "sleep 60");
        let text = serde_json::to_string(&noted).expect("JSON");
        let read: Process = serde_json::from_str(&text).expect("a process");
        assert_eq!(read, noted);
        assert!(read.is_alive());
        let other = Process { started: read.started.map(|ticks| ticks + 1), ..read.clone() };
        assert_eq!(other.is_alive(), other.started.is_none(), "another process with the same id");
        let earlier = Process { boot: read.boot.as_ref().map(|_| "another start".to_owned()), ..read.clone() };
        assert_eq!(earlier.is_alive(), earlier.boot.is_none(), "the same id before the machine was started again");

        child.kill().expect("killed");
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert!(!read.is_alive() || read.started.is_none(), "it has ended, though nobody has waited for it");
        child.wait().expect("reaped");
        assert!(!read.is_alive());
    }
}
