//! The archive read through, and held against its inventory.

use std::io::{self, Read};

use sha2::{Digest, Sha256};
use tar::EntryType;

use super::entry::{Entry, Name, Time, Type};
use super::inventory;
use super::{BLOCK_BYTES, CONTENT};
use crate::backup::Backup;
use crate::error::{Error, Kind, Result};
use crate::interrupt;
use crate::manifest::Component;
use crate::progress::Progress;

/// Whether a component is an archive.
pub fn is_archive(component: &Component) -> bool {
    component.content == CONTENT
}

/// Reads a whole archive as tar does, and compares every entry, and every byte by its hash, with the inventory. What is wrong is a
/// finding; an error that is not [`Kind::Bad`] says that it could not be read.
pub fn findings(backup: &Backup, component: &Component, progress: &dyn Progress) -> Result<Vec<String>> {
    let mut plain = backup.read_by_chunks(component)?;
    let mut expected = super::extract::checked(backup, component)?;
    progress.begin("check", Some(component.plain_bytes));
    let found = compare(&mut plain, &mut expected, component, progress)?;
    progress.end();
    Ok(found)
}

fn compare(
    plain: &mut dyn Read,
    expected: &mut dyn Iterator<Item = Result<Entry>>,
    component: &Component,
    progress: &dyn Progress,
) -> Result<Vec<String>> {
    let file = &component.file;
    let unreadable = |error: io::Error| {
        let error = Error::from_io(format!("{file} is no whole archive"), error);
        if error.kind() == Kind::Failed { error.as_kind(Kind::Bad) } else { error }
    };
    let mut at = 0;
    let mut archive = tar::Archive::new(Counted { inner: plain, count: 0 });
    for entry in archive.entries().map_err(unreadable)? {
        interrupt::check()?;
        let mut entry = entry.map_err(unreadable)?;
        let Some(line) = expected.next().transpose()? else {
            return Ok(vec![format!("{file} holds more than its inventory lists")]);
        };
        if let Some(why) = difference(&mut entry, &line).map_err(unreadable)? {
            return Ok(vec![format!("{} in {file} is not what the inventory says: {why}", line.path)]);
        }
        if line.offset != at || line.content_offset() != Some(entry.raw_file_position()) {
            return Ok(vec![format!("{} does not stand in {file} where the inventory says", line.path)]);
        }
        at += line.length;
        progress.reached(at);
    }
    if let Some(line) = expected.next().transpose()? {
        return Ok(vec![format!("{} is in the inventory, and not in {file}", line.path)]);
    }
    let Counted { inner, count } = archive.into_inner();
    let rest = io::copy(inner, &mut io::sink()).map_err(unreadable)?;
    if at + 2 * BLOCK_BYTES != component.plain_bytes || count + rest != component.plain_bytes {
        return Ok(vec![format!("{file} does not end where its inventory does")]);
    }
    Ok(Vec::new())
}

/// How an entry differs from its line; reads its content.
fn difference(entry: &mut tar::Entry<'_, Counted<'_>>, line: &Entry) -> io::Result<Option<String>> {
    let (mut name, mut mtime) = (None, None);
    for record in entry.pax_extensions()?.into_iter().flatten() {
        let record = record?;
        match record.key_bytes() {
            b"GNU.sparse.name" => name = Some(record.value_bytes().to_vec()),
            b"mtime" => mtime = std::str::from_utf8(record.value_bytes()).ok().and_then(Time::read),
            _ => {}
        }
    }
    let mut path = name.unwrap_or_else(|| entry.path_bytes().into_owned());
    let header = entry.header();
    let what = match header.entry_type() {
        EntryType::Directory => Type::Folder,
        EntryType::Regular => Type::File,
        EntryType::Symlink => Type::Link,
        EntryType::Link => Type::Hardlink,
        other => return Ok(Some(format!("it is of type {other:?}"))),
    };
    if what == Type::Folder && path.last() == Some(&b'/') {
        path.pop();
    }
    let mtime = match mtime {
        Some(mtime) => mtime,
        None => Time { seconds: i64::try_from(header.mtime()?).unwrap_or(-1), nanos: 0 },
    };
    let target = entry.link_name_bytes().map(|target| Name(target.into_owned()));
    let target = target.filter(|_| matches!(what, Type::Link | Type::Hardlink));
    let wrong = [
        (path != line.path.0, "its path"),
        (what != line.what, "its type"),
        (header.mode()? != line.mode, "its mode"),
        (mtime != line.mtime, "its time"),
        (target != line.target, "where it leads"),
        (entry.size() != line.stored_bytes(), "its length"),
    ];
    if let Some((_, why)) = wrong.iter().find(|(is_wrong, _)| *is_wrong) {
        return Ok(Some((*why).to_owned()));
    }
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 128 << 10];
    let mut skip = line.stored.map_or(Ok(0), |_| map_bytes(entry, &mut buffer))?;
    loop {
        let count = entry.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        let from = skip.min(count);
        hash.update(&buffer[from..count]);
        skip -= from;
    }
    let sha256 = (what == Type::File).then(|| crate::fsx::hex(&hash.finalize()));
    Ok((sha256 != line.sha256).then(|| "its content".to_owned()))
}

/// Reads the map of a file with holes; what is left to skip of it is nothing, since it is read in whole blocks.
fn map_bytes(entry: &mut tar::Entry<'_, Counted<'_>>, buffer: &mut [u8]) -> io::Result<usize> {
    let mut lines = None;
    let mut seen = 0u64;
    let block = &mut buffer[..BLOCK_BYTES as usize];
    let mut digits = String::new();
    loop {
        entry.read_exact(block)?;
        for byte in block.iter() {
            if *byte == b'\n' {
                seen += 1;
                if lines.is_none() {
                    lines = Some(digits.parse::<u64>().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?.saturating_mul(2) + 1);
                }
                if lines == Some(seen) {
                    return Ok(0);
                }
            } else if lines.is_none() {
                digits.push(char::from(*byte));
            }
        }
    }
}

/// A stream that knows how far it was read.
struct Counted<'a> {
    inner: &'a mut dyn Read,
    count: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}

/// The entries of an archive that nobody has checked yet.
pub(super) fn lines(backup: &Backup, component: &Component) -> Result<inventory::Reader> {
    inventory::Reader::open(backup.folder(), component)
}
