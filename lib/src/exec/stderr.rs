//! A child's stderr, drained so that the child never blocks on it, and kept only as a bounded tail.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::secret::redact;

/// How much of the end of a child's stderr is kept; the rest, a flood, is thrown away.
pub(super) const TAIL_MAX_BYTES: usize = 64 << 10;
/// How long the end of stderr is waited for after the child has ended: a grandchild may hold it open.
const END_WAIT: Duration = Duration::from_secs(1);

pub(super) struct StderrTail {
    tail: Arc<Mutex<VecDeque<u8>>>,
    drain: JoinHandle<()>,
}

impl StderrTail {
    pub(super) fn open(name: &str) -> Result<(Self, io::PipeWriter)> {
        let (mut reader, writer) = io::pipe().map_err(|error| Error::from_io(format!("cannot make a pipe for {name}"), error))?;
        let tail = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&tail);
        let drain = std::thread::spawn(move || {
            let mut buffer = [0u8; 8192];
            loop {
                match reader.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(count) => {
                        let mut tail = kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                        tail.extend(&buffer[..count]);
                        let surplus = tail.len().saturating_sub(TAIL_MAX_BYTES);
                        tail.drain(..surplus);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
        });
        Ok((StderrTail { tail, drain }, writer))
    }

    pub(super) fn wait_for_end(&self) {
        let start = Instant::now();
        while !self.drain.is_finished() && start.elapsed() < END_WAIT {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The kept tail as text: secrets struck out, control characters made visible.
    pub(super) fn text(&self) -> String {
        let mut tail = self.tail.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        printable(&redact(&String::from_utf8_lossy(tail.make_contiguous())))
    }

    /// The line that says why: the last one that is an error, else the last one that is not empty.
    pub(super) fn last_line(&self) -> Option<String> {
        let text = self.text();
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let telling = |line: &&&str| ["ERROR:", "FATAL:", "error:"].iter().any(|word| line.contains(word));
        lines.iter().rev().find(telling).or(lines.last()).map(|line| (*line).to_owned())
    }
}

/// Control characters but newline and tab become `\u{1b}`-like text, so that no child can drive a terminal through us.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' && c != '\t' {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}
