use std::path::PathBuf;

use super::super::base::Base;
use super::super::index::Outline;
use super::super::shelf::{Shelf, Volume};
use super::*;

/// A component that lies in a folder of its own, as an increment's source does.
struct Held {
    id: String,
    path: PathBuf,
    sealed: Sealed,
}

/// A chain: the first is a full, each later one was made on the one before.
struct Chain {
    folder: tempfile::TempDir,
    cut: Cut,
    compression: Compression,
    held: Vec<Held>,
}

fn outline(held: &Held) -> Outline {
    Outline::parse(&held.sealed.index.to_bytes().expect("bytes")).expect("an outline")
}

impl Chain {
    fn begin(cut: Cut, compression: Compression, plain: &[u8]) -> Self {
        let mut chain = Chain { folder: tempfile::tempdir().expect("a folder"), cut, compression, held: Vec::new() };
        chain.add(None, |sealer| sealer.add(plain));
        chain
    }

    fn base(&self, number: usize) -> Arc<Base> {
        let (parent, full) = (&self.held[number], &self.held[0]);
        let full = Volume::open(&full.path, &outline(full)).expect("the full");
        Arc::new(Base::new(&parent.id, Arc::clone(&parent.sealed.index), full, true).expect("a base"))
    }

    /// Adds a component on that base, and gives its size.
    fn add(&mut self, base: Option<usize>, write: impl FnOnce(&mut Sealer) -> Result<()>) -> u64 {
        let number = self.held.len();
        let path = self.folder.path().join(number.to_string());
        let base = base.map(|number| self.base(number));
        let mut sealer = Sealer::create(&path, self.cut, self.compression, base).expect("a sealer");
        write(&mut sealer).expect("room");
        // At the end this changes nothing.
        if number % 2 == 1 {
            sealer.settle().expect("written");
        }
        let sealed = sealer.finish().expect("an end").read_back().expect("a proof");
        let id = format!("20260101T0000{number:02}Z-dev-db-0000");
        self.held.push(Held { id, path, sealed });
        self.held[number].sealed.index.stored_bytes()
    }

    fn read(&self, number: usize) -> Result<Vec<u8>> {
        let own = &self.held[number];
        let holder = |id: &String| self.held.iter().find(|held| held.id == *id).expect("a source that is there");
        let own_outline = outline(own);
        let sources: Vec<_> = own_outline.sources().iter().map(|id| Some(Arc::new(outline(holder(id))))).collect();
        let volumes = own_outline.sources().iter().map(|id| Volume::open(&holder(id).path, &outline(holder(id))).map(Some));
        let shelf = Shelf::new(volumes.collect::<Result<Vec<_>>>()?)?.with(Volume::open(&own.path, &own_outline)?);
        let index = own_outline.resolve(&sources)?;
        assert!(index.chunks == own.sealed.index.chunks && index.frames == own.sealed.index.frames);
        let mut reader = Reader::gather(&Arc::new(shelf), Arc::new(index))?;
        let mut out = Vec::new();
        reader.read_to_end(&mut out).map_err(|error| crate::Error::from_io("read", error).as_kind(crate::error::Kind::Bad))?;
        Ok(out)
    }
}

/// The same with a few bytes changed here and there, and some more at its end.
fn changed(plain: &[u8], round: u8) -> Vec<u8> {
    let mut out = plain.to_vec();
    for at in (usize::from(round) * 1000..out.len()).step_by(50_000) {
        let end = out.len().min(at + 20);
        out[at..end].fill(b'0' + round);
    }
    out.extend_from_slice(&text(10_000));
    out
}

#[test]
fn a_chain_of_changes_is_small_and_every_part_of_it_is_read_in_one_step() {
    for compression in ALL {
        for cut in [Cut::Fixed(4096), Cut::Content(8192)] {
            let mut states = vec![text(3_000_000)];
            let mut chain = Chain::begin(cut, compression, &states[0]);
            let full_bytes = chain.held[0].sealed.index.stored_bytes();
            for round in 1..=3 {
                let next = changed(&states[round - 1], u8::try_from(round).expect("small"));
                let bytes = chain.add(Some(round - 1), |sealer| next.chunks(77_777).try_for_each(|part| sealer.add(part)));
                let share = if compression == Compression::None { 3 } else { 12 };
                assert!(bytes < full_bytes / share, "{compression} {cut:?}: {bytes} of {full_bytes}");
                states.push(next);
            }
            // A differential on the full, beside them.
            let last = states[3].clone();
            chain.add(Some(0), |sealer| sealer.add(&last));
            states.push(last);
            for (number, state) in states.iter().enumerate().skip(1) {
                assert!(chain.read(number).expect("the bytes") == *state, "{compression} {cut:?} {number}");
                let index = &chain.held[number].sealed.index;
                assert_eq!(index.sources[0], chain.held[0].id);
                let sources = &index.sources;
                let holds = |chunk: &super::super::index::Chunk| match chunk.source {
                    0 => true,
                    source => {
                        let holder = chain.held.iter().find(|held| held.id == sources[usize::from(source) - 1]).expect("a source");
                        holder.sealed.index.chunks[chunk.place as usize].source == 0
                    }
                };
                assert!(index.chunks.iter().all(holds), "a chunk is more than one step away");
            }
        }
    }
}

#[test]
fn what_has_not_changed_and_what_has_vanished_and_what_has_moved_are_told_apart() {
    for compression in ALL {
        let plain = text(2_000_000);
        let mut chain = Chain::begin(Cut::Content(8192), compression, &plain);
        assert_eq!(chain.add(Some(0), |sealer| sealer.add(&plain)), 0);
        assert!(chain.read(1).expect("the bytes") == plain);
        chain.add(Some(1), |_| Ok(()));
        assert!(chain.read(2).expect("the bytes").is_empty());
        let moved = [&plain[1_000_000..], &plain[..1_000_000]].concat();
        assert!(chain.add(Some(0), |sealer| sealer.add(&moved)) < 60_000);
        assert!(chain.read(3).expect("the bytes") == moved);
    }
}

#[test]
fn a_run_of_the_base_is_repeated_without_its_bytes() {
    for compression in ALL {
        let (a, b, c) = (text(300_000), text(500_001), text(7));
        let mut chain = Chain::begin(Cut::Content(8192), compression, b"");
        chain.held.clear();
        std::fs::remove_file(chain.folder.path().join("0")).expect("it is there");
        let parts = [&a, &b, &c];
        chain.add(None, |sealer| {
            parts.into_iter().try_for_each(|part| {
                sealer.add(part)?;
                sealer.cut_here()
            })
        });
        let (a_end, b_end) = (a.len() as u64, (a.len() + b.len()) as u64);
        chain.add(Some(0), |sealer| {
            assert!(!sealer.repeat(0..a_end - 1)?, "in the middle of a chunk");
            assert!(!sealer.repeat(0..b_end + 100)?, "beyond the end");
            assert!(sealer.repeat(a_end..b_end)?);
            sealer.add(b"something new")?;
            assert!(sealer.repeat(b_end..b_end + 7)?);
            assert!(sealer.repeat(0..a_end)?);
            assert!(sealer.repeat(0..0)?);
            sealer.add(b"at the end")
        });
        assert!(chain.read(1).expect("the bytes") == [&b, &b"something new"[..], &c, &a, b"at the end"].concat());
        let alone = chain.add(None, |sealer| {
            assert!(!sealer.repeat(0..a_end)?, "there is no base");
            Ok(())
        });
        assert!(alone < 100);
    }
}

#[test]
fn a_flipped_bit_anywhere_in_a_chain_is_never_taken_for_the_stream() {
    for compression in ALL {
        let first = text(600_000);
        let mut chain = Chain::begin(Cut::Fixed(4096), compression, &first);
        let second = changed(&first, 1);
        chain.add(Some(0), |sealer| sealer.add(&second));
        for holder in [0, 1] {
            let path = chain.held[holder].path.clone();
            let sound = std::fs::read(&path).expect("the file");
            for at in (0..sound.len()).step_by(sound.len() / 40 + 1) {
                let mut damaged = sound.clone();
                damaged[at] ^= 0x10;
                std::fs::write(&path, &damaged).expect("written");
                match chain.read(1) {
                    // A bit that means nothing, such as one of a gzip header, changes nothing.
                    Ok(bytes) => assert!(bytes == second, "{compression}, byte {at} of {holder}"),
                    Err(error) => assert_eq!(error.kind(), crate::error::Kind::Bad, "{compression}, byte {at} of {holder}: {error}"),
                }
            }
            std::fs::write(&path, &sound[..sound.len() - 1]).expect("written");
            assert_eq!(chain.read(1).expect_err("cut").kind(), crate::error::Kind::Bad);
            std::fs::write(&path, &sound).expect("written");
        }
        assert!(chain.read(1).expect("the bytes") == second);
    }
}
