use std::path::Path;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::compression::Compression;
use crate::error::Kind;
use crate::progress::Silent;
use crate::state_dir::StateDir;
use crate::store::Create;

struct Scene {
    folder: TempDir,
    versions: Versions,
}

fn scene() -> Scene {
    let folder = tempfile::tempdir().expect("a folder");
    let state = StateDir::at(&folder.path().join("state"));
    let store = Store::open(&folder.path().join("store"), &state, Create::FirstUse).expect("a store");
    Scene { versions: Versions::of(&store).expect("versions"), folder }
}

fn request(compression: Compression) -> Request {
    Request { author: "ann".into(), message: "why".into(), compression, min_free: 0 }
}

impl Scene {
    fn name(&self, file: &str) -> Name {
        Name::of(&self.folder.path().join(file)).expect("a name")
    }

    fn write(&self, file: &str, content: &[u8]) -> Name {
        std::fs::write(self.folder.path().join(file), content).expect("written");
        self.name(file)
    }

    fn save(&self, name: &Name, compression: Compression) -> Saved {
        let held = self.versions.hold(Duration::ZERO).expect("free");
        self.versions.save(&held, name, &request(compression), &Silent).expect("saved")
    }

    fn saved(&self, file: &str, content: &[u8]) -> Version {
        let name = self.write(file, content);
        self.save(&name, Compression::default()).version
    }

    fn content(&self, version: &Version) -> Result<Vec<u8>> {
        use std::io::Read;
        let mut content = Vec::new();
        self.versions.open(version)?.read_to_end(&mut content).map_err(|error| Error::from_io("cannot read", error))?;
        Ok(content)
    }

    fn object(&self, version: &Version) -> PathBuf {
        object::path_of(&self.versions.root, &version.record.sha256)
    }
}

#[test]
fn what_was_saved_comes_back_for_every_size_around_a_frames_edge() {
    let scene = scene();
    for compression in [Compression::Gzip(1), Compression::Gzip(6), Compression::Zstd(1), Compression::None] {
        for size in [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME, 3 * FRAME + 7] {
            let content: Vec<u8> = (0..size).map(|at| (at * at % 251) as u8).collect();
            let name = scene.write("a", &content);
            let version = scene.save(&name, compression).version;
            assert!(scene.content(&version).expect("it is whole") == content, "{size} bytes by {compression}");
            let magic = std::fs::read(scene.object(&version)).expect("the object");
            std::fs::remove_file(scene.object(&version)).expect("removed, so that each is compressed anew");
            let is_zstd = magic.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
            assert_eq!(is_zstd, matches!(compression, Compression::Zstd(_)), "{size} bytes by {compression}");
            assert!(is_zstd || magic.starts_with(&[0x1f, 0x8b]));
        }
    }
}

const FRAME: usize = crate::frames::FRAME_PLAIN_BYTES;

#[test]
fn fm_c03_any_changed_byte_of_an_object_gives_the_content_or_an_error_and_nothing_else() {
    let scene = scene();
    for compression in [Compression::Gzip(1), Compression::Zstd(1)] {
        let content: Vec<u8> = format!("some text, {compression}\n").repeat(9).into_bytes();
        let name = scene.write("a", &content);
        let version = scene.save(&name, compression).version;
        let path = scene.object(&version);
        let whole = std::fs::read(&path).expect("the object");
        let mut noticed = 0;
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                std::fs::write(&path, &changed).expect("written");
                match scene.content(&version) {
                    Ok(found) => assert!(found == content, "byte {at}, bit {bit}"),
                    Err(error) => {
                        assert_eq!(error.kind(), Kind::Bad, "{error}");
                        assert!(error.to_string().contains(&version.id), "{error}");
                        noticed += 1;
                    }
                }
            }
            std::fs::write(&path, &whole[..at]).expect("written");
            scene.content(&version).expect_err("a cut object");
        }
        assert!(noticed > whole.len() * 6, "only {noticed} of {} changes were noticed", whole.len() * 8);
        std::fs::write(&path, &whole).expect("written");
        assert!(scene.content(&version).expect("whole again") == content);
    }
}

#[test]
fn fm_c14_a_clock_that_goes_back_keeps_the_order() {
    let scene = scene();
    let first = scene.saved("a", b"one");
    // As a machine would have it whose clock is an hour ahead.
    let mut record = first.record.clone();
    record.created_at += chrono::TimeDelta::hours(1);
    record.parent = Some(first.id.clone());
    let (id, bytes) = record.seal().expect("bytes");
    let name = scene.name("a");
    std::fs::write(scene.versions.index(name.key()).join(format!("{id}.json")), bytes).expect("written");
    let saved = {
        let name = scene.write("a", b"two");
        scene.save(&name, Compression::default())
    };
    assert_eq!(saved.version.record.parent.as_deref(), Some(id.as_str()));
    assert!(saved.version.record.created_at > record.created_at);
    assert!(saved.notes.iter().any(|note| note.contains("is the clock right?")), "{:?}", saved.notes);
    let history = scene.versions.history(&name).expect("a history");
    assert_eq!(history.versions.iter().map(|version| &version.id).collect::<Vec<_>>(), [&first.id, &id, &saved.version.id]);
}

#[test]
fn fm_c08_a_version_of_a_newer_format_is_told_and_keeps_everything() {
    let scene = scene();
    let first = scene.saved("a", b"one");
    let mut record = first.record.clone();
    record.format = 2;
    let (id, bytes) = record.seal().expect("bytes");
    let name = scene.name("a");
    std::fs::write(scene.versions.index(name.key()).join(format!("{id}.json")), bytes).expect("written");
    let history = scene.versions.history(&name).expect("a history");
    assert_eq!(history.versions.len(), 1);
    assert!(history.damaged[0].why.contains("has format 2"), "{}", history.damaged[0].why);
    assert!(history.damaged[0].why.contains("newer version of Holdfast"), "{}", history.damaged[0].why);
    let error = scene.versions.plan_gc(Keep { last: Some(1), days: None }).expect_err("nobody knows what it needs");
    assert_eq!(error.kind(), Kind::Bad);
}

#[test]
fn a_file_that_changes_between_its_two_reads_is_read_again() {
    let scene = scene();
    let name = scene.write("a", b"one");
    let found = Present::look(&name, &Silent).expect("reads").expect("there");
    let held = scene.versions.hold(Duration::ZERO).expect("free");
    for other in [&b"two"[..], b"o", b"one and more"] {
        scene.write("a", other);
        let saved = scene.versions.save_found(&held, &name, &found, &request(Compression::default()), &Silent).expect("no error");
        assert!(saved.is_none(), "{other:?} was saved under the hash of another content");
    }
    std::fs::remove_file(name.path()).expect("removed");
    assert!(scene.versions.save_found(&held, &name, &found, &request(Compression::default()), &Silent).expect("no error").is_none());
    assert!(scene.versions.histories().expect("none").is_empty());
    assert_eq!(std::fs::read_dir(scene.versions.root()).expect("a listing").filter(is_draft).count(), 0);
}

fn is_draft(entry: &std::io::Result<std::fs::DirEntry>) -> bool {
    entry.as_ref().expect("an entry").file_name().to_string_lossy().starts_with(".staging-")
}

#[test]
fn a_target_that_is_written_to_meanwhile_is_left_alone() {
    struct Meddler<'a>(&'a Path);
    impl crate::progress::Progress for Meddler<'_> {
        fn begin(&self, stage: &str, _total_bytes: Option<u64>) {
            if stage == "restore" {
                std::fs::write(self.0, b"written meanwhile").expect("written");
            }
        }
        fn reached(&self, _done_bytes: u64) {}
        fn end(&self) {}
    }
    let scene = scene();
    scene.saved("a", b"one");
    for present in [Some(b"two"), None] {
        let name = scene.name("a");
        match present {
            Some(content) => std::fs::write(name.path(), content).expect("written"),
            None => std::fs::remove_file(name.path()).expect("removed"),
        }
        let held = scene.versions.hold(Duration::ZERO).expect("free");
        let first = scene.versions.history(&name).expect("a history").versions[0].id.clone();
        let wanted = Wanted { name: name.clone(), selector: Selector::parse(&first).expect("an id"), target: name.clone() };
        let error = scene.versions.restore(&held, &wanted, &request(Compression::default()), &Meddler(name.path())).expect_err("changed");
        assert!(error.to_string().contains("was changed meanwhile"), "{error}");
        assert_eq!(std::fs::read(name.path()).expect("the file"), b"written meanwhile");
        let beside: Vec<_> = names(scene.folder.path()).expect("names").into_iter().filter(|name| name != "a").collect();
        assert_eq!(beside, ["state", "store"], "nothing is left beside it");
    }
}

#[test]
fn only_the_drafts_of_dead_processes_of_this_machine_are_swept() {
    let scene = scene();
    scene.saved("a", b"one");
    let host = crate::store::host_tag();
    // No process has an id beyond what the kernel gives.
    let dead = format!(".staging-{host}-2147483600-aa.nosync");
    let others = [
        format!(".staging-{host}-{}-aa.nosync", std::process::id()),
        ".staging-00000000-2147483600-aa.nosync".to_owned(),
        format!(".staging-{host}-x"),
    ];
    for name in others.iter().chain([&dead]) {
        std::fs::write(scene.versions.root().join(name), b"").expect("written");
    }
    drop(scene.versions.hold(Duration::ZERO).expect("free"));
    assert!(!scene.versions.root().join(&dead).exists());
    for name in &others {
        assert!(scene.versions.root().join(name).exists(), "{name} is somebody's");
    }
}

#[test]
fn fm_j01_a_folder_of_versions_that_is_a_link_is_refused() {
    let scene = scene();
    let version = scene.saved("a", b"one");
    for folder in [INDEX, TAGS, OBJECTS, ""] {
        let path = if folder.is_empty() { scene.versions.root.clone() } else { scene.versions.root.join(folder) };
        if path.symlink_metadata().is_err() {
            std::fs::create_dir(&path).expect("a folder");
        }
        let aside = scene.folder.path().join("aside");
        std::fs::rename(&path, &aside).expect("moved");
        std::os::unix::fs::symlink(&aside, &path).expect("a link");
        assert_eq!(Versions::of(&scene.versions.store).expect_err(folder).kind(), Kind::Refused);
        std::fs::remove_file(&path).expect("removed");
        std::fs::rename(&aside, &path).expect("moved back");
    }
    assert_eq!(scene.content(&version).expect("as it was"), b"one");
    // Nor is a new content written through one.
    let sha256 = fsx::sha256_hex(b"two");
    let path = object::path_of(&scene.versions.root, &sha256);
    for (place, above) in [(path.parent(), 1), (path.parent().and_then(Path::parent), 2)] {
        let (place, aside) = (place.expect("a folder"), scene.folder.path().join(format!("aside{above}")));
        std::fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
        std::fs::create_dir(&aside).expect("a folder");
        let _ = std::fs::remove_dir(place);
        std::os::unix::fs::symlink(&aside, place).expect("a link");
        let name = scene.write("a", b"two");
        let held = scene.versions.hold(Duration::ZERO).expect("free");
        let error = scene.versions.save(&held, &name, &request(Compression::default()), &Silent).expect_err("a link");
        assert_eq!(error.kind(), Kind::Refused, "{error}");
        assert_eq!(names(&aside).expect("names").len(), 0);
        std::fs::remove_file(place).expect("removed");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever is saved, tagged and collected: a version that a rule or a tag keeps can be read, and what is left is needed.
    #[test]
    fn a_collection_keeps_what_it_must(contents in prop::collection::vec(0u8..6, 1..12), tagged in prop::collection::vec(any::<bool>(), 12), last in 1u32..5) {
        let scene = scene();
        let mut all = Vec::new();
        for content in &contents {
            let name = scene.write("a", &[*content; 40]);
            let saved = scene.save(&name, Compression::default());
            if saved.is_new {
                if tagged[all.len()] {
                    let held = scene.versions.hold(Duration::ZERO).expect("free");
                    scene.versions.tag(&held, &name, &Selector::LATEST, &format!("t{}", all.len()), "ann", false).expect("tagged");
                }
                all.push((saved.version, *content));
            }
        }
        let old = SystemTime::now() - Duration::from_secs(7200);
        for (version, _) in &all {
            std::fs::File::open(scene.object(version)).and_then(|file| file.set_modified(old)).expect("an older time");
        }
        let held = scene.versions.hold(Duration::ZERO).expect("free");
        let keep = Keep { last: Some(last), days: None };
        let planned = scene.versions.plan_gc(keep).expect("a plan");
        let done = scene.versions.gc(&held, keep).expect("collected");
        prop_assert_eq!(planned.objects, done.objects);
        let left = scene.versions.history(&scene.name("a")).expect("a history").versions;
        for (rank, (version, content)) in all.iter().rev().enumerate() {
            let must_stay = rank < last as usize || tagged[all.len() - 1 - rank];
            prop_assert_eq!(left.iter().any(|kept| kept.id == version.id), must_stay);
            if must_stay {
                prop_assert_eq!(scene.content(version).expect("it is whole"), vec![*content; 40]);
            }
        }
        let stats = scene.versions.stats(true).expect("figures");
        prop_assert_eq!(stats.unneeded_objects, 0);
        prop_assert!(stats.problems.is_empty());
        prop_assert_eq!(scene.versions.gc(&held, keep).expect("again").objects, 0);
    }
}

#[test]
fn fm_j05_a_length_that_a_record_makes_up_is_named_and_not_counted() {
    let scene = scene();
    let honest = scene.saved("a.txt", b"some content");
    let crafted = |file: &str, bytes: u64| {
        let path = scene.folder.path().join(file).to_string_lossy().into_owned();
        let record = record::Record { bytes, file: path, parent: None, ..honest.record.clone() };
        let (id, text) = record.seal().expect("sealed");
        let beside = scene.versions.root.join(INDEX).join(scene.name(file).key());
        std::fs::create_dir_all(&beside).expect("a folder");
        std::fs::write(beside.join(id.clone() + ".json"), text).expect("written");
        id
    };
    let ids = [crafted("b.txt", u64::MAX), crafted("c.txt", u64::MAX - 1), crafted("d.txt", 3)];
    let stats = scene.versions.stats(true).expect("counted");
    assert_eq!((stats.versions, stats.objects, stats.distinct_bytes), (4, 1, 12));
    assert_eq!(stats.plain_bytes, u64::MAX, "what they say together is no number that could be");
    for id in &ids {
        assert_eq!(stats.problems.iter().filter(|problem| problem.contains(id.as_str())).count(), 1, "{:?}", stats.problems);
    }
    assert!(!stats.problems.iter().any(|problem| problem.contains(&honest.id)), "{:?}", stats.problems);
    let unread = scene.versions.stats(false).expect("counted");
    assert_eq!(unread.problems.len(), 1, "{:?}", unread.problems);
    // What is damaged is still that.
    std::fs::write(scene.object(&honest), b"nonsense").expect("written");
    let stats = scene.versions.stats(true).expect("counted");
    assert!(stats.problems.iter().any(|problem| problem.contains("damaged")), "{:?}", stats.problems);
}
