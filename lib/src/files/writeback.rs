//! The disk works while the next files are made, so that the sync at the end has little left to wait for. To ask for that waits for
//! its turn at the disk, and so a thread of its own asks.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use crate::fsx;

/// The disk is asked once for so many bytes, …
const BATCH_BYTES: u64 = 16 << 20;
/// … or for so many files. Three times as many may be open: those that gather, wait and are asked for.
const BATCH_FILES: usize = 16;

/// Files that are written, and that the disk may have.
#[derive(Default)]
pub(super) struct Writeback {
    files: Vec<File>,
    bytes: u64,
    asker: Option<Asker>,
}

struct Asker {
    batches: SyncSender<Vec<File>>,
    thread: JoinHandle<()>,
    is_over: Arc<AtomicBool>,
}

impl Writeback {
    /// Takes a file that is complete. Nothing waits for the disk: while it is behind, files are left to the sync at the end.
    pub(super) fn take(&mut self, file: File, bytes: u64) {
        if !cfg!(target_os = "linux") {
            return;
        }
        self.files.push(file);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes < BATCH_BYTES && self.files.len() < BATCH_FILES {
            return;
        }
        self.bytes = 0;
        let batch = std::mem::take(&mut self.files);
        if self.asker.is_none() {
            self.asker = Asker::start();
        }
        if let Some(asker) = &self.asker {
            let _ = asker.batches.try_send(batch);
        }
    }
}

impl Drop for Writeback {
    fn drop(&mut self) {
        if let Some(Asker { batches, thread, is_over }) = self.asker.take() {
            // The sync does what is left, and after an error nobody wants it.
            is_over.store(true, Ordering::Relaxed);
            drop(batches);
            let _ = thread.join();
        }
    }
}

impl Asker {
    fn start() -> Option<Self> {
        let (batches, asked) = sync_channel(1);
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = Builder::new().name("writeback".to_owned()).spawn(move || ask(&asked, &over)).ok()?;
        Some(Asker { batches, thread, is_over })
    }
}

fn ask(batches: &Receiver<Vec<File>>, is_over: &AtomicBool) {
    for file in batches.iter().flatten() {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        // To the end of the file, however long it is.
        fsx::start_writeback(&file, 0, 0);
    }
}
