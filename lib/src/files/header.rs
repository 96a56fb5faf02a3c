//! The blocks that stand before an entry's content in an archive: ustar, and PAX records for what ustar has no room for.

use tar::{EntryType, Header};

use super::entry::{Entry, Name, Type};
use super::sparse::Map;
use super::{BLOCK_BYTES, padded};

/// Numbers in a ustar header have so many octal digits: owners, …
const ID_MAX: u64 = 0o7_777_777;
/// … sizes and times.
const LONG_MAX: u64 = 0o77_777_777_777;
/// Room for a name in a ustar header, …
const NAME_BYTES: usize = 100;
/// … for the folders before it, …
const PREFIX_BYTES: usize = 155;
/// … and for the name of an owner.
const OWNER_BYTES: usize = 31;

/// All blocks before the content of an entry. Two entries that say the same have the same blocks.
pub(super) fn blocks(entry: &Entry, holes: Option<&Map>) -> Vec<u8> {
    let mut records = Records::default();
    let mut header = Header::new_ustar();
    header.set_entry_type(match entry.what {
        Type::Folder => EntryType::Directory,
        Type::File => EntryType::Regular,
        Type::Link => EntryType::Symlink,
        Type::Hardlink => EntryType::Link,
    });
    header.set_mode(entry.mode);
    header.set_uid(records.number("uid", u64::from(entry.uid), ID_MAX));
    header.set_gid(records.number("gid", u64::from(entry.gid), ID_MAX));
    header.set_size(records.number("size", entry.stored_bytes(), LONG_MAX));
    let mtime = u64::try_from(entry.mtime.seconds).ok().filter(|seconds| *seconds <= LONG_MAX);
    if entry.mtime.nanos != 0 || mtime.is_none() {
        records.add("mtime", entry.mtime.to_string().as_bytes());
    }
    header.set_mtime(mtime.unwrap_or(0));
    if let Some(ustar) = header.as_ustar_mut() {
        for (field, record, owner) in [(&mut ustar.uname, "uname", &entry.user), (&mut ustar.gname, "gname", &entry.group)] {
            if let Some(owner) = owner {
                if owner.len() > OWNER_BYTES || !owner.is_ascii() {
                    records.add(record, owner.as_bytes());
                }
                put(field, &owner.as_bytes()[..owner.len().min(OWNER_BYTES)]);
            }
        }
    }
    let mut path = entry.path.0.clone();
    if entry.what == Type::Folder {
        path.push(b'/');
    }
    if let Some(holes) = holes {
        records.add("GNU.sparse.major", b"1");
        records.add("GNU.sparse.minor", b"0");
        records.name("GNU.sparse.name", &path);
        records.add("GNU.sparse.realsize", holes.bytes.to_string().as_bytes());
        // A program that knows nothing of holes makes a file of this name, and does not take it for the real one.
        path = Name(b"GNUSparseFile.0".to_vec()).join(entry.path.split().1).0;
    }
    match place(&path) {
        // A name beyond ASCII is only in a PAX record of one meaning to everybody.
        Some((prefix, name)) if path.is_ascii() || std::str::from_utf8(&path).is_err() => set_path(&mut header, prefix, name),
        _ if holes.is_some() => set_path(&mut header, b"", cut(&path)),
        _ => {
            records.name("path", &path);
            set_path(&mut header, b"", cut(&path));
        }
    }
    if let Some(target) = &entry.target {
        if target.0.len() > NAME_BYTES || (!target.0.is_ascii() && std::str::from_utf8(&target.0).is_ok()) {
            records.name("linkpath", &target.0);
        }
        if let Some(ustar) = header.as_ustar_mut() {
            put(&mut ustar.linkname, cut(&target.0));
        }
    }
    header.set_cksum();
    let mut out = records.blocks(entry.path.split().1);
    out.extend_from_slice(header.as_bytes());
    out
}

/// Splits a path for the two fields of a ustar header; none where they have no room for it.
fn place(path: &[u8]) -> Option<(&[u8], &[u8])> {
    if path.len() <= NAME_BYTES {
        return Some((b"", path));
    }
    let from = path.len() - NAME_BYTES - 1;
    let at = (from..path.len() - 1).find(|at| path[*at] == b'/')?;
    (at > 0 && at <= PREFIX_BYTES).then(|| (&path[..at], &path[at + 1..]))
}

fn cut(path: &[u8]) -> &[u8] {
    &path[..path.len().min(NAME_BYTES)]
}

fn set_path(header: &mut Header, prefix: &[u8], name: &[u8]) {
    if let Some(ustar) = header.as_ustar_mut() {
        put(&mut ustar.prefix, prefix);
        put(&mut ustar.name, name);
    }
}

fn put(field: &mut [u8], bytes: &[u8]) {
    field.fill(0);
    field[..bytes.len()].copy_from_slice(bytes);
}

/// PAX records under way.
#[derive(Default)]
struct Records {
    bytes: Vec<u8>,
    /// Whether a name among them is no UTF-8.
    binary: bool,
}

impl Records {
    /// What goes into the header for a number, with a record where that has no room for it.
    fn number(&mut self, key: &str, number: u64, most: u64) -> u64 {
        if number <= most {
            return number;
        }
        self.add(key, number.to_string().as_bytes());
        0
    }

    fn name(&mut self, key: &str, name: &[u8]) {
        self.binary |= std::str::from_utf8(name).is_err();
        self.add(key, name);
    }

    fn add(&mut self, key: &str, value: &[u8]) {
        self.bytes.extend_from_slice(&record(key, value));
    }

    /// The extended header and its records; nothing where there are none.
    fn blocks(self, name: &[u8]) -> Vec<u8> {
        if self.bytes.is_empty() {
            return Vec::new();
        }
        let mut body = if self.binary { record("hdrcharset", b"BINARY") } else { Vec::new() };
        body.extend_from_slice(&self.bytes);
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::XHeader);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(body.len() as u64);
        let mut shown = b"PaxHeaders/".to_vec();
        shown.extend(name.iter().map(|byte| if byte.is_ascii_graphic() { *byte } else { b'_' }));
        set_path(&mut header, b"", cut(&shown));
        header.set_cksum();
        let mut out = header.as_bytes().to_vec();
        out.extend_from_slice(&body);
        out.resize(BLOCK_BYTES as usize + padded(body.len() as u64) as usize, 0);
        out
    }
}

/// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length.to_string().len() + rest != length {
        length = length.to_string().len() + rest;
    }
    let mut out = format!("{length} {key}=").into_bytes();
    out.extend_from_slice(value);
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_its_own_digits() {
        for bytes in 0..2000 {
            let text = record("path", &vec![b'x'; bytes]);
            let digits = text.split(|byte| *byte == b' ').next().expect("digits");
            assert_eq!(std::str::from_utf8(digits).expect("digits").parse::<usize>().expect("a number"), text.len());
        }
    }

    #[test]
    fn a_path_is_split_only_where_both_parts_fit() {
        let long = [vec![b'a'; 150], b"/".to_vec(), vec![b'b'; 100]].concat();
        assert_eq!(place(&long).map(|(prefix, name)| (prefix.len(), name.len())), Some((150, 100)));
        let longer = [vec![b'a'; 150], b"/".to_vec(), vec![b'b'; 101]].concat();
        assert_eq!(place(&longer), None);
        assert_eq!(place(&[vec![b'a'; 156], b"/b".to_vec()].concat()), None);
        // A folder's last slash splits nothing off.
        assert_eq!(place(&[vec![b'a'; 101], b"/".to_vec()].concat()), None);
    }
}
