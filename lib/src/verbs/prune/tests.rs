//! What is remembered of backups must never make a run remove what a look at each of them would have kept.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::checks::{self, Check};
use crate::config::tests::Place;
use crate::environment::Overrides;
use crate::labels;
use crate::manifest::Level;
use crate::state_dir::StateDir;
use crate::store::{Create, RECOVER};

/// Stores tried; each is made on a disk.
const CASES: u32 = 100;

/// One backup of a random store.
#[derive(Debug, Clone)]
struct One {
    hours_old: i64,
    plain_bytes: u64,
    level: Option<Level>,
    needs: Option<prop::sample::Index>,
    is_damaged: bool,
    is_pinned: bool,
    is_of_another_store: bool,
    /// What happens to it after it was seen, …
    later: Later,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Later {
    Nothing,
    /// … its file is cut in place, which no folder shows;
    Cut,
    Found(bool),
    Pinned,
    Noted,
    Unreadable,
    Gone,
}

/// What becomes of the file of what was seen.
#[derive(Debug, Clone)]
enum Harm {
    None,
    Flip(Vec<(prop::sample::Index, u8)>),
    Truncate(prop::sample::Index),
    /// Bytes are changed, and the checksums made right.
    Forge(Vec<(prop::sample::Index, u8)>),
    /// Every record says what another one says, and the checksums are right.
    Swap(usize),
    OtherVersion,
    Nonsense(Vec<u8>),
}

fn ones() -> impl Strategy<Value = Vec<One>> {
    let level = prop_oneof![6 => Just(Some(Level::Structure)), 1 => Just(Some(Level::Quick)), 1 => Just(None)];
    let later = prop_oneof![
        12 => Just(Later::Nothing),
        1 => Just(Later::Cut),
        1 => any::<bool>().prop_map(Later::Found),
        1 => Just(Later::Pinned),
        1 => Just(Later::Noted),
        1 => Just(Later::Unreadable),
        1 => Just(Later::Gone),
    ];
    let size = prop_oneof![8 => 900u64..1100, 1 => 1u64..50];
    let needs = prop::option::weighted(0.25, any::<prop::sample::Index>());
    let weighted = prop::bool::weighted;
    let one = (1i64..400, size, level, needs, weighted(0.08), weighted(0.08), weighted(0.05), later).prop_map(
        |(hours_old, plain_bytes, level, needs, is_damaged, is_pinned, is_of_another_store, later)| One {
            hours_old,
            plain_bytes,
            level,
            needs,
            is_damaged,
            is_pinned,
            is_of_another_store,
            later,
        },
    );
    prop::collection::vec(one, 1..14)
}

fn harms() -> impl Strategy<Value = Harm> {
    let changes = || prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12);
    prop_oneof![
        2 => Just(Harm::None),
        1 => changes().prop_map(Harm::Flip),
        1 => any::<prop::sample::Index>().prop_map(Harm::Truncate),
        6 => changes().prop_map(Harm::Forge),
        3 => (1usize..10).prop_map(Harm::Swap),
        1 => Just(Harm::OtherVersion),
        1 => prop::collection::vec(any::<u8>(), 0..200).prop_map(Harm::Nonsense),
    ]
}

struct Stage {
    _folder: tempfile::TempDir,
    store: Store,
    environment: Environment,
}

impl Stage {
    fn new(retention: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        fsx::create_private_dirs(&state).expect("a state folder");
        let store = Store::open(&folder.path().join("backups"), &StateDir::at(&state), Create::FirstUse).expect("a store");
        let place = Place::new(&format!("[env.dev]\ndatabase = 'app.db'\nmin_verified = 1\n[env.dev.retention]\n{retention}\n"));
        let environment = place.load().and_then(|config| config.environment(None, Overrides::default())).expect("an environment");
        Stage { _folder: folder, store, environment }
    }

    fn publish(&self, one: &One, nth: usize, earlier: &[String]) -> String {
        let at = clock::now() - TimeDelta::hours(one.hours_old);
        let id = format!("{}-dev-db-{nth:04x}", clock::compact(at));
        let parent = one.needs.filter(|_| !earlier.is_empty()).map(|index| index.get(earlier).clone());
        let verification = one.level.map(|level| serde_json::json!({ "level": level, "at": at.to_rfc3339() }));
        let text = serde_json::json!({
            "format": 1, "id": id, "environment": "dev", "kind": "db", "type": if parent.is_some() { "incremental" } else { "full" },
            "store_id": if one.is_of_another_store { "another" } else { self.store.id() }, "parent": parent,
            "created_at": at.to_rfc3339(), "finished_at": at.to_rfc3339(), "host": "h", "tool": "t", "verification": verification,
            "database": null, "fingerprint": null, "components": [{
                "role": "database", "file": "database.gz", "content": "sqlite", "compression": "gzip", "stored_bytes": 4,
                "plain_bytes": one.plain_bytes, "stored_sha256": "x", "frames": 1, "chunks": 1, "index": "database.index",
                "index_bytes": 4, "index_sha256": "x",
            }],
        })
        .to_string();
        let folder = self.folder(&id);
        fsx::create_private_dirs(&folder).expect("a folder");
        let sums = format!("{}  manifest.json\n", fsx::sha256_hex(text.as_bytes()));
        for (name, content) in
            [("database.gz", "data"), ("database.index", "data"), ("manifest.json", &text), (CHECKSUMS, &sums), ("RESTORE.txt", "")]
        {
            std::fs::write(folder.join(name), content).expect("written");
        }
        if parent.is_some() {
            std::fs::write(folder.join(RECOVER), "").expect("written");
        }
        if one.is_damaged {
            self.found(&id, false);
        }
        if one.is_pinned {
            labels::say(&self.store, &id, labels::Change::Pin { reason: None }).expect("pinned");
        }
        id
    }

    fn folder(&self, id: &str) -> PathBuf {
        self.store.folder("dev").join(id)
    }

    fn found(&self, id: &str, passed: bool) {
        let check =
            Check { at: clock::now(), level: Level::Exact, passed, findings: vec![], check_ms: 1, restore_ms: None, host: "h".into() };
        checks::append(&self.store, id, &check).expect("noted");
    }

    fn happen(&self, id: &str, later: Later) {
        let folder = self.folder(id);
        match later {
            Later::Nothing => {}
            Later::Cut => std::fs::write(folder.join("database.gz"), "d").expect("cut"),
            Later::Found(passed) => self.found(id, passed),
            Later::Pinned => labels::say(&self.store, id, labels::Change::Pin { reason: None }).expect("pinned"),
            Later::Noted => std::fs::write(folder.join("notes.txt"), "mine").expect("written"),
            Later::Unreadable => std::fs::write(folder.join("manifest.json"), "{}").expect("written"),
            Later::Gone => std::fs::remove_dir_all(folder).expect("removed"),
        }
    }

    fn seen(&self) -> PathBuf {
        self.store.state().path().join(format!("cache/seen-{}", self.store.id()))
    }

    fn removals(plan: Result<Plan>) -> Option<BTreeSet<String>> {
        plan.ok().map(|plan| plan.removals().map(|line| line.id.clone()).collect())
    }

    /// What goes by a look at each.
    fn fresh(&self) -> Option<BTreeSet<String>> {
        let catalog = Catalog::read(&self.store, Some("dev")).expect("a catalog");
        Self::removals(plan(&self.environment, &self.store, &catalog))
    }

    fn remembered(&self) -> Option<BTreeSet<String>> {
        let shown = preview(&self.environment, &self.store, Said::default()).ok()?;
        Self::removals(shown.refused.map_or(Ok(shown.plan), Err))
    }

    fn there(&self) -> BTreeSet<String> {
        crate::fsx::names_in(&self.store.folder("dev")).expect("listed").into_iter().filter_map(|name| name.into_string().ok()).collect()
    }

    /// Harms the file of what was seen.
    fn harm(&self, harm: &Harm) {
        let mut bytes = std::fs::read(self.seen()).expect("it is kept");
        let change = |bytes: &mut [u8], changes: &[(prop::sample::Index, u8)]| {
            changes.iter().for_each(|(index, value)| bytes[index.index(bytes.len())] = *value);
        };
        match harm {
            Harm::None => return,
            Harm::Flip(changes) => change(&mut bytes, changes),
            Harm::Truncate(index) => bytes.truncate(index.index(bytes.len())),
            Harm::Forge(changes) => {
                let mut records = records(&bytes);
                for (index, value) in changes {
                    let count = records.len();
                    let record = &mut records[index.index(count)];
                    // Not the id, the place and the stamps: what is remembered would just not count.
                    let from = record.len() - record.len().min(150);
                    let at = from + usize::from(*value).wrapping_mul(31) % (record.len() - from);
                    record[at] = *value % 3;
                }
                bytes = sealed(&records);
            }
            Harm::Swap(by) => {
                let records = records(&bytes);
                let tail = |record: &[u8]| record.len() - record.len().min(100);
                let swapped = (0..records.len()).map(|at| {
                    let (own, other) = (&records[at], &records[(at + by) % records.len()]);
                    if own.len() == other.len() { [&own[..tail(own)], &other[tail(other)..]].concat() } else { own.clone() }
                });
                bytes = sealed(&swapped.collect::<Vec<_>>());
            }
            Harm::OtherVersion => bytes[7] += 1,
            Harm::Nonsense(nonsense) => bytes = nonsense.clone(),
        }
        std::fs::write(self.seen(), bytes).expect("harmed");
    }
}

/// The records of the file, without their heads.
fn records(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes = &bytes[8..];
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let length = u32::from_le_bytes(bytes[..4].try_into().expect("four")) as usize;
        records.push(bytes[8..8 + length].to_vec());
        bytes = &bytes[8 + length..];
    }
    records
}

fn sealed(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"HFSEEN03".to_vec();
    for record in records {
        bytes.extend_from_slice(&(record.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&libdeflater::crc32(record).to_le_bytes());
        bytes.extend_from_slice(record);
    }
    bytes
}

fn rules() -> impl Strategy<Value = String> {
    prop_oneof![
        (1u32..4).prop_map(|count| format!("keep_last = {count}")),
        (1u32..10).prop_map(|days| format!("keep_days = {days}")),
        (1u32..4, 1u32..4).prop_map(|(daily, floor)| format!("daily = {daily}\nkeep_min = {floor}")),
    ]
}

#[test]
fn fm_e01_a_memory_harmed_in_any_way_makes_no_run_remove_what_a_look_would_keep() {
    let (went, differed) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&(ones(), harms(), rules()), |(ones, harm, rules)| {
        let stage = Stage::new(&rules);
        let mut ids: Vec<String> = Vec::new();
        for (nth, one) in ones.iter().enumerate() {
            let id = stage.publish(one, nth, &ids);
            ids.push(id);
        }
        let before = stage.remembered();
        prop_assert_eq!(&stage.remembered(), &before, "a second look sees the same");
        prop_assert_eq!(&stage.fresh(), &before, "what is remembered is what there is");
        for (id, one) in ids.iter().zip(&ones) {
            stage.happen(id, one.later);
        }
        // Nothing that happens goes unseen.
        let fresh = stage.fresh();
        prop_assert_eq!(&stage.remembered(), &fresh);
        // A forged memory may show anything, …
        stage.harm(&harm);
        let there = stage.there();
        if let Some(shown) = stage.remembered() {
            differed.set(differed.get() + u32::from(Some(&shown) != fresh.as_ref()));
        }
        // … and what a run removes is what goes by a look at each, or nothing.
        let held = Held::acquire(stage.store.state(), stage.store.id(), "dev", Duration::ZERO).expect("held");
        let ran = run(&stage.environment, &stage.store, &held);
        let left = stage.there();
        let removed: BTreeSet<String> = there.difference(&left).cloned().collect();
        prop_assert!(removed.is_subset(&fresh.clone().unwrap_or_default()), "{:?} went, by a look {:?}: {:?}", removed, fresh, ran);
        if matches!(harm, Harm::None | Harm::Flip(_) | Harm::Truncate(_) | Harm::OtherVersion | Harm::Nonsense(_)) {
            // What is only damaged is read anew: nothing stays that should go.
            prop_assert_eq!(&removed, &fresh.unwrap_or_default());
        }
        went.set(went.get() + removed.len());
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(went.get() > CASES as usize / 3, "only {} backups went: that proves nothing", went.get());
    assert!(differed.get() > 0, "no memory was ever forged so that it showed another plan");
}
