//! The client programs: which are there, and which fits the server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::error::{Error, Result};
use crate::exec;
use crate::interrupt;

/// Where packagers keep programs that are not on PATH; `*` would be a version's folder, as Homebrew's `mariadb@10.11`.
const KEG_FOLDERS: [&str; 2] = ["/usr/local/opt", "/opt/homebrew/opt"];
/// The folders of MySQL's and MariaDB's own packages, and those of servers, which are not on everybody's PATH.
const OWN_FOLDERS: [&str; 6] =
    ["/usr/sbin", "/usr/libexec", "/usr/local/sbin", "/usr/local/mysql/bin", "/usr/local/mariadb/bin", "/opt/mysql/bin"];

/// A version as a number that compares: 10.11.19 is 101119, 8.0.36 is 80036.
pub(super) type VersionNum = u32;

/// The two families of servers and programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    Mariadb,
    Mysql,
}

impl Flavour {
    /// As a URL's scheme.
    pub(super) fn scheme(self) -> &'static str {
        match self {
            Flavour::Mariadb => "mariadb",
            Flavour::Mysql => "mysql",
        }
    }

    /// As people write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Flavour::Mariadb => "MariaDB",
            Flavour::Mysql => "MySQL",
        }
    }
}

/// What a program is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    /// Talks with a server.
    Client,
    /// Dumps a database.
    Dump,
    /// The server itself.
    Server,
}

impl Tool {
    fn names(self) -> [&'static str; 2] {
        match self {
            Tool::Client => ["mariadb", "mysql"],
            Tool::Dump => ["mariadb-dump", "mysqldump"],
            Tool::Server => ["mariadbd", "mysqld"],
        }
    }
}

/// A program, and what it says of itself.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) tool: Tool,
    pub(super) flavour: Flavour,
    pub(super) version: VersionNum,
    pub(super) text: String,
}

impl Program {
    /// Its own name and version, for a manifest: `mariadb-dump 10.11.19`.
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.name(), self.text)
    }

    /// Its own name, whatever link led to it.
    pub(super) fn name(&self) -> &'static str {
        let [mariadb, mysql] = self.tool.names();
        if self.flavour == Flavour::Mariadb { mariadb } else { mysql }
    }
}

/// The family of a server, by what it says its version is: MariaDB's names itself, MySQL's does not.
pub(super) fn flavour_of_server(version: &str) -> Flavour {
    if version.to_ascii_lowercase().contains("mariadb") { Flavour::Mariadb } else { Flavour::Mysql }
}

/// `10.11.19` of `10.11.19-MariaDB-0+deb12u1`, and its number.
pub(super) fn read_number(text: &str) -> Option<(VersionNum, String)> {
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let mut parts = digits.split('.').map(|part| part.parse::<u32>().ok());
    let major = parts.next()??;
    let mut next = || parts.next().flatten().unwrap_or(0);
    let (minor, patch) = (next(), next());
    Some((major * 10_000 + minor * 100 + patch, digits.trim_end_matches('.').to_owned()))
}

/// What `--version` tells: of MariaDB's programs `Ver 15.1 Distrib 10.11.19-MariaDB, …` or `from 11.4.2-MariaDB, client 15.2 …`,
/// of MySQL's `Ver 8.0.36 for Linux on x86_64 (MySQL …)` or `Ver 10.13 Distrib 5.7.44, …`.
pub(super) fn read_version(text: &str) -> Option<(Flavour, VersionNum, String)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let behind = |word: &str| words.iter().position(|found| *found == word).and_then(|at| words.get(at + 1));
    let version = behind("Distrib").or_else(|| behind("from")).or_else(|| behind("Ver"))?;
    let flavour = if text.contains("MariaDB") { Flavour::Mariadb } else { Flavour::Mysql };
    read_number(version).map(|(number, text)| (flavour, number, text))
}

/// The `tool` to use with a server of this family.
pub(super) fn for_server(tool: Tool, preferred: &[PathBuf], flavour: Flavour) -> Result<Program> {
    let found = all(tool, preferred);
    // Who is told to stop while a program is asked has not heard its answer.
    interrupt::check()?;
    choose(found, preferred, flavour).ok_or_else(|| {
        let (name, package) = match flavour {
            Flavour::Mariadb => (tool.names()[0], "mariadb-client"),
            Flavour::Mysql => (tool.names()[1], "mysql-client or mariadb-client"),
        };
        Error::failed(format!("{name} was not found")).hint(format!("install {package}, or set mariadb_bin"))
    })
}

/// Asks each such program what it is, so that who chooses one need not wait.
pub(super) fn meet(tool: Tool, preferred: &[PathBuf]) {
    all(tool, preferred);
}

/// One in a configured folder; else one of the server's own family; else any; always the newest.
fn choose(found: Vec<Program>, preferred: &[PathBuf], flavour: Flavour) -> Option<Program> {
    let is_preferred = |program: &Program| preferred.iter().any(|folder| program.path.starts_with(folder));
    found.into_iter().rev().max_by_key(|program| (is_preferred(program), program.flavour == flavour, program.version))
}

/// Every such program on this machine that runs, the configured folders' first, and each once whatever links lead to it.
fn all(tool: Tool, preferred: &[PathBuf]) -> Vec<Program> {
    let folders: Vec<PathBuf> = preferred.iter().cloned().chain(own_folders()).collect();
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut out = Vec::new();
    for path in tool.names().iter().flat_map(|name| exec::find(name, &folders)) {
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if seen.contains(&real) {
            continue;
        }
        seen.push(real);
        if let Some((flavour, version, text)) = told(&path) {
            out.push(Program { path, tool, flavour, version, text });
        }
    }
    out
}

type Told = (Flavour, VersionNum, String);

/// What a program tells of itself; it is asked once, since a backup looks for its programs many times.
fn told(path: &Path) -> Option<Told> {
    static KNOWN: Mutex<BTreeMap<PathBuf, Option<Told>>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(told) = known().get(path) {
        return told.clone();
    }
    let told = exec::version_of(path).ok().and_then(|text| read_version(&text));
    if told.is_none() {
        // A signal has cut its answer short: whoever tidies up after it asks again.
        interrupt::check().ok()?;
        tracing::warn!("{} is passed over: it does not tell its version (--version)", path.display());
    }
    known().insert(path.to_owned(), told.clone());
    told
}

fn own_folders() -> Vec<PathBuf> {
    let kegs = KEG_FOLDERS.iter().flat_map(|parent| std::fs::read_dir(parent).into_iter().flatten().flatten());
    let is_ours = |name: &str| name.starts_with("mariadb") || name.starts_with("mysql");
    let kegs = kegs.filter(|entry| is_ours(&entry.file_name().to_string_lossy())).map(|entry| entry.path().join("bin"));
    OWN_FOLDERS.iter().map(PathBuf::from).chain(kegs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fm_a13_programs_of_both_families_tell_what_they_are() {
        let read = |text: &str| read_version(text).expect("a version");
        let maria = "mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for debian-linux-gnu (x86_64)";
        assert_eq!(read(maria), (Flavour::Mariadb, 101_119, "10.11.19".to_owned()));
        let newer = "mariadb from 11.4.2-MariaDB, client 15.2 for Linux (x86_64) using readline 5.1";
        assert_eq!(read(newer), (Flavour::Mariadb, 110_402, "11.4.2".to_owned()));
        let mysql = "mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)";
        assert_eq!(read(mysql), (Flavour::Mysql, 80_036, "8.0.36".to_owned()));
        assert_eq!(read("mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)"), (Flavour::Mysql, 50_744, "5.7.44".to_owned()));
        assert_eq!(read_version("nothing"), None);
    }

    #[test]
    fn fm_a13_the_program_of_the_servers_own_family_is_taken() {
        let program =
            |path: &str, flavour, version| Program { path: path.into(), tool: Tool::Dump, flavour, version, text: path.to_owned() };
        let all = || {
            vec![
                program("/a/mariadb-dump", Flavour::Mariadb, 101_119),
                program("/b/mysqldump", Flavour::Mysql, 80_036),
                program("/c/mariadb-dump", Flavour::Mariadb, 110_402),
            ]
        };
        let chosen = |preferred: &[PathBuf], flavour| choose(all(), preferred, flavour).expect("one").text;
        assert_eq!(chosen(&[], Flavour::Mariadb), "/c/mariadb-dump");
        assert_eq!(chosen(&[], Flavour::Mysql), "/b/mysqldump");
        assert_eq!(chosen(&["/a".into()], Flavour::Mysql), "/a/mariadb-dump");
        assert!(choose(Vec::new(), &[], Flavour::Mysql).is_none());
    }
}
