use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

use super::*;
use crate::files::walk::Rules;
use crate::frames::index::Index;
use crate::manifest::Root;
use crate::progress::Silent;

fn packed(selection: &Selection, folder: &Path, base: Option<Base<'_>>) -> Result<Packed> {
    let sealer = Sealer::create(&folder.join("files.tar"), Cut::Content(CHUNK_BYTES), Compression::None, None)?;
    pack_into(sealer, "files", selection, folder, Compression::None, base, &Silent)
}

struct Made {
    archive: Vec<u8>,
    index: Index,
    entries: Vec<Entry>,
    files: Files,
}

fn make(source: &Path, base: Option<Base<'_>>) -> Made {
    let folder = tempfile::tempdir().expect("a folder");
    let roots = vec![Root { name: "media".to_owned(), path: source.to_owned(), ..Root::default() }];
    let selection = Selection { roots, rules: Rules::of(&[], &[]).expect("rules"), ..Selection::default() };
    let packed = packed(&selection, folder.path(), base).expect("packed");
    let files = packed.files;
    let index = Index::clone(&packed.unread.read_back().expect("read back").index);
    let component = Component {
        role: "files".to_owned(),
        file: "files.tar".to_owned(),
        content: CONTENT.to_owned(),
        compression: "none".to_owned(),
        stored_bytes: 0,
        plain_bytes: index.plain_bytes,
        stored_sha256: String::new(),
        frames: 0,
        chunks: 0,
        index: String::new(),
        index_bytes: 0,
        index_sha256: String::new(),
        files: Some(files.clone()),
        sources: Vec::new(),
    };
    let lines = inventory::Reader::open(folder.path(), &component).expect("an inventory");
    let entries = lines.map(|entry| entry.expect("an entry")).collect();
    Made { archive: std::fs::read(folder.path().join("files.tar")).expect("an archive"), index, entries, files }
}

fn media() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let media = folder.path().join("media");
    std::fs::create_dir_all(media.join("a/b")).expect("folders");
    for number in 0..300u32 {
        std::fs::write(media.join(format!("a/{number}.txt")), number.to_string().repeat(number as usize)).expect("written");
    }
    let large: Vec<u8> = (0..700_000u32).flat_map(|number| (number.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
    std::fs::write(media.join("large"), large).expect("written");
    std::os::unix::fs::symlink("large", media.join("link")).expect("a link");
    // One right behind the file whose other name it is, and one far behind.
    std::fs::hard_link(media.join("large"), media.join("larger")).expect("a hard link");
    std::fs::hard_link(media.join("a/100.txt"), media.join("z")).expect("a hard link");
    (folder, media)
}

/// A time at which every file of now is old.
fn later() -> Time {
    Time { seconds: chrono::Utc::now().timestamp() + 60, nanos: 0 }
}

#[test]
fn every_entry_stands_where_its_line_says_and_is_a_whole_number_of_chunks() {
    let (_folder, media) = media();
    let made = make(&media, None);
    assert_eq!((made.files.files, made.files.folders, made.files.links, made.files.hard_links), (301, 3, 1, 2));
    let mut ends = BTreeSet::from([0]);
    let mut at = 0;
    for chunk in &made.index.chunks {
        at += u64::from(chunk.bytes);
        ends.insert(at);
    }
    let mut at = 0;
    for entry in &made.entries {
        assert_eq!(entry.offset, at, "{}", entry.path);
        at += entry.length;
        assert!(ends.contains(&entry.offset) && ends.contains(&at), "{}", entry.path);
        if entry.what == Type::File {
            let begin = usize::try_from(entry.content_offset().expect("a place")).expect("small");
            let content = &made.archive[begin..begin + usize::try_from(entry.bytes).expect("small")];
            let name = String::from_utf8(entry.path.0.clone()).expect("text");
            assert_eq!(content, std::fs::read(media.parent().expect("above").join(name)).expect("read"), "{}", entry.path);
        }
    }
    assert!(made.entries.windows(2).all(|pair| pair[0].path < pair[1].path), "out of order");
}

#[test]
fn with_an_earlier_inventory_the_archive_is_the_same_and_a_changed_file_is_read_again() {
    let (_folder, media) = media();
    let first = make(&media, None);
    // Without a base in the frames, what could be repeated is read.
    let entries = || first.entries.clone().into_iter().map(Ok);
    let again = make(&media, Some(Base::new(entries(), later())));
    assert!(again.archive == first.archive && again.entries == first.entries);
    std::fs::write(media.join("a/7.txt"), "other").expect("written");
    std::fs::remove_file(media.join("a/8.txt")).expect("removed");
    std::fs::write(media.join("a/b/new"), "new").expect("written");
    let changed = make(&media, Some(Base::new(entries(), later())));
    assert!(changed.archive == make(&media, None).archive, "as without a base");
    // A base whose inventory cannot be read is an error, and no reason to take files for unchanged.
    let folder = tempfile::tempdir().expect("a folder");
    let roots = vec![Root { name: "media".to_owned(), path: media.clone(), ..Root::default() }];
    let selection = Selection { roots, ..Selection::default() };
    let broken = Base::new(std::iter::once(Err(Error::bad("damaged"))), later());
    assert!(packed(&selection, folder.path(), Some(broken)).is_err());
}

#[test]
fn another_program_reads_the_archive() {
    let (_folder, media) = media();
    let made = make(&media, None);
    let mut archive = tar::Archive::new(&made.archive[..]);
    let mut count = 0;
    for (entry, line) in archive.entries().expect("entries").zip(&made.entries) {
        let mut entry = entry.expect("an entry");
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("read");
        assert_eq!(content.len() as u64, line.stored_bytes(), "{}", line.path);
        count += 1;
    }
    assert_eq!(count, made.entries.len());
}

#[test]
fn the_content_of_a_file_that_fits_one_chunk_is_one_and_named_by_its_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let media = folder.path().join("media");
    std::fs::create_dir(&media).expect("a folder");
    let lengths = [0, 1, OWN_CHUNK_MIN_BYTES - 512, OWN_CHUNK_MIN_BYTES, 100_001, 256 << 10, (256 << 10) + 1, 900_000];
    for length in lengths {
        let content: Vec<u8> =
            (0..u32::try_from(length).expect("small")).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        std::fs::write(media.join(format!("{length:07}")), &content[..length]).expect("written");
    }
    let made = make(&media, None);
    let (mut at, mut begins) = (0, Vec::new());
    for chunk in &made.index.chunks {
        let end = at + chunk.bytes as usize;
        begins.push(at as u64);
        assert_eq!(chunk.hash, crate::frames::chunk_hash(&made.archive[at..end]), "the chunk at {at}");
        at = end;
    }
    for (entry, length) in made.entries.iter().skip(1).zip(lengths) {
        let range = entry.offset..entry.offset + entry.length;
        let own = begins.iter().filter(|begin| range.contains(*begin)).count();
        match length {
            0..OWN_CHUNK_MIN_BYTES => assert_eq!(own, 1, "{length}"),
            OWN_CHUNK_MIN_BYTES..=262_144 => assert_eq!(own, 2, "{length}: the header, and the content"),
            _ => assert!(own > 2, "{length} is cut by its content, not into {own}"),
        }
    }
}
