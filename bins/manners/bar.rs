//! The progress bar, on a terminal only.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Work that is done sooner shows no bar: one that only flashes up disturbs.
const SHOW_AFTER: Duration = Duration::from_millis(400);

/// A bar for one stage at a time, made when the stage has lasted [`SHOW_AFTER`].
pub(crate) struct Bar {
    wanted: bool,
    stage: Mutex<Option<Stage>>,
}

struct Stage {
    name: String,
    total_bytes: Option<u64>,
    begun: Instant,
    bar: Option<ProgressBar>,
}

impl Bar {
    /// A bar that is drawn on stderr if it is `wanted`.
    pub(crate) fn new(wanted: bool) -> Self {
        Bar { wanted, stage: Mutex::new(None) }
    }

    pub(crate) fn begin(&self, name: &str, total_bytes: Option<u64>) {
        if self.wanted {
            self.end();
            *self.stage() = Some(Stage { name: name.to_owned(), total_bytes, begun: Instant::now(), bar: None });
        }
    }

    pub(crate) fn reached(&self, done_bytes: u64) {
        if !self.wanted {
            return;
        }
        if let Some(stage) = self.stage().as_mut()
            && stage.begun.elapsed() >= SHOW_AFTER
        {
            let bar = stage.bar.get_or_insert_with(|| draw(&stage.name, stage.total_bytes));
            // Totals are estimates; a bar beyond its end would say nothing.
            if bar.length().is_some_and(|length| length < done_bytes) {
                bar.set_length(done_bytes);
            }
            bar.set_position(done_bytes);
        }
    }

    pub(crate) fn reached_files(&self, done_files: u64) {
        if !self.wanted {
            return;
        }
        if let Some(Stage { name, bar: Some(bar), .. }) = self.stage().as_ref() {
            bar.set_message(format!("{name}, {done_files} files"));
        }
    }

    pub(crate) fn end(&self) {
        if let Some(Stage { bar: Some(bar), .. }) = self.stage().take() {
            bar.finish_and_clear();
        }
    }

    /// Runs `print` while the bar is off the screen.
    pub(crate) fn aside(&self, print: impl FnOnce()) {
        match self.stage().as_ref().and_then(|stage| stage.bar.as_ref()) {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn stage(&self) -> MutexGuard<'_, Option<Stage>> {
        self.stage.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.end();
    }
}

fn draw(name: &str, total_bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match total_bytes {
        Some(total) => (ProgressBar::new(total), "{msg} [{bar:30}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}"),
        None => (ProgressBar::new_spinner(), "{msg} {binary_bytes} {binary_bytes_per_sec} {elapsed}"),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.with_message(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unwanted_bar_keeps_nothing() {
        let bar = Bar::new(false);
        bar.begin("dump", Some(10));
        bar.reached(5);
        assert!(bar.stage().is_none());
    }

    #[test]
    fn a_bar_comes_late_grows_with_its_work_and_goes() {
        let bar = Bar::new(true);
        bar.begin("dump", Some(10));
        bar.reached(5);
        assert!(bar.stage().as_ref().is_some_and(|stage| stage.bar.is_none()), "shown at once");
        if let Some(stage) = bar.stage().as_mut() {
            stage.begun = Instant::now().checked_sub(SHOW_AFTER).expect("the clock is past its start");
        }
        bar.reached(25);
        assert_eq!(bar.stage().as_ref().and_then(|stage| stage.bar.as_ref()?.length()), Some(25));
        bar.end();
        assert!(bar.stage().is_none());
    }

    #[test]
    fn both_templates_are_valid() {
        for total in [None, Some(1)] {
            let bar = draw("dump", total);
            assert_eq!(bar.message(), "dump");
        }
    }
}
