//! What goes where: the result to stdout, everything else to stderr.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use holdfast::error::{Error, Result};
use holdfast::progress::Progress;
use holdfast::secret;
use serde::Serialize;
use serde_json::json;

use crate::bar::Bar;
use crate::common::Common;
use crate::said::Said;
use crate::table::{Shade, Table};
use crate::terminal::Looks;
use crate::text::visible;

/// What is read and printed at a time of a result that is bytes.
const COPY_BYTES: usize = 256 << 10;

/// How talkative to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Voice {
    /// The result is one JSON document.
    pub json: bool,
    /// No notes, no progress.
    pub quiet: bool,
    /// How many `-v`.
    pub verbose: u8,
}

impl From<&Common> for Voice {
    fn from(common: &Common) -> Self {
        Voice { json: common.json, quiet: common.quiet, verbose: common.verbose }
    }
}

/// The two streams of a binary. It also is the [`Progress`] that verbs are given: a bar on stderr, on a terminal only.
pub struct Out {
    tool: &'static str,
    voice: Voice,
    stdout: Mutex<Box<dyn Write + Send>>,
    stdout_looks: Looks,
    stderr: Mutex<Box<dyn Write + Send>>,
    stderr_looks: Looks,
    /// Whether the one JSON document has been printed.
    answered: AtomicBool,
    bar: Bar,
    /// What commands in hints are completed with.
    said: Said,
}

impl Out {
    /// The process's own streams.
    pub fn new(tool: &'static str, voice: Voice) -> Self {
        let (stdout, stderr) = (io::stdout(), io::stderr());
        let (stdout_looks, stderr_looks) = (Looks::of(&stdout), Looks::of(&stderr));
        Self::over(tool, voice, (Box::new(stdout), stdout_looks), (Box::new(stderr), stderr_looks))
    }

    fn over(tool: &'static str, voice: Voice, stdout: (Box<dyn Write + Send>, Looks), stderr: (Box<dyn Write + Send>, Looks)) -> Self {
        // With -v, lines of the log run over stderr, which a bar would tear apart.
        let bar = Bar::new(stderr.1.terminal && !voice.quiet && voice.verbose == 0);
        Out {
            tool,
            voice,
            answered: AtomicBool::new(false),
            stdout: Mutex::new(stdout.0),
            stdout_looks: stdout.1,
            stderr: Mutex::new(stderr.0),
            stderr_looks: stderr.1,
            bar,
            said: Said::default(),
        }
    }

    /// The same, where commands in hints are completed with the flags of this run.
    #[must_use]
    pub fn with(self, said: Said) -> Self {
        Out { said, ..self }
    }

    /// A text with commands to paste, each with the flags of this run: errors' hints are told like that.
    pub fn to_paste(&self, text: &str) -> String {
        self.said.complete(text)
    }

    /// Whether the result must be one JSON document.
    pub fn is_json(&self) -> bool {
        self.voice.json
    }

    /// What stdout can show.
    pub fn looks(&self) -> Looks {
        self.stdout_looks
    }

    /// Prints one line of the result. A reader or a terminal that has gone away is no error.
    pub fn line(&self, text: &str) -> Result<()> {
        if self.stdout_looks.terminal { self.print(&visible(text)) } else { self.print(text) }
    }

    /// Prints a result of many lines as it is, for instance Prometheus text.
    pub fn text(&self, text: &str) -> Result<()> {
        if self.stdout_looks.terminal {
            let lines: Vec<_> = text.lines().map(visible).collect();
            self.print(&lines.join("\n"))
        } else {
            self.print(text.strip_suffix('\n').unwrap_or(text))
        }
    }

    /// Prints a result that is a table.
    pub fn table(&self, table: &Table) -> Result<()> {
        self.print(&table.render(self.stdout_looks))
    }

    /// Prints the result as one JSON document on one line. JSON escapes control characters by itself.
    pub fn document(&self, document: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string(document).map_err(|error| Error::failed("cannot write the result as JSON").because(error))?;
        self.answered.store(true, Ordering::Relaxed);
        self.print(&text)
    }

    /// A plan: one line a fact and a step, or one document with `--json`.
    pub fn plan(&self, document: &impl Serialize, lines: &[String]) -> Result<()> {
        if self.is_json() {
            return self.document(document);
        }
        if self.stdout_looks.terminal || lines.is_empty() {
            return lines.iter().try_for_each(|line| self.line(line));
        }
        // At once: a plan may have a line for each of very many backups.
        self.print(&lines.join("\n"))
    }

    /// Says something on stderr that a person at a terminal wants to know; nothing under cron or with `-q`.
    pub fn note(&self, text: &str) {
        if !self.voice.quiet && (self.stderr_looks.terminal || self.voice.verbose > 0) {
            self.say(&visible(&secret::redact(text)));
        }
    }

    /// Says on stderr what was asked for, where stdout is not ours: also under cron, but not with `-q`.
    pub fn tell(&self, text: &str) {
        if !self.voice.quiet {
            self.say(&format!("{}: {}", self.tool, visible(&secret::redact(text))));
        }
    }

    /// Says something on stderr that must be known, even with `-q`.
    pub fn warn(&self, text: &str) {
        let warning = Shade::Warning.paint("warning:", self.stderr_looks.colour);
        self.say(&format!("{}: {warning} {}", self.tool, visible(&secret::redact(text))));
    }

    /// Tells an error: `tool: what: why` and its hint on stderr, and with `--json` an object on stdout.
    pub fn error(&self, error: &Error) {
        let (what, hint) = self.tell_error(error);
        self.error_document(&what, hint.as_deref(), error.kind().status());
    }

    /// As [`Out::error`], for what the document that follows tells in its own fields.
    pub fn say_error(&self, error: &Error) {
        self.tell_error(error);
    }

    fn tell_error(&self, error: &Error) -> (String, Option<String>) {
        let what = secret::redact(&error.to_string());
        let hint = error.next_step().map(|hint| secret::redact(&self.to_paste(hint)));
        tracing::error!(status = error.kind().status(), "{what}");
        let tool = Shade::Bad.paint(&format!("{}:", self.tool), self.stderr_looks.colour);
        let mut message = format!("{tool} {}", visible(&what));
        for line in hint.iter().flat_map(|hint| hint.lines()) {
            message.push_str(&format!("\nhint: {}", visible(line)));
        }
        self.say(&message);
        (what, hint)
    }

    /// With `--json`, the error as an object on stdout, unless the result stands there already: two documents would be
    /// one too many for the reader. That it cannot be written changes nothing any more.
    pub(crate) fn error_document(&self, what: &str, hint: Option<&str>, status: u8) {
        if self.voice.json && !self.answered.load(Ordering::Relaxed) {
            let _ = self.document(&json!({ "error": { "what": what, "hint": hint, "status": status } }));
        }
    }

    /// Prints a result that is bytes, as they are; on a terminal as [`Out::text`] does. A reader that has gone away ends it.
    pub fn copy(&self, from: &mut dyn Read) -> Result<()> {
        let cannot = |error| Error::from_io("cannot read what is to be printed", error);
        let mut from = BufReader::with_capacity(COPY_BYTES, from);
        loop {
            let mut part = Vec::new();
            if self.stdout_looks.terminal {
                // A line at a time, and of one without an end no more than fits.
                (&mut from).take(COPY_BYTES as u64).read_until(b'\n', &mut part).map_err(cannot)?;
                if !part.is_empty() {
                    self.print(&visible(String::from_utf8_lossy(&part).trim_end_matches('\n')))?;
                }
            } else {
                part.extend_from_slice(from.fill_buf().map_err(cannot)?);
                from.consume(part.len());
                if self.write(&part)?.is_break() {
                    return Ok(());
                }
            }
            if part.is_empty() {
                return Ok(());
            }
        }
    }

    fn print(&self, text: &str) -> Result<()> {
        self.write(format!("{text}\n").as_bytes()).map(|_| ())
    }

    /// Writes to stdout. Broken off where there is nobody to read any more, which is no error.
    fn write(&self, bytes: &[u8]) -> Result<ControlFlow<()>> {
        let mut printed = Ok(());
        // Both streams may be the same terminal.
        self.bar.aside(|| {
            let mut stdout = locked(&self.stdout);
            printed = stdout.write_all(bytes).and_then(|()| stdout.flush());
        });
        match printed {
            Ok(()) => Ok(ControlFlow::Continue(())),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ControlFlow::Break(())),
            // So does a terminal that was closed say; from a file it would be a broken disk.
            Err(error) if self.stdout_looks.terminal && error.raw_os_error() == Some(nix::libc::EIO) => Ok(ControlFlow::Break(())),
            Err(error) => {
                let lost = Error::failed("cannot write the result to stdout").because(error);
                Err(lost.hint("only the message was lost: what was done by then stays done; see restore-db --list"))
            }
        }
    }

    /// Prints lines to stderr. There is nobody to tell when that fails.
    pub(crate) fn say(&self, lines: &str) {
        self.bar.aside(|| {
            let _ = locked(&self.stderr).write_all(format!("{lines}\n").as_bytes());
        });
    }
}

impl Progress for Out {
    fn begin(&self, stage: &str, total_bytes: Option<u64>) {
        self.bar.begin(stage, total_bytes);
    }

    fn reached(&self, done_bytes: u64) {
        self.bar.reached(done_bytes);
    }

    fn reached_files(&self, done_files: u64) {
        self.bar.reached_files(done_files);
    }

    fn end(&self) {
        self.bar.end();
    }
}

fn locked(stream: &Mutex<Box<dyn Write + Send>>) -> MutexGuard<'_, Box<dyn Write + Send>> {
    stream.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
pub(crate) mod tests;
