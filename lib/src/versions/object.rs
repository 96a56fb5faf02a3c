//! Objects: each content once, compressed, under the hash of its plain bytes.
//!
//! An object is a run of gzip members or of zstd frames, and its first bytes say which: `gunzip` and `zstd -d` open it.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::draft::Draft;
use super::name::is_hex;
use super::{BUFFER_BYTES, OBJECTS};
use crate::compression::Compression;
use crate::error::{Error, OnPath, Result};
use crate::frames::FRAME_PLAIN_BYTES;
use crate::frames::codec::Encoder;
use crate::fsx;
use crate::interrupt;
use crate::progress::Progress;
use crate::sync_state;

/// How an object begins, by the way it is compressed.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// Whether a text has the form of an object's name.
pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && is_hex(text)
}

/// Where the object of a content is.
pub(super) fn path_of(root: &Path, sha256: &str) -> PathBuf {
    root.join(OBJECTS).join(&sha256[..2]).join(&sha256[2..4]).join(sha256)
}

/// Compresses a content into a draft in `root`, and reads that back from the disk. None where the content is another than
/// the one that was announced: it was changed meanwhile.
pub(super) fn write(
    root: &Path,
    plain: &mut dyn Read,
    (sha256, bytes): (&str, u64),
    compression: Compression,
    progress: &dyn Progress,
) -> Result<Option<Draft>> {
    let mut draft = Draft::create(root)?;
    let mut encoder = Encoder::new(compressed(compression))?;
    let (mut hash, mut done, mut stored) = (Sha256::new(), 0, Vec::new());
    let mut frame = vec![0; FRAME_PLAIN_BYTES];
    progress.begin("save", Some(bytes));
    loop {
        interrupt::check()?;
        let count = fill(plain, &mut frame).map_err(|error| Error::from_io("cannot read the file", error))?;
        done += count as u64;
        // An empty content is one empty frame.
        if (count == 0 && done > 0) || done > bytes {
            break;
        }
        hash.update(&frame[..count]);
        encoder.encode(&frame[..count], &mut stored)?;
        let path = draft.path().to_owned();
        fsx::step().and_then(|()| draft.file().write_all(&stored)).on("write", &path)?;
        progress.reached(done);
        if count < frame.len() {
            break;
        }
    }
    progress.end();
    if done != bytes || fsx::hex(&hash.finalize()) != sha256 {
        return Ok(None);
    }
    draft.sync()?;
    fsx::drop_cache(draft.file(), 0, 0);
    Reader::open(draft.path(), sha256, bytes)?
        .drain()
        .map_err(|error| error.hint("it was read back at once and is another: is the disk or the memory failing? nothing was published"))?;
    Ok(Some(draft))
}

/// An object says by its first bytes how it is compressed, which plain bytes cannot: so `none` is gzip here.
fn compressed(compression: Compression) -> Compression {
    match compression {
        Compression::None => Compression::default(),
        other => other,
    }
}

/// Reads until the buffer is full or the input ends.
fn fill(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Puts a draft at its object's place, over a damaged one too: what is there under that name either is this content or is
/// nobody's use.
pub(super) fn publish(root: &Path, sha256: &str, draft: Draft) -> Result<()> {
    let path = path_of(root, sha256);
    // The two folders above it; the one above those was looked at when the versions were opened.
    for folder in path.ancestors().skip(1).take(2) {
        if folder.symlink_metadata().is_ok_and(|found| !found.is_dir()) {
            return Err(Error::refused(format!("{} is not a folder of the store", folder.display())).hint("put the real folder back"));
        }
    }
    if let Some(folder) = path.parent() {
        fsx::create_private_dirs(folder)?;
    }
    draft.publish_over(&path)
}

/// Makes an object young again: one that is about to be named once more is none that nobody needs.
pub(super) fn touch(root: &Path, sha256: &str) -> Result<()> {
    let path = path_of(root, sha256);
    fsx::step().and_then(|()| fsx_open(&path)?.set_modified(SystemTime::now())).on("touch", &path)
}

fn fsx_open(path: &Path) -> io::Result<File> {
    fsx::open_to_read(path).map_err(io::Error::from)
}

/// Opens a content to be read. Its hash is compared at the end, and before the end nothing of it is proven.
pub(super) fn open(root: &Path, sha256: &str, bytes: u64) -> Result<Reader> {
    let path = path_of(root, sha256);
    match path.symlink_metadata() {
        Ok(found) if !found.is_file() => return Err(damaged(sha256, "it is not a file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let evicted = sync_state::placeholder_of(&path).is_some_and(|placeholder| placeholder.symlink_metadata().is_ok());
            let why = if evicted { "is only in the cloud: have it downloaded first" } else { "is missing" };
            return Err(Error::bad(format!("object {sha256} {why}")));
        }
        _ => {}
    }
    Reader::open(&path, sha256, bytes)
}

/// Reads an object from start to end. Gives its size in the store.
pub(super) fn check(root: &Path, sha256: &str, bytes: u64) -> Result<u64> {
    let reader = open(root, sha256, bytes)?;
    let stored_bytes = reader.stored_bytes;
    reader.drain()?;
    Ok(stored_bytes)
}

/// The length of an object's content, found by reading it to its end; no more than `most` is read. What a version says of the length is
/// not needed for that: the hash is the content's name.
pub(super) fn measure(root: &Path, sha256: &str, most: u64) -> Result<u64> {
    let mut reader = open(root, sha256, most)?;
    reader.may_end_early = true;
    let left = reader.drain()?;
    Ok(most - left)
}

/// The plain bytes of an object. At their end it is an error if they are not what the object's name says.
pub struct Reader {
    plain: Box<dyn Read + Send>,
    hash: Option<Sha256>,
    sha256: String,
    left: u64,
    /// Whether `left` is a bound, and not what the content must have.
    may_end_early: bool,
    stored_bytes: u64,
}

impl Reader {
    fn open(path: &Path, sha256: &str, bytes: u64) -> Result<Self> {
        let mut file = fsx::open_to_read(path)?;
        let found = file.metadata().on("look at", path)?;
        if !found.is_file() {
            return Err(Error::bad(format!("object {sha256} is not a file")));
        }
        let mut head = [0; ZSTD_MAGIC.len()];
        let count = fill(&mut file, &mut head).on("read", path)?;
        let head = &head[..count];
        io::Seek::rewind(&mut file).on("read", path)?;
        let file = BufReader::with_capacity(BUFFER_BYTES, file);
        let plain: Box<dyn Read + Send> = if head.starts_with(GZIP_MAGIC) {
            // All members: a reader of the first one alone would give the beginning and no error.
            Box::new(flate2::bufread::MultiGzDecoder::new(file))
        } else if head.starts_with(ZSTD_MAGIC) {
            Box::new(zstd::stream::read::Decoder::with_buffer(file).map_err(|error| Error::failed("cannot set up zstd").because(error))?)
        } else {
            return Err(damaged(sha256, "it is neither gzip nor zstd"));
        };
        Ok(Reader {
            plain,
            hash: Some(Sha256::new()),
            sha256: sha256.to_owned(),
            left: bytes,
            may_end_early: false,
            stored_bytes: found.len(),
        })
    }

    /// Reads to the end. Gives how much less there was than might have been.
    fn drain(mut self) -> Result<u64> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            interrupt::check()?;
            if self.part(&mut buffer)? == 0 {
                return Ok(self.left);
            }
        }
    }

    fn part(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if self.hash.is_none() {
            return Ok(0);
        }
        let count = loop {
            match self.plain.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // What the disk cannot read is no word on the object.
                Err(error) if error.raw_os_error().is_some() => {
                    return Err(Error::from_io(format!("cannot read object {}", self.sha256), error));
                }
                Err(error) => return Err(damaged(&self.sha256, &error.to_string())),
                Ok(count) => break count,
            }
        };
        // A small object can unpack to terabytes: no more is taken than its version has.
        if count as u64 > self.left {
            return Err(damaged(&self.sha256, "it unpacks to more than it should"));
        }
        self.left -= count as u64;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..count]);
        }
        if count == 0
            && let Some(hash) = self.hash.take()
        {
            if self.left > 0 && !self.may_end_early {
                return Err(damaged(&self.sha256, &format!("it ends {} bytes early", self.left)));
            }
            if fsx::hex(&hash.finalize()) != self.sha256 {
                return Err(damaged(&self.sha256, "its content has another hash"));
            }
        }
        Ok(count)
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        Ok(self.part(buffer)?)
    }
}

fn damaged(sha256: &str, why: &str) -> Error {
    Error::bad(format!("object {sha256} is damaged: {why}"))
}
