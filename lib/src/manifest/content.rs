//! What a backup is of. Only backups of the same things stand for each other: one of a single file makes up for none of everything.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{Database, Manifest, Root};

/// How a database came in that was no live one.
pub const ADOPTED: &str = "adopted";
/// The role of what the store keeps itself: it comes and goes with the store, and makes no backup one of something else.
const OF_THE_STORE: &str = "versions";

/// What a backup is of: where its database was, which files and folders, and what the command line chose among them. The same words
/// mean the same things. Where a file is given in two ways, `a/./b` and `a/b`, that is one; links are not followed, since what they
/// lead to is another thing tomorrow.
pub fn content<'a>(database: Option<&str>, files: impl IntoIterator<Item = (&'a str, &'a [Root], &'a [String])>) -> String {
    let (mut paths, mut choices) = (BTreeSet::new(), BTreeSet::new());
    for (_, roots, by_hand) in files.into_iter().filter(|(role, _, _)| *role != OF_THE_STORE) {
        paths.extend(roots.iter().map(|root| plain(&root.path).display().to_string()));
        choices.extend(by_hand);
    }
    let mut content = database.unwrap_or("no database").to_owned();
    for (nth, path) in paths.iter().enumerate() {
        content.push_str(if nth == 0 { " with " } else { ", " });
        content.push_str(path);
    }
    for (nth, choice) in choices.iter().enumerate() {
        content.push_str(if nth == 0 { ", by hand " } else { ", " });
        content.push_str(choice);
    }
    content
}

fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

impl Manifest {
    /// What it is of, in the words of [`content`].
    pub fn content(&self) -> String {
        let files = self.components.iter().filter_map(|component| {
            component.files.as_ref().map(|files| (component.role.as_str(), files.roots.as_slice(), files.by_hand.as_slice()))
        });
        content(self.database.as_ref().map(Database::place).as_deref(), files)
    }

    /// How much it holds of each thing, by what that is called in a message: `bytes of database`, `entries of /srv/media`.
    pub fn amounts(&self) -> Vec<(String, u64)> {
        let mut amounts = Vec::new();
        for component in &self.components {
            amounts.push((format!("bytes of {}", component.role), component.plain_bytes));
            for root in component.files.iter().flat_map(|files| &files.roots) {
                let path = root.path.display();
                amounts.extend(root.entries.map(|entries| (format!("entries of {path}"), entries)));
                amounts.extend(root.bytes.map(|bytes| (format!("bytes of {path}"), bytes)));
            }
        }
        amounts
    }
}

impl Database {
    /// Whether it came as a dump of another program.
    pub fn is_adopted(&self) -> bool {
        self.method == ADOPTED
    }

    /// Where the database is that it speaks of. The system's number of a file or a database is no name for it: it is another one after
    /// a restore. Where a dump of another program came from nobody knows: all of one name are taken for one, and for no live one.
    pub fn place(&self) -> String {
        if self.is_adopted() { format!("adopted {}", self.name) } else { self.location.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(paths: &[&str]) -> Vec<Root> {
        paths.iter().map(|path| Root { name: "x".to_owned(), path: path.into(), ..Root::default() }).collect()
    }

    #[test]
    fn what_a_backup_is_of_is_its_database_its_roots_and_what_the_command_line_chose() {
        let none: &[String] = &[];
        let of = |database, paths: &[&str]| content(database, [("files", roots(paths).as_slice(), none)]);
        assert_eq!(of(Some("sqlite:/a.db"), &["/b", "/a"]), "sqlite:/a.db with /a, /b");
        assert_eq!(of(Some("sqlite:/a.db"), &["/a/.", "/./b"]), of(Some("sqlite:/a.db"), &["/b", "/a"]));
        assert_eq!(of(None, &["/b"]), "no database with /b");
        assert_ne!(of(Some("sqlite:/other/a.db"), &[]), of(Some("sqlite:/a.db"), &[]));
        let chosen = ["include *.jpg".to_owned()];
        assert_eq!(content(None, [("files", roots(&["/b"]).as_slice(), chosen.as_slice())]), "no database with /b, by hand include *.jpg");
        // Versions come with the first that somebody saves.
        let all = [("files", roots(&["/b"])), ("versions", roots(&["/store/versions"]))];
        assert_eq!(content(None, all.iter().map(|(role, roots)| (*role, roots.as_slice(), none))), of(None, &["/b"]));
    }
}
