//! The inventory: one line of JSON an entry, in the order of the archive, compressed as a whole.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::entry::Entry;
use crate::compression::Compression;
use crate::error::{Error, OnPath, Result};
use crate::frames::open::hash_file;
use crate::fsx;
use crate::interrupt;
use crate::manifest::{Component, Inventory};

/// A line holds two paths at most, and a path that a system takes has 4 KiB; in hex it is twice as long.
const LINE_MAX_BYTES: u64 = 1 << 20;
/// Written by so much at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// Writes an inventory.
pub struct Writer {
    path: PathBuf,
    file: String,
    encoder: Encoder,
    plain_bytes: u64,
}

enum Encoder {
    Gzip(GzEncoder<BufWriter<Sink>>),
    Zstd(zstd::Encoder<'static, BufWriter<Sink>>),
    None(BufWriter<Sink>),
}

/// The file, with its hash and length.
struct Sink {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fsx::step()?;
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Writer {
    /// Begins the inventory of the component with this role.
    pub fn create(folder: &Path, role: &str, compression: Compression) -> Result<Self> {
        let ending = match compression {
            Compression::Gzip(_) => ".gz",
            Compression::Zstd(_) => ".zst",
            Compression::None => "",
        };
        let file = format!("{role}.inventory.jsonl{ending}");
        let path = folder.join(&file);
        let sink = Sink { file: fsx::create_private_file(&path)?, hash: Sha256::new(), bytes: 0 };
        let sink = BufWriter::with_capacity(BUFFER_BYTES, sink);
        let encoder = match compression {
            // The lines are much alike, and the hashes in them cannot be packed: higher levels gain nothing.
            Compression::Gzip(_) => Encoder::Gzip(GzEncoder::new(sink, flate2::Compression::fast())),
            Compression::Zstd(_) => Encoder::Zstd(zstd::Encoder::new(sink, 1).on("write", &path)?),
            Compression::None => Encoder::None(sink),
        };
        Ok(Writer { path, file, encoder, plain_bytes: 0 })
    }

    /// Adds an entry.
    pub fn add(&mut self, entry: &Entry) -> Result<()> {
        let mut line = entry.to_line()?;
        line.push(b'\n');
        self.plain_bytes += line.len() as u64;
        match &mut self.encoder {
            Encoder::Gzip(encoder) => encoder.write_all(&line),
            Encoder::Zstd(encoder) => encoder.write_all(&line),
            Encoder::None(encoder) => encoder.write_all(&line),
        }
        .on("write", &self.path)
    }

    /// Ends it and syncs the file.
    pub fn finish(self) -> Result<Inventory> {
        let buffered = match self.encoder {
            Encoder::Gzip(encoder) => encoder.finish(),
            Encoder::Zstd(encoder) => encoder.finish(),
            Encoder::None(buffered) => Ok(buffered),
        }
        .on("write", &self.path)?;
        let sink = buffered.into_inner().map_err(io::IntoInnerError::into_error).on("write", &self.path)?;
        fsx::sync_file(&sink.file, &self.path)?;
        Ok(Inventory { file: self.file, bytes: sink.bytes, plain_bytes: self.plain_bytes, sha256: fsx::hex(&sink.hash.finalize()) })
    }
}

/// Reads an inventory, entry after entry. What it says is only text: see [`super::extract::checked`].
pub struct Reader {
    lines: Box<dyn BufRead + Send>,
    path: PathBuf,
    left_bytes: u64,
    line: Vec<u8>,
}

impl Reader {
    /// Opens the inventory of a backup's component, found to be the file that the manifest describes.
    pub fn open(folder: &Path, component: &Component) -> Result<Self> {
        let Some(files) = &component.files else {
            return Err(Error::bad(format!("{} of {} has no inventory", component.file, folder.display())));
        };
        let path = folder.join(&files.inventory.file);
        let (sha256, bytes) = hash_file(&path).map_err(|error| fsx::of_held(&path, error))?;
        if sha256 != files.inventory.sha256 || bytes != files.inventory.bytes {
            return Err(Error::bad(format!("{} is not the inventory that its manifest describes", path.display())));
        }
        let file = BufReader::with_capacity(BUFFER_BYTES, fsx::open_to_read(&path)?);
        let lines: Box<dyn BufRead + Send> = match component.compression.as_str() {
            "gzip" => Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(file))),
            "zstd" => Box::new(BufReader::with_capacity(BUFFER_BYTES, zstd::Decoder::with_buffer(file).on("read", &path)?)),
            _ => Box::new(file),
        };
        Ok(Reader { lines, path, left_bytes: files.inventory.plain_bytes, line: Vec::new() })
    }

    fn read_line(&mut self) -> Result<Option<Entry>> {
        interrupt::check()?;
        self.line.clear();
        let damaged = |why: &str| Error::bad(format!("{} is damaged: {why}", self.path.display()));
        let most = self.left_bytes.min(LINE_MAX_BYTES);
        let read = self.lines.by_ref().take(most + 1).read_until(b'\n', &mut self.line);
        let count = read.map_err(|error| damaged("it cannot be unpacked").because(error))? as u64;
        if count > most {
            return Err(damaged("it is longer than its manifest says"));
        }
        self.left_bytes -= count;
        match self.line.split_last() {
            None if self.left_bytes == 0 => Ok(None),
            None => Err(damaged("it is shorter than its manifest says")),
            Some((b'\n', line)) => Entry::parse(line).map(Some).map_err(|error| error.within(self.path.display())),
            Some(_) => Err(damaged("its last line has no end")),
        }
    }
}

impl Iterator for Reader {
    type Item = Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_line().transpose()
    }
}
