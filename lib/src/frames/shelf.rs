//! The components that an increment's chunks lie in, each chunk read where it lies.

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::codec::Decoder;
use super::index::{Frame as Stored, Outline};
use super::{FRAME_MAX_BYTES, against, workers};
use crate::compression::Compression;
use crate::error::{Error, OnPath, Result};
use crate::fsx;
use crate::interrupt;

/// Unpacked frames that are kept: neighbouring chunks lie in the same few frames, of one backup or another.
const KEPT_FRAMES_PER_WORKER: usize = 16;

/// A component of a backup: its file, and what lies in that. Less than its index, since a chain may have many of them.
pub struct Volume {
    path: PathBuf,
    file: File,
    codec: Compression,
    frames: Vec<Stored>,
    dictionaries: Vec<u32>,
    /// The chunks that it holds itself, by their numbers.
    own: Vec<Own>,
    stands_alone: bool,
}

/// A chunk in its frame.
#[derive(Clone, Copy)]
struct Own {
    number: u32,
    frame: u32,
    begin: u32,
    bytes: u32,
}

impl Volume {
    /// Opens a component's file and finds it as long as its index says.
    pub fn open(path: &Path, outline: &Outline) -> Result<Self> {
        let file = fsx::open_held(path)?;
        let size = file.metadata().on("look at", path)?.len();
        if size != outline.stored_bytes() {
            return Err(Error::bad(format!("{} has {size} bytes, its index says {}", path.display(), outline.stored_bytes())));
        }
        let mut own = Vec::new();
        let (mut frame, mut begin) = (0, 0);
        for (number, chunk) in outline.own() {
            if chunk.place != frame {
                (frame, begin) = (chunk.place, 0);
            }
            own.push(Own { number, frame, begin, bytes: chunk.bytes });
            begin += chunk.bytes;
        }
        Ok(Volume {
            path: path.to_owned(),
            file,
            codec: outline.codec(),
            frames: outline.frames().to_vec(),
            dictionaries: outline.dictionaries().to_vec(),
            own,
            stands_alone: outline.sources().is_empty() && outline.dictionaries().is_empty(),
        })
    }

    /// How many chunks it holds itself.
    pub(super) fn own_chunks(&self) -> u32 {
        u32::try_from(self.own.len()).unwrap_or(u32::MAX)
    }

    fn own(&self, number: usize) -> Option<Own> {
        let is_it = |own: &&Own| own.number as usize == number;
        // In a full, which holds all of them, it is where it is looked for first.
        self.own.get(number).filter(is_it).copied().or_else(|| {
            let at = self.own.partition_point(|own| (own.number as usize) < number);
            self.own.get(at).filter(is_it).copied()
        })
    }

    fn damaged(&self, number: usize, error: &Error) -> Error {
        super::open::damaged_frame(&self.path, &self.frames, number, error)
    }
}

/// The volumes of one component: first the full, then what else its chunks lie in.
pub struct Shelf {
    /// By the number of the source, less one; none where no chunk lies in it.
    volumes: Vec<Option<Arc<Volume>>>,
    kept: Mutex<Kept>,
}

type Frame = Arc<Vec<u8>>;
/// A frame that one worker unpacks, and for which the others wait.
type Slot = Arc<Mutex<Option<Frame>>>;

#[derive(Default)]
struct Kept {
    slots: HashMap<(usize, usize), (Slot, u64)>,
    uses: u64,
}

impl Shelf {
    /// A shelf of these, in the order of an index's sources. The first is the full, which stands alone; the others may hold
    /// frames that are compressed against its chunks.
    pub fn new(volumes: Vec<Option<Volume>>) -> Result<Self> {
        let shelf = Shelf { volumes: volumes.into_iter().map(|volume| volume.map(Arc::new)).collect(), kept: Mutex::default() };
        let full = shelf.volume(0)?;
        if full.stands_alone {
            return Ok(shelf);
        }
        Err(Error::bad(format!("{} is the base of an increment and an increment itself", full.path.display())))
    }

    /// The same with one volume more.
    #[must_use]
    pub fn with(&self, volume: Volume) -> Self {
        let volumes = self.volumes.iter().cloned().chain([Some(Arc::new(volume))]).collect();
        Shelf { volumes, kept: Mutex::default() }
    }

    /// The number of the volume that was added last.
    pub(super) fn last(&self) -> usize {
        self.volumes.len() - 1
    }

    fn volume(&self, number: usize) -> Result<&Volume> {
        let found = self.volumes.get(number).and_then(Option::as_deref);
        found.ok_or_else(|| Error::bad("a chunk lies in a backup that is not named"))
    }

    fn slot(&self, volume: usize, number: usize) -> Slot {
        let mut kept = lock(&self.kept);
        kept.uses += 1;
        let now = kept.uses;
        if let Some((slot, used)) = kept.slots.get_mut(&(volume, number)) {
            *used = now;
            return Arc::clone(slot);
        }
        if kept.slots.len() >= workers() * KEPT_FRAMES_PER_WORKER
            && let Some(oldest) = kept.slots.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key)
        {
            kept.slots.remove(&oldest);
        }
        let slot = Slot::default();
        kept.slots.insert((volume, number), (Arc::clone(&slot), now));
        slot
    }
}

/// A worker that takes chunks off a shelf.
pub struct Picker {
    shelf: Arc<Shelf>,
    decoders: Vec<Option<Decoder>>,
    /// The frame that the last chunk was in, and mostly the next one is.
    last: Option<(usize, usize, Frame)>,
}

/// The bytes of a chunk, in the frame that it lies in.
pub struct Piece {
    frame: Frame,
    range: Range<usize>,
}

impl Piece {
    /// The chunk's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.frame[self.range.clone()]
    }
}

impl Picker {
    /// A worker at this shelf.
    pub fn new(shelf: &Arc<Shelf>) -> Self {
        Picker { shelf: Arc::clone(shelf), decoders: shelf.volumes.iter().map(|_| None).collect(), last: None }
    }

    /// The chunk with this number in a volume's index, which must lie in that volume itself.
    pub fn chunk(&mut self, volume: usize, number: usize) -> Result<Piece> {
        let shelf = Arc::clone(&self.shelf);
        let held = shelf.volume(volume)?;
        let own = held.own(number).ok_or_else(|| Error::bad(format!("{} does not hold the chunk {number}", held.path.display())))?;
        let frame = self.frame(volume, own.frame as usize)?;
        let range = own.begin as usize..own.begin as usize + own.bytes as usize;
        if range.end > frame.len() {
            return Err(Error::bad(format!("{} is damaged: a chunk reaches beyond its frame", held.path.display())));
        }
        Ok(Piece { frame, range })
    }

    fn frame(&mut self, volume: usize, number: usize) -> Result<Frame> {
        if let Some((last_volume, last_number, frame)) = &self.last
            && (*last_volume, *last_number) == (volume, number)
        {
            return Ok(Arc::clone(frame));
        }
        let slot = self.shelf.slot(volume, number);
        let mut held = lock(&slot);
        let frame = match &*held {
            Some(frame) => Arc::clone(frame),
            None => {
                let mut plain = Vec::new();
                self.unpack(volume, number, &mut plain)?;
                Arc::clone(held.insert(Arc::new(plain)))
            }
        };
        self.last = Some((volume, number, Arc::clone(&frame)));
        Ok(frame)
    }

    /// Unpacks a frame from the disk into `plain`, whose content is replaced.
    pub fn unpack(&mut self, volume: usize, number: usize, plain: &mut Vec<u8>) -> Result<()> {
        interrupt::check()?;
        let shelf = Arc::clone(&self.shelf);
        let held = shelf.volume(volume)?;
        let frame = held.frames.get(number).copied().ok_or_else(|| Error::bad("a frame is not there"))?;
        let mut stored = vec![0; frame.stored_bytes as usize];
        held.file.read_exact_at(&mut stored, frame.stored_offset).on("read", &held.path)?;
        let numbers = &held.dictionaries[frame.dictionary_start as usize..][..frame.dictionary_chunks as usize];
        let unpacked = if numbers.is_empty() {
            let decoder = &mut self.decoders[volume];
            let decoder = match decoder {
                Some(decoder) => decoder,
                None => decoder.insert(Decoder::new(held.codec)?),
            };
            decoder.decode(&stored, frame.plain_bytes as usize, plain)
        } else {
            let dictionary = self.gather(numbers)?;
            against::decode(held.codec, &dictionary, &stored, frame.plain_bytes as usize, plain)
        };
        unpacked.map_err(|error| held.damaged(number, &error))
    }

    /// The bytes of these chunks of the full, one after the other: a dictionary.
    pub fn gather(&mut self, numbers: &[u32]) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        for number in numbers {
            bytes.extend_from_slice(self.chunk(0, *number as usize)?.bytes());
            if bytes.len() > FRAME_MAX_BYTES {
                return Err(Error::bad("a frame's dictionary is too long"));
            }
        }
        Ok(bytes)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
