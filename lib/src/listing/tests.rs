use super::*;
use crate::fsx;
use crate::state_dir::StateDir;
use crate::store::Create;

/// A verified full backup of `hours` after midnight.
pub(crate) fn listed(hours: i64, stored_bytes: u64, plain_bytes: u64) -> Listed {
    let midnight: DateTime<Utc> = "2026-11-21T00:00:00Z".parse().expect("a time");
    let at = midnight + chrono::TimeDelta::hours(hours);
    Listed {
        id: format!("{}-dev-db-7f3a", clock::compact(at)),
        place: "dev".into(),
        environment: Some("dev".into()),
        created_at: Some(at),
        kind: Some(Kind::Db),
        backup_type: Some(Type::Full),
        parent: None,
        database: Some("app".into()),
        stored_bytes: Some(stored_bytes),
        plain_bytes: Some(plain_bytes),
        rows: Some(10),
        made_ms: Some(1000),
        verified: Some(Level::Structure),
        checked: None,
        restored: None,
        is_damaged: false,
        tags: vec!["release".into()],
        pin: None,
        reason: None,
        problem: None,
        verdict: Verdict::Verified,
    }
}

#[test]
fn a_filter_wants_everything_that_it_says() {
    let one = listed(5, 10, 100);
    let fits = |filter: Filter| filter.fits(&one);
    assert!(fits(Filter::default()));
    assert!(fits(Filter { kind: Some(Kind::Db), backup_type: Some(Type::Full), tags: vec!["release".into()], ..Filter::default() }));
    assert!(!fits(Filter { kind: Some(Kind::Full), ..Filter::default() }));
    assert!(!fits(Filter { tags: vec!["release".into(), "other".into()], ..Filter::default() }));
    assert!(fits(Filter { since: one.created_at, until: one.created_at, ..Filter::default() }));
    assert!(!fits(Filter { since: one.created_at.map(|at| at + chrono::TimeDelta::seconds(1)), ..Filter::default() }));
    assert!(fits(Filter { verified: Some(Level::Structure), ..Filter::default() }));
    assert!(!fits(Filter { verified: Some(Level::Restore), ..Filter::default() }));
    assert!(!fits(Filter { bad: true, ..Filter::default() }));
    assert!(!fits(Filter { pinned: true, ..Filter::default() }));
}

#[test]
fn growth_is_told_a_day_and_over_the_last_days_only() {
    let old = listed(-24 * 90, 1, 1_000_000);
    let of = |listing: &[Listed]| stats(listing).remove(0).growth;
    assert_eq!(of(&[old.clone(), listed(0, 1, 1000), listed(12, 1, 1600)]).expect("growth").plain_bytes_per_day, 1200);
    assert_eq!(of(&[listed(0, 1, 1000), listed(48, 1, 600)]).expect("growth").plain_bytes_per_day, -200);
    assert_eq!(of(&[listed(0, 1, 1000)]), None);
    assert_eq!(of(&[old, listed(0, 1, 1000)]), None);
    assert_eq!(of(&[Listed { verified: None, ..listed(0, 1, 5) }, Listed { verified: None, ..listed(9, 1, 1) }]), None);
}

#[test]
fn what_increments_save_is_measured_by_the_full_of_their_chain() {
    let full = listed(0, 500, 1000);
    let next = Listed { backup_type: Some(Type::Incremental), parent: Some(full.id.clone()), ..listed(1, 50, 1000) };
    let last = Listed { backup_type: Some(Type::Incremental), parent: Some(next.id.clone()), ..listed(2, 100, 2000) };
    let lost = Listed { backup_type: Some(Type::Incremental), parent: Some("gone".into()), ..listed(3, 1, 9000) };
    let saved = stats(&[full.clone(), next, last, lost]).remove(0).saved.expect("increments");
    // 500 and 1000 would have been stored, 50 and 100 are.
    assert_eq!(saved, Saved { bytes: 1350, percent: 90 });
    assert_eq!(stats(&[full]).remove(0).saved, None);
}

#[test]
fn figures_are_of_one_environment_each() {
    let other = Listed { environment: Some("prod".into()), place: "archives".into(), is_damaged: true, verified: None, ..listed(1, 7, 9) };
    let restored = LastRestore { at: clock::now(), restore_ms: 12 };
    let all = stats(&[Listed { restored: Some(restored), ..listed(0, 5, 10) }, other, listed(2, 6, 11)]);
    assert_eq!(all.iter().map(|stats| stats.environment.as_str()).collect::<Vec<_>>(), ["dev", "prod"]);
    assert_eq!((all[0].backups, all[0].stored_bytes, all[0].plain_bytes, all[0].verified, all[0].damaged), (2, 11, 21, 2, 0));
    assert_eq!((all[1].backups, all[1].damaged, all[1].archived), (1, 1, 1));
    assert_eq!(all[0].by_kind["db"], 2);
    assert_eq!(all[0].last_restore.as_ref().map(|restored| restored.restore_ms), Some(12));
    assert_eq!((all[0].sizes_bytes.as_slice(), all[0].durations_ms.as_slice()), (&[5, 6][..], &[1000, 1000][..]));
    assert!(all[0].oldest.as_ref().map(|made| made.at) < all[0].newest.as_ref().map(|made| made.at));
}

/// A store with so many backups of a manifest and no content, one an hour.
fn store_of(folder: &std::path::Path, count: usize) -> Store {
    let state = folder.join("state");
    fsx::create_private_dirs(&state).expect("a state folder");
    let store = Store::open(&folder.join("backups"), &StateDir::at(&state), Create::FirstUse).expect("a store");
    for number in 0..count {
        publish(&store, i64::try_from(number).expect("few"), "made");
    }
    store
}

fn publish(store: &Store, hours: i64, reason: &str) -> String {
    let listed = listed(hours, 0, 0);
    let at = listed.created_at.expect("a time").to_rfc3339();
    let text = serde_json::json!({
        "format": 1, "id": listed.id, "store_id": store.id(), "environment": "dev", "kind": "db", "type": "full", "created_at": at,
        "finished_at": at, "host": "h", "tool": "t", "reason": reason, "verification": { "level": "structure", "at": at },
        "database": null, "fingerprint": null, "components": [],
    })
    .to_string();
    let folder = store.folder("dev").join(&listed.id);
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("manifest.json"), &text).expect("a manifest");
    let sums = format!("{}  manifest.json\n", fsx::sha256_hex(text.as_bytes()));
    std::fs::write(folder.join("SHA256SUMS"), sums).expect("sums");
    listed.id
}

/// The first record's "made" is "fake", and its checksum is right.
fn forged(kept: &[u8]) -> Vec<u8> {
    let mut bytes = kept.to_vec();
    let end = 16 + u32::from_le_bytes(bytes[8..12].try_into().expect("four")) as usize;
    let at = bytes[16..end].windows(4).position(|bytes| bytes == b"made").expect("a reason");
    bytes[16 + at..][..4].copy_from_slice(b"fake");
    let crc = libdeflater::crc32(&bytes[16..end]);
    bytes[12..16].copy_from_slice(&crc.to_le_bytes());
    bytes
}

#[test]
fn what_a_listing_remembers_is_only_believed_of_the_very_same_files() {
    const COUNT: usize = 520;
    let folder = tempfile::tempdir().expect("a folder");
    let store = store_of(folder.path(), COUNT);
    let first = read(&store, None).expect("a listing");
    assert_eq!(first.len(), COUNT);
    assert!(first.windows(2).all(|pair| pair[0].created_at < pair[1].created_at));
    let cache = store.state().path().join(format!("cache/seen-{}", store.id()));
    let kept = std::fs::read(&cache).expect("it is kept");
    assert_eq!(read(&store, Some("dev")).expect("the same"), first);
    assert_eq!(read(&store, Some("prod")).expect("nothing"), []);

    // It is used: what somebody writes there is shown, …
    std::fs::write(&cache, forged(&kept)).expect("written");
    let forged: Vec<Listed> =
        read(&store, None).expect("a listing").into_iter().filter(|one| one.reason.as_deref() == Some("fake")).collect();
    assert_eq!(forged.len(), 1);
    // … but nobody chooses a backup by it.
    let found = crate::select::find(&store, Some("dev"), &crate::select::Selector::Id(forged[0].id.clone())).expect("the backup");
    assert_eq!(found.manifest().reason.as_deref(), Some("made"));

    // What somebody writes there without its checksum is passed over.
    let mut flipped = kept.clone();
    let at = flipped.windows(4).position(|bytes| bytes == b"made").expect("a reason");
    flipped[at] = b'f';
    std::fs::write(&cache, flipped).expect("written");
    assert_eq!(read(&store, None).expect("the same"), first);
    assert_eq!(std::fs::read(&cache).expect("kept").len(), kept.len(), "it is written anew");

    // Whatever happens to a backup or beside it is seen at once.
    let by = |id: &str| read(&store, None).expect("a listing").into_iter().find(|one| one.id == id);
    let id = publish(&store, 3, "again");
    assert_eq!(by(&id).and_then(|one| one.reason).as_deref(), Some("again"));
    labels::say(&store, &id, labels::Change::Tag { tag: "new".into() }).expect("tagged");
    assert_eq!(by(&id).expect("there").tags, ["new"]);
    labels::say(&store, &id, labels::Change::Tag { tag: "newer".into() }).expect("tagged");
    assert_eq!(by(&id).expect("there").tags, ["new", "newer"]);
    let failed = Check {
        at: clock::now(),
        level: Level::Checksum,
        passed: false,
        findings: vec!["bad".into()],
        check_ms: 1,
        restore_ms: None,
        host: "h".into(),
    };
    checks::append(&store, &id, &failed).expect("noted");
    assert_eq!(by(&id).map(|one| (one.verified, one.is_damaged, one.problem)), Some((None, true, Some("bad".into()))));
    let archived = first[9].id.clone();
    fsx::create_private_dirs(&store.folder("archives")).expect("a folder");
    fsx::rename_new(&store.folder("dev").join(&archived), &store.folder("archives").join(&archived)).expect("moved");
    assert_eq!(by(&archived).expect("there").place, "archives");
    std::fs::remove_dir_all(store.folder("dev").join(&first[10].id)).expect("removed");
    assert_eq!(by(&first[10].id), None);
    let path = store.folder("dev").join(&first[11].id).join("manifest.json");
    std::fs::write(&path, "{}").expect("damaged in place");
    assert!(by(&first[11].id).expect("there").is_damaged);

    // Half a line, and anything else, is passed over.
    let whole = read(&store, None).expect("a listing");
    for harm in [&b""[..], b"\xff\xff\xff\xff", b"\0\0\0\0\0\0\0\0", b"{\"format\":1}\n"] {
        let mut bytes = std::fs::read(&cache).expect("kept");
        bytes.truncate(bytes.len() / 2);
        bytes.extend_from_slice(harm);
        std::fs::write(&cache, bytes).expect("written");
        assert_eq!(read(&store, None).expect("a listing"), whole);
        assert_eq!(read(&store, None).expect("a listing"), whole);
    }
    std::fs::remove_file(&cache).expect("removed");
    std::fs::create_dir(&cache).expect("in its place");
    assert_eq!(read(&store, None).expect("a listing"), whole);
}

#[test]
fn the_newest_good_one_is_found_among_many_without_opening_all() {
    use crate::select::{Selector, find};
    let folder = tempfile::tempdir().expect("a folder");
    let store = store_of(folder.path(), 0);
    let ids: Vec<String> = (0..5).map(|hours| publish(&store, hours, "made")).collect();
    // Without a database none is meant by it; that is said as it was before.
    assert_eq!(find(&store, Some("dev"), &Selector::Latest).expect_err("none").kind(), crate::error::Kind::Bad);
    assert_eq!(find(&store, None, &Selector::Id(ids[1].clone())).expect("by its id").id(), ids[1]);
    find(&store, Some("prod"), &Selector::Id(ids[1].clone())).expect_err("of another environment");
    let several = find(&store, None, &Selector::Id("2026".into())).expect_err("several");
    assert_eq!(several.kind(), crate::error::Kind::Usage);
}
