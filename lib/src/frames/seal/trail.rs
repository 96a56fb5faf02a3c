//! Bringing to the disk what is written, and reading it back from there, while more is written: when a file ends, most of it is
//! proven. What is left, and whatever this could not prove, is for the [reading back at the end](super::Unread::read_back), which
//! says what is wrong with it.

use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, JoinHandle};

use crate::compression::Compression;
use crate::frames::codec::Decoder;
use crate::frames::index::Frame;
use crate::fsx;

/// The page cache lets go of nothing that reaches beyond what it is told. It holds a file in pieces of up to this size, and never in
/// larger ones than it was written in.
const PIECE_BYTES: u64 = 2 << 20;

/// File systems of which it is known that the wait for writing is one for the disk, and that what the cache has let go of is read from
/// there: ext2 to ext4, XFS. (Overlays forget the one, Btrfs packs in the background.) Elsewhere all is read back at the end.
#[cfg(target_os = "linux")]
const OBEDIENT: [i64; 2] = [0xef53, 0x5846_5342];

/// A frame that is in the file, and the CRC-32 of what it holds.
type Checked = (Frame, u32);

/// What was written since the last one.
pub(super) struct Window {
    pub(super) frames: Vec<Checked>,
    /// Whether nothing is to be expected behind it. Where there is more all the same, that is proven as the rest was.
    pub(super) is_all: bool,
}

/// A thread that follows the writing of a file.
pub(super) struct Trail {
    written: Option<Sender<Window>>,
    thread: Option<JoinHandle<usize>>,
    is_over: Arc<AtomicBool>,
}

impl Trail {
    /// Starts it, where the system can say when something has reached the disk.
    pub(super) fn start(path: &Path, compression: Compression) -> Option<Self> {
        // Opened by itself: an error of writing is told once to each who has opened the file, and the sync at the end must hear of it.
        let file = fsx::open_to_read(path).ok()?;
        if !is_obedient(&file) {
            return None;
        }
        let decoder = Decoder::new(compression).ok()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let (written, windows) = channel();
        let follower = Follower::new(file, decoder, Arc::clone(&is_over));
        let thread = Builder::new().name("read-back".to_owned()).spawn(move || follower.follow(&windows)).ok()?;
        Some(Trail { written: Some(written), thread: Some(thread), is_over })
    }

    /// These frames follow the ones before. False where it has ended early, and nobody brings them to the disk.
    pub(super) fn follow(&self, window: Window) -> bool {
        self.written.as_ref().is_some_and(|written| written.send(window).is_ok())
    }

    /// Ends it where it is, and tells how many frames, from the first on, hold on the disk what went into them.
    pub(super) fn proven(mut self) -> usize {
        self.end()
    }

    fn end(&mut self) -> usize {
        self.is_over.store(true, Ordering::Relaxed);
        self.written = None;
        self.thread.take().and_then(|thread| thread.join().ok()).unwrap_or(0)
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.end();
    }
}

struct Follower {
    file: File,
    decoder: Decoder,
    is_over: Arc<AtomicBool>,
    /// Frames that were not read back yet.
    early: VecDeque<Checked>,
    /// Up to here the disk was asked to take the file.
    asked: u64,
    /// Whether this is to all appearance its end.
    has_all: bool,
    stored: Vec<u8>,
    plain: Vec<u8>,
}

impl Follower {
    fn new(file: File, decoder: Decoder, is_over: Arc<AtomicBool>) -> Self {
        Follower { file, decoder, is_over, early: VecDeque::new(), asked: 0, has_all: false, stored: Vec::new(), plain: Vec::new() }
    }

    fn follow(mut self, windows: &Receiver<Window>) -> usize {
        let (mut proven, mut settled) = (0, 0);
        loop {
            // The last piece is still written to.
            let ready = if self.has_all { self.asked } else { self.asked / PIECE_BYTES * PIECE_BYTES };
            if ready <= settled {
                match windows.recv() {
                    Ok(window) => self.take(window),
                    Err(_) => return proven,
                }
                continue;
            }
            // Piece by piece: while one is unpacked the disk takes the next.
            let begin = settled / PIECE_BYTES * PIECE_BYTES;
            let end = ready.min(begin + PIECE_BYTES);
            if self.is_over() || !fsx::write_out(&self.file, begin, end - begin) {
                return proven;
            }
            // At the end of all also the rest of its last page.
            let length = if end == self.asked { 0 } else { end - begin };
            fsx::drop_cache(&self.file, begin, length);
            while let Some((frame, check)) = self.early.pop_front_if(|(frame, _)| end_of(frame) <= end) {
                if self.is_over() || !self.holds(&frame, check) {
                    return proven;
                }
                proven += 1;
                // What has come meanwhile does not wait for what is read.
                windows.try_iter().for_each(|window| self.take(window));
            }
            // To read it has brought it into the cache again, where nobody needs it.
            fsx::drop_cache(&self.file, begin, length);
            settled = end;
        }
    }

    /// Takes what was written, and asks the disk to take it too.
    fn take(&mut self, window: Window) {
        self.early.extend(window.frames);
        self.has_all = window.is_all;
        let end = self.early.back().map_or(self.asked, |(frame, _)| end_of(frame));
        fsx::start_writeback(&self.file, self.asked, end - self.asked);
        self.asked = end;
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    fn holds(&mut self, frame: &Frame, check: u32) -> bool {
        self.stored.resize(frame.stored_bytes as usize, 0);
        self.file.read_exact_at(&mut self.stored, frame.stored_offset).is_ok()
            && self.decoder.decode(&self.stored, frame.plain_bytes as usize, &mut self.plain).is_ok()
            && libdeflater::crc32(&self.plain) == check
    }
}

#[cfg(target_os = "linux")]
fn is_obedient(file: &File) -> bool {
    fsx::file_system_kind(file).is_some_and(|kind| OBEDIENT.contains(&kind))
}

#[cfg(not(target_os = "linux"))]
fn is_obedient(_: &File) -> bool {
    false
}

fn end_of(frame: &Frame) -> u64 {
    frame.stored_offset + u64::from(frame.stored_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn frames_are_proven_up_to_the_first_that_the_disk_does_not_hold() {
        let folder = tempfile::tempdir().expect("a folder");
        let (frame_bytes, count) = (PIECE_BYTES / 2 + 17, 9);
        let bytes: Vec<u8> = (0..frame_bytes * count).map(|at| (at % 251) as u8).collect();
        let frames = |file: &File| -> Vec<Checked> {
            file.write_all_at(&bytes, 0).expect("written");
            (0..count)
                .map(|number| {
                    let stored_offset = number * frame_bytes;
                    let length = u32::try_from(frame_bytes).expect("small");
                    let frame =
                        Frame { stored_offset, stored_bytes: length, plain_bytes: length, dictionary_start: 0, dictionary_chunks: 0 };
                    let range = stored_offset as usize..(stored_offset + frame_bytes) as usize;
                    (frame, libdeflater::crc32(&bytes[range]))
                })
                .collect()
        };
        let follow = |damage: Option<u64>, is_all: bool, is_over: bool| {
            let file = tempfile::tempfile_in(folder.path()).expect("a file");
            let frames = frames(&file);
            if let Some(at) = damage {
                file.write_all_at(&[255], at).expect("damaged");
            }
            let (written, windows) = channel();
            // All seems to be there twice before it is.
            frames.chunks(4).for_each(|frames| written.send(Window { frames: frames.to_vec(), is_all }).expect("sent"));
            drop(written);
            let decoder = Decoder::new(Compression::None).expect("a decoder");
            let is_over = Arc::new(AtomicBool::new(is_over));
            Follower::new(file, decoder, is_over).follow(&windows)
        };
        let on_whole_pieces = (frame_bytes * count / PIECE_BYTES * PIECE_BYTES / frame_bytes) as usize;
        assert_eq!(follow(None, false, false), on_whole_pieces);
        assert_eq!(follow(None, true, false), count as usize);
        assert_eq!(follow(Some(frame_bytes * count - 1), true, false), count as usize - 1);
        assert_eq!(follow(Some(5 * frame_bytes + 3), true, false), 5);
        assert_eq!(follow(Some(0), false, false), 0);
        assert_eq!(follow(None, true, true), 0);
    }
}
