//! Which backups need which. A chain is a full backup and everything that needs it, by [`crate::manifest::Manifest::needs`]: none of
//! it can be restored without what it needs, so a chain moves as one, and goes from its leaves to its root.

use std::collections::{BTreeMap, BTreeSet};

use crate::backup::Backup;

/// The chains of some backups, by their ids. What is needed and not among them is known by its id only.
#[derive(Debug, Default)]
pub struct Chains<'a> {
    needs: BTreeMap<&'a str, Vec<&'a str>>,
    needed_by: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Chains<'a> {
    /// From each backup's id, with the ids of those that it needs.
    pub fn of<N: IntoIterator<Item = &'a str>>(links: impl IntoIterator<Item = (&'a str, N)>) -> Self {
        let mut chains = Chains::default();
        for (id, needs) in links {
            let needs: Vec<&str> = needs.into_iter().collect();
            for needed in &needs {
                chains.needed_by.entry(needed).or_default().push(id);
            }
            if !needs.is_empty() {
                chains.needs.insert(id, needs);
            }
        }
        chains
    }

    /// The chains of these backups.
    pub fn among(backups: impl IntoIterator<Item = &'a Backup>) -> Self {
        Chains::of(backups.into_iter().map(|backup| (backup.id(), backup.manifest().needs())))
    }

    /// Everything that a backup needs, each before what it needs itself.
    pub fn ancestors(&self, id: &'a str) -> Vec<&'a str> {
        let mut found = self.reached(id, &self.needs);
        let order = self.by_depth(found.iter().copied());
        found.sort_by_key(|one| order.get(one).copied());
        found
    }

    /// Every backup with the rest of its chain: all that are tied to each other by what they need, whatever way round. What is needed
    /// and is not among these ids ties them together too, and is in no chain itself.
    pub fn whole(&self, ids: impl IntoIterator<Item = &'a str>) -> Vec<Vec<&'a str>> {
        let ids: BTreeSet<&str> = ids.into_iter().collect();
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for id in &ids {
            if !seen.insert(*id) {
                continue;
            }
            let (mut chain, mut next) = (vec![*id], vec![*id]);
            while let Some(at) = next.pop() {
                for tied in [&self.needs, &self.needed_by].into_iter().filter_map(|ties| ties.get(at)).flatten() {
                    if seen.insert(*tied) {
                        chain.push(tied);
                        next.push(tied);
                    }
                }
            }
            chain.retain(|id| ids.contains(id));
            all.push(chain);
        }
        all
    }

    /// Everything that cannot be restored without a backup, the nearest first.
    pub fn dependents(&self, id: &'a str) -> Vec<&'a str> {
        let mut found = self.reached(id, &self.needed_by);
        let order = self.by_depth(found.iter().copied());
        found.sort_by_key(|one| std::cmp::Reverse(order.get(one).copied()));
        found
    }

    /// The same ids in an order in which each stands before what it needs: cut off anywhere, what is left can be restored.
    pub fn leaves_first(&self, ids: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
        let mut ids: Vec<&str> = ids.into_iter().collect();
        let order = self.by_depth(ids.iter().copied());
        ids.sort_by_key(|id| order.get(id).copied());
        ids
    }

    /// Everything that is reached from a backup over these ties, without itself. A circle, which no run of ours makes, ends where it
    /// began.
    fn reached(&self, id: &'a str, ties: &BTreeMap<&'a str, Vec<&'a str>>) -> Vec<&'a str> {
        let (mut found, mut next) = (Vec::new(), vec![id]);
        let mut seen = BTreeSet::from([id]);
        while let Some(at) = next.pop() {
            for tied in ties.get(at).into_iter().flatten() {
                if seen.insert(*tied) {
                    found.push(*tied);
                    next.push(tied);
                }
            }
        }
        found
    }

    /// The place of each of these ids in an order in which each stands before what it needs.
    fn by_depth(&self, ids: impl IntoIterator<Item = &'a str>) -> BTreeMap<&'a str, (std::cmp::Reverse<usize>, &'a str)> {
        let ids: BTreeSet<&str> = ids.into_iter().collect();
        let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
        for id in &ids {
            // By hand and not by recursion: a chain may be longer than a stack is deep.
            let mut open: Vec<(&str, usize)> = vec![(*id, 0)];
            let mut entered = BTreeSet::from([*id]);
            while let Some((at, next)) = open.last_mut() {
                let needs = self.needs.get(at).map_or(&[][..], Vec::as_slice);
                match needs.get(*next) {
                    Some(needed) => {
                        *next += 1;
                        if !depths.contains_key(needed) && entered.insert(needed) {
                            open.push((needed, 0));
                        }
                    }
                    None => {
                        let depth = needs.iter().filter_map(|needed| depths.get(needed)).max().map_or(0, |depth| depth + 1);
                        depths.insert(at, depth);
                        open.pop();
                    }
                }
            }
        }
        ids.into_iter().map(|id| (id, (std::cmp::Reverse(depths.get(id).copied().unwrap_or(0)), id))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chains(links: &[(&'static str, &[&'static str])]) -> Chains<'static> {
        Chains::of(links.iter().map(|(id, needs)| (*id, needs.to_vec())))
    }

    #[test]
    fn a_chain_is_a_full_backup_and_all_that_need_it() {
        let chains = chains(&[("full", &[]), ("a", &["full"]), ("b", &["full", "a"]), ("c", &["full"]), ("other", &[])]);
        assert_eq!(chains.ancestors("b"), ["a", "full"]);
        assert!(chains.ancestors("full").is_empty());
        assert_eq!(chains.dependents("full"), ["c", "a", "b"]);
        assert!(chains.dependents("b").is_empty());
        assert_eq!(chains.leaves_first(["full", "a", "b", "c"]), ["b", "a", "c", "full"]);
        let mut whole = chains.whole(["full", "a", "b", "c", "other"]);
        whole.iter_mut().for_each(|chain| chain.sort_unstable());
        assert_eq!(whole, [vec!["a", "b", "c", "full"], vec!["other"]]);
    }

    #[test]
    fn what_lies_in_more_than_one_backup_needs_each_of_them() {
        // The parent alone does not say it: "b" has chunks in "x" too.
        let chains = chains(&[("full", &[]), ("x", &[]), ("a", &["full"]), ("b", &["a", "x"])]);
        assert_eq!(chains.ancestors("b"), ["a", "full", "x"]);
        assert_eq!(chains.dependents("x"), ["b"]);
        assert_eq!(chains.leaves_first(["x", "full", "a", "b"]), ["b", "a", "full", "x"]);
        assert_eq!(chains.whole(["a", "b", "full", "x"]).len(), 1);
    }

    #[test]
    fn a_circle_and_a_need_that_is_gone_do_no_harm() {
        let chains = chains(&[("a", &["b"]), ("b", &["a"]), ("c", &["gone"]), ("d", &["gone"])]);
        assert_eq!(chains.ancestors("a"), ["b"]);
        assert_eq!(chains.dependents("a"), ["b"]);
        assert_eq!(chains.ancestors("c"), ["gone"]);
        assert_eq!(chains.leaves_first(["a", "b"]).len(), 2);
        assert_eq!(chains.whole(["a", "b", "c", "d"]), [vec!["a", "b"], vec!["c", "d"]]);
    }
}
