//! The log: one file a day in a folder, and stderr with `-v`.
//!
//! Each line is one write to a file opened for appending, so runs side by side do not mix within a line. A log that
//! cannot be written never fails the work it tells of; it is warned about once.

mod daily;

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use holdfast::clock;
use holdfast::secret;
use tracing::Level;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::text::visible;
use daily::Daily;

/// Sends what the library has to tell to `holdfast-YYYY-MM-DD.log` in `folder` (private, created where missing), and
/// with `verbose` to stderr. Of files with such names those more than `keep_days` old are removed; 0 keeps all.
///
/// Without a folder there is only stderr. Returns what went wrong, for [`crate::Out::warn`]; the work goes on. Called
/// once; a second call changes nothing.
pub fn start(tool: &'static str, folder: Option<&Path>, keep_days: u32, verbose: u8) -> Vec<String> {
    let mut troubles = Vec::new();
    let stamp = Stamp { tool, pid: std::process::id() };
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = Vec::new();
    if let Some(folder) = folder {
        let today = clock::now().date_naive();
        match Daily::open(tool, folder, today) {
            Ok(daily) => {
                troubles.extend(daily::remove_old(folder, today, keep_days).err().map(|error| error.to_string()));
                let daily = Arc::new(daily);
                let file = layer(stamp, move || Lines(LogEnd::File(Arc::clone(&daily))), level(verbose.max(1)));
                layers.push(file);
            }
            Err(error) => troubles.push(format!("this run is not logged: {error}")),
        }
    }
    if verbose > 0 {
        layers.push(layer(stamp, || Lines(LogEnd::Stderr), level(verbose)));
    }
    if !layers.is_empty() {
        let _ = tracing_subscriber::registry().with(layers).try_init();
    }
    troubles
}

/// What `-v`, `-vv` and `-vvv` let through. The file has at least what `-v` shows.
fn level(verbose: u8) -> LevelFilter {
    LevelFilter::from_level(match verbose {
        0 | 1 => Level::INFO,
        2 => Level::DEBUG,
        _ => Level::TRACE,
    })
}

fn layer<M>(stamp: Stamp, lines: M, level: LevelFilter) -> Box<dyn Layer<Registry> + Send + Sync>
where
    M: Fn() -> Lines + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_timer(stamp).with_writer(lines).with_ansi(false).log_internal_errors(false);
    layer.with_filter(level).boxed()
}

/// How a line begins: `2026-11-21T13:00:00.000Z backup-db[4121]`.
#[derive(Clone, Copy)]
struct Stamp {
    tool: &'static str,
    pid: u32,
}

impl FormatTime for Stamp {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{} {}[{}]", clock::now().format("%Y-%m-%dT%H:%M:%S%.3fZ"), self.tool, self.pid)
    }
}

/// Takes one event a write, and makes one harmless line of it: secrets struck out, control characters escaped.
struct Lines(LogEnd);

enum LogEnd {
    File(Arc<Daily>),
    Stderr,
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = clean(&String::from_utf8_lossy(bytes));
        match &self.0 {
            LogEnd::File(daily) => daily.write(line.as_bytes(), clock::now().date_naive()),
            LogEnd::Stderr => {
                let _ = io::stderr().write_all(line.as_bytes());
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn clean(event: &str) -> String {
    format!("{}\n", visible(&secret::redact(event.trim_end_matches('\n'))))
}

#[cfg(test)]
mod tests;
