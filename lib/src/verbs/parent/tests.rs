use super::*;
use crate::clock;
use crate::config::tests::Place;
use crate::environment::Overrides;
use crate::fsx;
use crate::manifest;
use crate::state_dir::StateDir;
use crate::store::{CHECKSUMS, Create};

struct Stage {
    folder: tempfile::TempDir,
    store: Store,
    environment: Environment,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let state = folder.path().join("state");
        fsx::create_private_dirs(&state).expect("a state folder");
        let store = Store::open(&folder.path().join("backups"), &StateDir::at(&state), Create::FirstUse).expect("a store");
        let place = Place::new("[env.dev]\ndatabase = 'app.db'\ntype = 'incremental'\n");
        let environment = place.load().and_then(|config| config.environment(None, Overrides::default())).expect("an environment");
        Stage { folder, store, environment }
    }

    /// Publishes a chain of so many backups, each of which needs all before it.
    fn chain(&self, length: usize) -> Vec<String> {
        let begin = clock::now() - TimeDelta::hours(10);
        let mut ids: Vec<String> = Vec::new();
        for nth in 0..length {
            let at = begin + TimeDelta::seconds(i64::try_from(nth).expect("few"));
            let id = format!("{}-dev-db-{nth:04x}", clock::compact(at));
            let sources: Vec<_> = ids.iter().map(|id| serde_json::json!({ "id": id, "index_sha256": "x" })).collect();
            let text = serde_json::json!({
                "format": 1, "id": id, "environment": "dev", "kind": "db", "type": if nth == 0 { "full" } else { "incremental" },
                "store_id": self.store.id(), "parent": ids.last(), "created_at": at.to_rfc3339(), "finished_at": at.to_rfc3339(),
                "host": "h", "tool": "t", "verification": { "level": "structure", "at": at.to_rfc3339() },
                "database": null, "fingerprint": null, "components": [{
                    "role": "database", "file": "database.gz", "content": "sqlite", "compression": "gzip", "stored_bytes": 4,
                    "plain_bytes": 4, "stored_sha256": "x", "frames": 1, "chunks": 1, "index": "database.index",
                    "index_bytes": 4, "index_sha256": "x", "sources": sources,
                }],
            })
            .to_string();
            let folder = self.store.folder("dev").join(&id);
            fsx::create_private_dirs(&folder).expect("a folder");
            let sums = format!("{}  manifest.json\n", fsx::sha256_hex(text.as_bytes()));
            for (name, content) in [("database.gz", "data"), ("database.index", "data"), (manifest::FILE, &text), (CHECKSUMS, &sums)] {
                std::fs::write(folder.join(name), content).expect("written");
            }
            ids.push(id);
        }
        ids
    }

    fn choose(&self, content: &str) -> (Option<Parent>, Vec<String>) {
        let mut notes = Vec::new();
        let catalog = Catalog::read(&self.store, Some("dev")).expect("a catalog");
        let parent = choose(&self.environment, &self.store, &catalog, (Kind::Db, content), clock::now(), &mut notes).expect("a choice");
        (parent, notes)
    }
}

#[test]
fn a_chain_ends_when_it_is_long_whatever_is_wanted() {
    let stage = Stage::new();
    let ids = stage.chain(CHAIN_MAX - 1);
    let (parent, notes) = stage.choose("no database");
    assert_eq!(parent.map(|parent| parent.backup.id().to_owned()), ids.last().cloned());
    assert!(notes.is_empty(), "{notes:?}");
    // Of another thing it is no parent.
    let (parent, notes) = stage.choose("sqlite:/other/app.db");
    assert!(parent.is_none() && notes[0].starts_with("there is no good backup"), "{notes:?}");

    let stage = Stage::new();
    stage.chain(CHAIN_MAX);
    let (parent, notes) = stage.choose("no database");
    assert!(parent.is_none());
    assert_eq!(notes, ["200 backups stand on each other: this one is a full, with which a new chain begins"]);
}

#[test]
fn each_backup_of_a_chain_is_looked_at_once() {
    let stage = Stage::new();
    let ids = stage.chain(4);
    let catalog = Catalog::read(&stage.store, Some("dev")).expect("a catalog");
    let backups: Vec<&Backup> = catalog.backups().collect();
    let standings = Standings::new(&stage.store);
    assert_eq!(standings.of(backups[3]).expect("a standing"), Standing::Verified);
    assert!(chain_begin(&standings, backups[3]).expect("a chain").is_some());
    // What was seen is not looked for again, and another look sees what is.
    let moved = stage.folder.path().join("moved");
    std::fs::rename(stage.store.folder("dev").join(&ids[0]), &moved).expect("moved");
    for backup in &backups[1..] {
        assert_eq!(standings.of(backup).expect("a standing"), Standing::Verified);
        assert_eq!(chain_begin(&standings, backup).expect("a chain").map(|full| full.id().to_owned()), Some(ids[0].clone()));
    }
    assert_eq!(Standings::new(&stage.store).of(backups[3]).expect("a standing"), Standing::CloudOnly);
}
