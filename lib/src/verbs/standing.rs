//! How good backups are known to be. Each is looked at once, also where many others need it.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::rc::Rc;

use super::prune;
use crate::backup::Backup;
use crate::error::Result;
use crate::listing::{self, Facts, Verdict};
use crate::retention::Standing;
use crate::store::Store;

/// The place from which a backup is looked for, and its id.
type Sought = (PathBuf, String);

/// What was seen of backups, for as long as one run looks at them.
pub(super) struct Standings<'a> {
    store: &'a Store,
    /// By folder, how good its own files are.
    own: RefCell<HashMap<PathBuf, Verdict>>,
    /// What is there; none where nothing is.
    needed: RefCell<HashMap<Sought, Option<Rc<Backup>>>>,
}

impl<'a> Standings<'a> {
    /// Nothing is seen yet.
    pub(super) fn new(store: &'a Store) -> Self {
        Standings { store, own: RefCell::default(), needed: RefCell::default() }
    }

    /// What retention makes of a backup.
    pub(super) fn of(&self, backup: &Backup) -> Result<Standing> {
        self.verdict(backup).map(prune::standing_of)
    }

    /// How good a backup is known to be: by its manifest, by the last check since, and no better than what it needs. What it needs and is
    /// not there may come back, from a sync service's bin or with the rest of a copy: that is no damage.
    pub(super) fn verdict(&self, backup: &Backup) -> Result<Verdict> {
        let own = self.own(backup)?;
        let needs: BTreeSet<String> = backup.manifest().needs().into_iter().map(str::to_owned).collect();
        let mut of_needed = HashMap::new();
        if matches!(own, Verdict::Verified | Verdict::CloudOnly) {
            for id in &needs {
                if let Some(needed) = self.needed(backup, id) {
                    of_needed.insert(id.as_str(), self.own(&needed)?);
                }
            }
        }
        Ok(listing::with_needs(own, &needs, |id| of_needed.get(id).copied()).0)
    }

    /// A backup that another one needs; none where it is not in the store, or cannot be read.
    pub(super) fn needed(&self, backup: &Backup, id: &str) -> Option<Rc<Backup>> {
        let place = backup.folder().parent().map(PathBuf::from).unwrap_or_default();
        let mut needed = self.needed.borrow_mut();
        needed.entry((place, id.to_owned())).or_insert_with(|| backup.needed(id).map(Rc::new)).clone()
    }

    fn own(&self, backup: &Backup) -> Result<Verdict> {
        if let Some(known) = self.own.borrow().get(backup.folder()) {
            return Ok(*known);
        }
        let own = Facts::of(self.store, backup)?.own_verdict();
        self.own.borrow_mut().insert(backup.folder().to_owned(), own);
        Ok(own)
    }
}
