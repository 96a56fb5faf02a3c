//! Which backups need which. A chain is a full backup and everything that descends from it by `parent`: none of it can be
//! restored without those above it, so a chain moves as one, and goes from its leaves to its root.

use std::collections::{BTreeMap, BTreeSet};

/// The chains of some backups, by their ids. A parent that is not among them is known by its id only.
#[derive(Debug, Default)]
pub struct Chains<'a> {
    parents: BTreeMap<&'a str, &'a str>,
    children: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Chains<'a> {
    /// From each backup's id and its parent's.
    pub fn of(links: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let mut chains = Chains::default();
        for (id, parent) in links {
            if let Some(parent) = parent {
                chains.parents.insert(id, parent);
                chains.children.entry(parent).or_default().push(id);
            }
        }
        chains
    }

    /// What a backup needs, its parent first. A circle, which no run of ours makes, ends where it began.
    pub fn ancestors(&self, id: &'a str) -> Vec<&'a str> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::from([id]);
        let mut at = id;
        while let Some(parent) = self.parents.get(at).filter(|parent| seen.insert(**parent)) {
            found.push(*parent);
            at = parent;
        }
        found
    }

    /// The one that everything of its chain descends from: itself, where it needs none.
    pub fn root(&self, id: &'a str) -> &'a str {
        self.ancestors(id).last().copied().unwrap_or(id)
    }

    /// Everything that cannot be restored without a backup, the nearest first.
    pub fn dependents(&self, id: &'a str) -> Vec<&'a str> {
        let mut found: Vec<&str> = Vec::new();
        let mut seen = BTreeSet::from([id]);
        let mut next = vec![id];
        while !next.is_empty() {
            let children = next.iter().flat_map(|id| self.children.get(id).into_iter().flatten().copied());
            next = children.filter(|child| seen.insert(*child)).collect();
            found.extend(&next);
        }
        found
    }

    /// The same ids in an order in which each stands before what it needs: cut off anywhere, what is left can be restored.
    pub fn leaves_first(&self, ids: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        let mut ids: Vec<(usize, &str)> = ids.into_iter().map(|id| (self.ancestors(id).len(), id)).collect();
        ids.sort_by_key(|(depth, id)| (std::cmp::Reverse(*depth), *id));
        ids.into_iter().map(|(_, id)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_a_full_backup_and_all_that_descend_from_it() {
        let chains = Chains::of([("full", None), ("a", Some("full")), ("b", Some("a")), ("c", Some("full")), ("other", None)]);
        assert_eq!(chains.ancestors("b"), ["a", "full"]);
        assert_eq!((chains.root("b"), chains.root("full"), chains.root("other")), ("full", "full", "other"));
        assert_eq!(chains.dependents("full"), ["a", "c", "b"]);
        assert!(chains.dependents("b").is_empty());
        assert_eq!(chains.leaves_first(["full", "a", "b", "c"]), ["b", "a", "c", "full"]);
    }

    #[test]
    fn a_circle_and_a_parent_that_is_gone_do_no_harm() {
        let chains = Chains::of([("a", Some("b")), ("b", Some("a")), ("c", Some("gone"))]);
        assert_eq!(chains.ancestors("a"), ["b"]);
        assert_eq!(chains.dependents("a"), ["b"]);
        assert_eq!(chains.root("c"), "gone");
        assert_eq!(chains.leaves_first(["a", "b"]).len(), 2);
    }
}
