//! Indexes that nobody wrote by sealing anything: each is made byte by byte, and refused for the one thing that is wrong with it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::frames::open::{Expected, Reader};
use crate::frames::shelf::{Picker, Shelf, Volume};
use crate::frames::{FRAME_MAX_BYTES, chunk_hash};

const FULL: &str = "20260101T000000Z-dev-db-0000";
const OTHER: &str = "20260101T000001Z-dev-db-0001";

/// An index as its bytes say it, whether that can be or not.
#[derive(Clone)]
struct Crafted {
    version: u16,
    codec: u8,
    plain_bytes: u64,
    chunks: u32,
    sources: Vec<&'static str>,
    frames: Vec<Frame>,
    runs: Vec<(u16, u32, u32)>,
    /// Length and frame.
    own: Vec<(u32, u32)>,
    dictionaries: Vec<u32>,
}

fn frame(stored_offset: u64, stored_bytes: u32, plain_bytes: u32) -> Frame {
    Frame { stored_offset, stored_bytes, plain_bytes, dictionary_start: 0, dictionary_chunks: 0 }
}

/// Two chunks of a kilobyte in a frame each.
fn whole() -> Crafted {
    Crafted {
        version: 1,
        codec: 0,
        plain_bytes: 2000,
        chunks: 2,
        sources: vec![],
        frames: vec![frame(0, 1000, 1000), frame(1000, 1000, 1000)],
        runs: vec![],
        own: vec![(1000, 0), (1000, 1)],
        dictionaries: vec![],
    }
}

/// One chunk of its own, between the two of a full.
fn increment() -> Crafted {
    Crafted {
        version: 2,
        codec: 0,
        plain_bytes: 3000,
        chunks: 3,
        sources: vec![FULL],
        frames: vec![frame(0, 1000, 1000)],
        runs: vec![(1, 1, 0), (0, 1, 0), (1, 1, 1)],
        own: vec![(1000, 0)],
        dictionaries: vec![],
    }
}

impl Crafted {
    fn bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(&[self.codec, 0]);
        out.extend_from_slice(&4096u32.to_le_bytes());
        out.extend_from_slice(&self.plain_bytes.to_le_bytes());
        let own = if self.version == 1 { 0 } else { self.own.len() };
        let count = |count: usize| u32::try_from(count).expect("few");
        let counts = [self.frames.len(), self.sources.len(), self.dictionaries.len(), self.runs.len(), own].map(count);
        out.extend_from_slice(&self.chunks.to_le_bytes());
        counts.iter().for_each(|count| out.extend_from_slice(&count.to_le_bytes()));
        out.resize(HEADER_BYTES, 0);
        for source in &self.sources {
            let end = out.len() + SOURCE_BYTES;
            out.extend_from_slice(source.as_bytes());
            out.resize(end, 0);
        }
        for frame in &self.frames {
            let end = out.len() + FRAME_BYTES;
            out.extend_from_slice(&frame.stored_offset.to_le_bytes());
            for field in [frame.stored_bytes, frame.plain_bytes, frame.dictionary_start, frame.dictionary_chunks] {
                out.extend_from_slice(&field.to_le_bytes());
            }
            out.resize(end, 0);
        }
        for (source, chunks, place) in &self.runs {
            out.extend_from_slice(&u32::from(*source).to_le_bytes());
            out.extend_from_slice(&chunks.to_le_bytes());
            out.extend_from_slice(&place.to_le_bytes());
        }
        for (bytes, place) in &self.own {
            out.extend_from_slice(&chunk_hash(&vec![0; *bytes as usize]));
            out.extend_from_slice(&bytes.to_le_bytes());
            out.extend_from_slice(&[0; 4]);
            out.extend_from_slice(&place.to_le_bytes());
        }
        self.dictionaries.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        sealed(out)
    }

    fn parse(&self) -> Result<Outline> {
        Outline::parse(&self.bytes())
    }
}

fn sealed(mut body: Vec<u8>) -> Vec<u8> {
    let seal = Sha256::digest(&body);
    body.extend_from_slice(&seal);
    body
}

#[track_caller]
fn refused<T>(why: &str, result: Result<T>) {
    let error = result.err().unwrap_or_else(|| panic!("it was taken: {why}"));
    assert!(error.to_string().contains(why), "refused for another reason: {error}, not {why}");
}

#[track_caller]
fn refuses(why: &str, mut crafted: Crafted, change: impl FnOnce(&mut Crafted)) {
    change(&mut crafted);
    refused(why, crafted.parse());
}

#[test]
fn what_is_crafted_right_is_taken() {
    let full = Arc::new(whole().parse().expect("a full"));
    let index = increment().parse().expect("an increment").resolve(&[Some(full)]).expect("whole");
    assert_eq!(index.chunks.iter().map(|chunk| (chunk.source, chunk.place)).collect::<Vec<_>>(), [(1, 0), (0, 0), (1, 1)]);
}

#[test]
fn fm_j05_versions_and_counts_that_do_not_go_together_are_refused() {
    refuses("it refers to others", whole(), |it| it.sources = vec![FULL]);
    // A dictionary is made of chunks of a source.
    refuses("it refers to others", whole(), |it| it.dictionaries = vec![0]);
    refuses("it refers to nothing", increment(), |it| it.sources.clear());
    refuses("this one reads up to", whole(), |it| it.version = 3);
    refuses("unknown compression", whole(), |it| it.codec = 3);
    refuses("a source is no id", increment(), |it| it.sources = vec!["../../etc/passwd"]);
    refuses("more chunks than its stream can have", whole(), |it| it.chunks = 5000);
    // So many records are claimed, and none of them is there.
    for field in [24, 28, 32, 36, 40, 44] {
        let mut bytes = increment().bytes();
        bytes.truncate(bytes.len() - SEAL_BYTES);
        bytes[field..field + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        let error = Outline::parse(&sealed(bytes)).expect_err("refused").to_string();
        let is_named = ["its size does not fit its counts", "more chunks than its stream can have"].iter().any(|why| error.contains(why));
        assert!(is_named, "the count at {field}: {error}");
    }
    let mut bytes = whole().bytes();
    bytes[20] ^= 1;
    refused("its checksum does not match", Outline::parse(&bytes));
}

#[test]
fn fm_j05_frames_that_could_fill_the_memory_or_are_not_there_are_refused() {
    let most = u32::try_from(FRAME_MAX_BYTES).expect("some megabytes");
    refuses("a frame is too long", whole(), |it| it.frames[1].plain_bytes = most + 1);
    refuses("a frame is too long", whole(), |it| it.frames[1].stored_bytes = 2 * most + 1);
    refuses("its frames do not follow each other", whole(), |it| it.frames[1].stored_offset = 999);
    refuses("a frame's dictionary is too long", increment(), |it| it.frames[0].dictionary_chunks = 8193);
    refuses("a frame's dictionary is not there", increment(), |it| it.frames[0].dictionary_chunks = 1);
    refuses("a frame's dictionary is not there", increment(), |it| {
        (it.frames[0].dictionary_start, it.frames[0].dictionary_chunks) = (u32::MAX, 1);
    });
}

#[test]
fn fm_j05_runs_that_are_huge_or_lead_elsewhere_are_refused() {
    refuses("a run's source is not there", increment(), |it| it.runs[0].0 = 2);
    refuses("its runs do not add up", increment(), |it| it.runs[0].1 = u32::MAX);
    refuses("its runs do not add up", increment(), |it| it.runs = vec![(1, u32::MAX, 0); 1000]);
    refuses("its runs do not add up", increment(), |it| it.runs[1].0 = 1);
    let full = Arc::new(whole().parse().expect("a full"));
    let resolve = |change: &dyn Fn(&mut Crafted)| {
        let mut crafted = increment();
        change(&mut crafted);
        crafted.parse().expect("it agrees with itself").resolve(&[Some(Arc::clone(&full))])
    };
    refused("a chunk does not lie in its source", resolve(&|it| it.runs[2].2 = 2));
    refused("a run is too long", resolve(&|it| it.runs[2].2 = u32::MAX));
    // The same chunk again and again: what is small here would be large in memory.
    refused(
        "its chunks do not add up",
        resolve(&|it| {
            it.runs.extend(vec![(1, 1, 0); 100]);
            it.chunks += 100;
        }),
    );
    refused("its chunks do not add up", resolve(&|it| it.plain_bytes += 1));
    refused("a chunk does not lie in its source", increment().parse().and_then(|it| it.resolve(&[None])));
    refused("a chunk's source is not there", increment().parse().and_then(|it| it.resolve(&[])));
}

#[test]
fn fm_j05_chunks_that_are_not_possible_are_refused() {
    refuses("a chunk is not possible", whole(), |it| it.own[0].0 = 0);
    refuses("a chunk is not possible", whole(), |it| it.own[0].0 = 1 << 20);
    refuses("a chunk's frame is not there", whole(), |it| it.own[1].1 = 2);
    refuses("its chunks are out of order", whole(), |it| it.own.reverse());
    refuses("a frame's chunks do not add up", whole(), |it| it.frames[1].plain_bytes = 999);
    refuses("its chunks do not add up", whole(), |it| it.plain_bytes = 3000);
}

/// A file of so many bytes, and what an index says lies in it.
fn volume(folder: &Path, name: &str, crafted: &Crafted) -> Result<(Volume, PathBuf)> {
    let outline = crafted.parse()?;
    let path = folder.join(name);
    std::fs::write(&path, vec![0; usize::try_from(outline.stored_bytes()).expect("few")]).expect("written");
    Ok((Volume::open(&path, &outline)?, path))
}

#[test]
fn fm_j05_a_base_that_is_an_increment_itself_ends_no_circle() {
    let folder = tempfile::tempdir().expect("a folder");
    let shelf = |crafted: &Crafted| Shelf::new(vec![Some(volume(folder.path(), "base", crafted)?.0)]);
    shelf(&whole()).expect("a full");
    // It names the very one that names it.
    refused("is the base of an increment and an increment itself", shelf(&Crafted { sources: vec![OTHER], ..increment() }));
    refused("a chunk lies in a backup that is not named", Shelf::new(vec![None]));
    refused("a chunk lies in a backup that is not named", Shelf::new(vec![]));
    let (_, path) = volume(folder.path(), "short", &whole()).expect("a volume");
    std::fs::write(&path, b"short").expect("cut");
    refused("has 5 bytes, its index says 2000", Volume::open(&path, &whole().parse().expect("an outline")));

    // A chunk that a source refers to elsewhere is not read through it.
    let full = volume(folder.path(), "full", &whole()).expect("a full").0;
    let next = volume(folder.path(), "next", &increment()).expect("an increment").0;
    let shelf = Arc::new(Shelf::new(vec![Some(full)]).expect("a shelf").with(next));
    let mut picker = Picker::new(&shelf);
    assert_eq!(picker.chunk(1, 1).expect("its own").bytes().len(), 1000);
    refused("does not hold the chunk 0", picker.chunk(1, 0));
    refused("does not hold the chunk 2", picker.chunk(0, 2));
    refused("a frame's dictionary is too long", picker.gather(&vec![0; FRAME_MAX_BYTES / 1000 + 1]));
}

#[test]
fn fm_j05_a_frame_unpacks_to_what_its_index_says_and_to_no_more() {
    use std::io::{Read, Write};
    let folder = tempfile::tempdir().expect("a folder");
    let zeros = vec![0; 64 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&zeros).expect("packed");
    let bombs = [(1, gzip.finish().expect("packed")), (2, zstd::bulk::compress(&zeros, 1).expect("packed"))];
    for (codec, bomb) in bombs {
        let stored = u32::try_from(bomb.len()).expect("small");
        let mut crafted = Crafted { codec, plain_bytes: 1000, chunks: 1, own: vec![(1000, 0)], ..whole() };
        crafted.frames = vec![frame(0, stored, 1000)];
        let path = folder.path().join(codec.to_string());
        std::fs::write(&path, &bomb).expect("written");
        let index = Arc::new(crafted.parse().expect("it agrees with itself").resolve(&[]).expect("whole"));
        let expected = Expected::Chunks { stored_sha256: crate::fsx::sha256_hex(&bomb) };
        let mut plain = Vec::new();
        let read = Reader::open(&path, index, expected).expect("opens").read_to_end(&mut plain);
        read.expect_err("a bomb");
        assert!(plain.is_empty(), "{} bytes came out", plain.len());
    }
    // One that refers to others is not read without them.
    let index = increment().parse().expect("an outline").resolve(&[Some(Arc::new(whole().parse().expect("a full")))]).expect("whole");
    let path = folder.path().join("increment");
    std::fs::write(&path, [0; 1000]).expect("written");
    refused("is to be read through the backups", Reader::open(&path, Arc::new(index), Expected::Checks { checks: Vec::new(), proven: 0 }));
}
