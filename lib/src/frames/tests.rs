mod increments;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::cut::Cut;
use super::index::Outline;
use super::open::{Expected, Reader};
use super::seal::{Sealed, Sealer};
use super::*;
use crate::compression::Compression;
use crate::error::Result;

const ALL: [Compression; 4] = [Compression::None, Compression::Gzip(1), Compression::Gzip(6), Compression::Zstd(1)];

fn seal(path: &Path, bytes: &[u8], cut: Cut, compression: Compression) -> Sealed {
    let mut sealer = Sealer::create(path, cut, compression, None).expect("a sealer");
    for part in bytes.chunks(100_003) {
        sealer.add(part).expect("room");
    }
    sealer.finish().expect("an end").read_back().expect("a proof")
}

/// Reads a component in both ways, which must agree.
fn open(path: &Path, sealed: &Sealed) -> Result<Vec<u8>> {
    let stored_sha256 = || sealed.stored_sha256.clone();
    let by_chunks = open_as(path, sealed, Expected::Chunks { stored_sha256: stored_sha256() });
    let by_file = open_as(path, sealed, Expected::File { stored_sha256: stored_sha256() });
    assert_eq!(by_chunks.as_ref().ok(), by_file.as_ref().ok());
    by_chunks
}

fn open_as(path: &Path, sealed: &Sealed, expected: Expected) -> Result<Vec<u8>> {
    let index = Outline::parse(&sealed.index.to_bytes()?)?.resolve(&[])?;
    let mut reader = Reader::open(path, Arc::new(index), expected)?;
    let mut out = Vec::new();
    reader.read_to_end(&mut out).map_err(|error| crate::Error::from_io("read", error))?;
    Ok(out)
}

/// Text with some repetition in it, different at every offset.
fn text(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut out = Vec::with_capacity(length + 64);
    while out.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        out.extend_from_slice(format!("{}\tledger entry {}\n", out.len(), state >> 40).as_bytes());
    }
    out.truncate(length);
    out
}

#[test]
fn what_was_sealed_is_opened_for_every_size_around_the_edges() {
    let folder = tempfile::tempdir().expect("a folder");
    let edge = FRAME_PLAIN_BYTES;
    for compression in ALL {
        for cut in [Cut::Fixed(4096), Cut::Content(8192)] {
            for size in [0, 1, 4095, 4096, 4097, edge - 1, edge, edge + 1, 3 * edge + 17] {
                let path = folder.path().join(format!("{compression:?}-{cut:?}-{size}"));
                let bytes = text(size);
                let sealed = seal(&path, &bytes, cut, compression);
                assert_eq!(open(&path, &sealed).expect("the bytes"), bytes, "{compression:?} {cut:?} {size}");
                assert_eq!(sealed.stored_sha256, super::open::hash_file(&path).expect("a hash").0);
            }
        }
    }
}

#[test]
fn what_is_settled_at_its_end_is_the_same_file() {
    let folder = tempfile::tempdir().expect("a folder");
    for compression in ALL {
        // The longest is read back on the way.
        for size in [0, 1, FRAME_PLAIN_BYTES, 3 * FRAME_PLAIN_BYTES + 17, 19 << 20] {
            let bytes = text(size);
            let [plainly, settled] = ["plainly", "settled"].map(|name| folder.path().join(format!("{compression:?}-{size}-{name}")));
            let expected = seal(&plainly, &bytes, Cut::Content(8192), compression);
            let mut sealer = Sealer::create(&settled, Cut::Content(8192), compression, None).expect("a sealer");
            sealer.add(&bytes).expect("room");
            sealer.settle().expect("written");
            let written = settled.metadata().expect("a file").len();
            let sealed = sealer.finish().expect("an end").read_back().expect("a proof");
            // Only the frame that holds nothing comes at the end.
            assert_eq!(written, if size == 0 { 0 } else { sealed.index.stored_bytes() }, "{compression:?} {size}");
            assert!(open(&settled, &sealed).expect("the bytes") == bytes);
            assert_eq!((sealed.stored_sha256, sealed.index.chunks.len()), (expected.stored_sha256, expected.index.chunks.len()));
        }
    }
}

#[test]
fn what_follows_a_cut_is_the_same_chunks_whatever_stands_before_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let tail = text(700_000);
    let tails: Vec<Vec<_>> = [&b"a"[..], &text(77_777), &[]]
        .into_iter()
        .enumerate()
        .map(|(number, head)| {
            let path = folder.path().join(number.to_string());
            let mut sealer = Sealer::create(&path, Cut::Content(8192), Compression::Zstd(1), None).expect("a sealer");
            sealer.add(head).expect("room");
            sealer.cut_here().expect("a cut");
            sealer.add(&tail).expect("room");
            let sealed = sealer.finish().expect("an end").read_back().expect("a proof");
            assert!(open(&path, &sealed).expect("the bytes") == [head, &tail].concat());
            let mut left = head.len();
            let after_head = |chunk: &&super::index::Chunk| {
                let is_head = left > 0;
                left = left.saturating_sub(chunk.bytes as usize);
                !is_head
            };
            sealed.index.chunks.iter().filter(after_head).map(|chunk| chunk.hash).collect()
        })
        .collect();
    assert!(tails[0] == tails[1] && tails[1] == tails[2]);
}

#[test]
fn bytes_without_any_pattern_are_stored_and_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bytes = vec![0; FRAME_PLAIN_BYTES * 2 + 77];
    getrandom::fill(&mut bytes).expect("random bytes");
    for (number, compression) in ALL.into_iter().enumerate() {
        let path = folder.path().join(number.to_string());
        let sealed = seal(&path, &bytes, Cut::Fixed(4096), compression);
        assert!(open(&path, &sealed).expect("the bytes") == bytes, "{compression:?}");
    }
}

#[test]
fn standard_tools_open_the_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = text(FRAME_PLAIN_BYTES * 2 + 5);
    let path = folder.path().join("a.gz");
    seal(&path, &bytes, Cut::Content(8192), Compression::Gzip(1));
    let answer = crate::exec::Call::new("/bin/gzip").arg("-dc").arg(&path).run().expect("gzip");
    assert!(answer.stdout == bytes);
    let path = folder.path().join("a.zst");
    seal(&path, &bytes, Cut::Content(8192), Compression::Zstd(1));
    let mut plain = Vec::new();
    zstd::stream::copy_decode(std::fs::File::open(&path).expect("the file"), &mut plain).expect("zstd");
    assert!(plain == bytes);
}

#[test]
fn fm_c03_every_flipped_bit_of_a_component_and_its_index_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    for compression in ALL {
        let path = folder.path().join(format!("{compression:?}"));
        let sealed = seal(&path, &text(1500), Cut::Fixed(512), compression);
        let whole = std::fs::read(&path).expect("the file");
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut flipped = whole.clone();
                flipped[at] ^= 1 << bit;
                std::fs::write(&path, &flipped).expect("written");
                open(&path, &sealed).expect_err(&format!("{compression:?}: bit {bit} of byte {at}"));
            }
        }
        let index = sealed.index.to_bytes().expect("the index");
        for at in 0..index.len() {
            for bit in 0..8 {
                let mut flipped = index.clone();
                flipped[at] ^= 1 << bit;
                Outline::parse(&flipped).expect_err(&format!("index: bit {bit} of byte {at}"));
            }
        }
    }
}

#[test]
fn fm_c05_every_truncation_and_any_trailing_garbage_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    for compression in ALL {
        let path = folder.path().join(format!("{compression:?}"));
        let sealed = seal(&path, &text(1500), Cut::Fixed(512), compression);
        let whole = std::fs::read(&path).expect("the file");
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).expect("written");
            open(&path, &sealed).expect_err(&format!("{compression:?}: {length} bytes"));
        }
        std::fs::write(&path, [&whole[..], &whole[..]].concat()).expect("written");
        open(&path, &sealed).expect_err("the file twice over");
        let index = sealed.index.to_bytes().expect("the index");
        for length in 0..index.len() {
            Outline::parse(&index[..length]).expect_err(&format!("index: {length} bytes"));
        }
    }
}

#[test]
fn damage_is_located_to_its_frame() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.gz");
    let sealed = seal(&path, &text(FRAME_PLAIN_BYTES * 3), Cut::Fixed(4096), Compression::Gzip(1));
    let mut bytes = std::fs::read(&path).expect("the file");
    let second = sealed.index.frames[1];
    bytes[second.stored_offset as usize + 100] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let error = open(&path, &sealed).expect_err("damage");
    assert!(error.to_string().contains("damaged in frame 2 of 3"), "{error}");
}

#[test]
fn fm_b15_the_read_back_notices_what_the_disk_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a");
    let mut sealer = Sealer::create(&path, Cut::Fixed(4096), Compression::None, None).expect("a sealer");
    sealer.add(&text(10_000)).expect("room");
    let unread = sealer.finish().expect("an end");
    let mut bytes = std::fs::read(&path).expect("the file");
    bytes[5000] ^= 4;
    std::fs::write(&path, bytes).expect("written");
    assert!(unread.read_back().is_err());
}

#[test]
fn fm_b15_what_was_read_back_on_the_way_leaves_the_rest_to_be_read_at_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = text(1 << 20);
    let long = |name: &str| {
        let path = folder.path().join(name);
        let mut sealer = Sealer::create(&path, Cut::Fixed(4096), Compression::None, None).expect("a sealer");
        (0..30).for_each(|_| sealer.add(&text).expect("room"));
        (path, sealer.finish().expect("an end"))
    };
    let (path, unread) = long("whole");
    assert_eq!(unread.read_back().expect("a proof").index.stored_bytes(), path.metadata().expect("there").len());

    let (path, unread) = long("damaged");
    let mut bytes = std::fs::read(&path).expect("the file");
    *bytes.last_mut().expect("bytes") ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let error = unread.read_back().map(|_| ()).expect_err("damage");
    assert!(error.to_string().contains("damaged in frame 120 of 120"), "{error}");
}

#[test]
fn content_cuts_survive_an_insertion() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = text(2 << 20);
    let mut new = old.clone();
    new.splice(1000..1000, *b"a line that was not there before\n");
    let hashes = |name: &str, bytes: &[u8]| -> std::collections::BTreeSet<ChunkHash> {
        let sealed = seal(&folder.path().join(name), bytes, Cut::Content(8192), Compression::Zstd(1));
        sealed.index.chunks.iter().map(|chunk| chunk.hash).collect()
    };
    let (old, new) = (hashes("old", &old), hashes("new", &new));
    assert!(new.difference(&old).count() <= 3, "{} of {} chunks differ", new.difference(&old).count(), new.len());
}

#[test]
fn a_cut_is_pinned_for_ever() {
    // Old and new backups share chunks only while the same bytes are cut at the same places.
    let folder = tempfile::tempdir().expect("a folder");
    let sealed = seal(&folder.path().join("a"), &text(100_000), Cut::Content(8192), Compression::None);
    let lengths: Vec<u32> = sealed.index.chunks.iter().map(|chunk| chunk.bytes).collect();
    assert_eq!(lengths, PINNED);
}

const PINNED: [u32; 11] = [7444, 8509, 9567, 8818, 17157, 6854, 9643, 11647, 3388, 11712, 5261];
