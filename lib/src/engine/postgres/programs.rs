//! The client programs: which are there, and which fits the server.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::exec;

/// The folders that hold a folder a version, as the usual packagers lay them out; `*` stands for one of them.
const VERSION_FOLDERS: &[(&str, &str)] = &[
    ("/usr/lib/postgresql", "bin"),
    ("/usr/local/opt", "bin"),
    ("/opt/homebrew/opt", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "bin"),
];

/// A version as a number that compares: 15.18 is 150018, as the server's own `server_version_num`.
pub(super) type VersionNum = u32;

/// A program, and what it says of itself.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) version: VersionNum,
    pub(super) text: String,
}

impl Program {
    pub(super) fn major(&self) -> u32 {
        major(self.version)
    }
}

/// The major version, by which compatibility is decided.
pub(super) fn major(version: VersionNum) -> u32 {
    version / 10_000
}

/// `15.18` of `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, and its number. A beta counts as minor 0.
pub(super) fn read_version(text: &str) -> Option<(VersionNum, String)> {
    text.split_whitespace().find_map(|word| {
        let digits: String = word.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let mut parts = digits.split('.');
        let major: u32 = parts.next()?.parse().ok().filter(|major| *major < 1000)?;
        let minor: u32 = parts.next().and_then(|minor| minor.parse().ok()).unwrap_or(0);
        Some((major * 10_000 + minor, digits.trim_end_matches('.').to_owned()))
    })
}

/// Every `name` on this machine that runs, the configured folders' first.
fn all(name: &str, preferred: &[PathBuf]) -> Vec<Program> {
    let folders: Vec<PathBuf> = preferred.iter().cloned().chain(version_folders()).collect();
    exec::find(name, &folders)
        .into_iter()
        // Debian's wrapper only chooses among what is found here anyway, and slowly.
        .filter(|path| !path.canonicalize().is_ok_and(|real| real.ends_with("pg_wrapper")))
        .filter_map(|path| {
            let (version, text) = read_version(&exec::version_of(&path).ok()?)?;
            Some(Program { path, version, text })
        })
        .collect()
}

/// The newest first.
fn version_folders() -> Vec<PathBuf> {
    let mut found: Vec<(VersionNum, PathBuf)> = Vec::new();
    for (parent, bin) in VERSION_FOLDERS {
        for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some((version, _)) = read_version(name.trim_start_matches("postgresql@").trim_start_matches("libpq")) {
                found.push((version, entry.path().join(bin)));
            } else if name == "libpq" {
                found.push((0, entry.path().join(bin)));
            }
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The `name` to use with a server.
pub(super) fn for_server(name: &str, preferred: &[PathBuf], server: VersionNum, server_text: &str, database: &str) -> Result<Program> {
    choose(name, &all(name, preferred), preferred, server, server_text, database)
}

/// One in a configured folder that is not too old; else the server's own major version, else the next newer, always
/// with the newest minor.
fn choose(name: &str, found: &[Program], preferred: &[PathBuf], server: VersionNum, server_text: &str, database: &str) -> Result<Program> {
    let needed = major(server);
    let fits = |program: &&Program| program.major() >= needed;
    let is_preferred = |program: &&Program| preferred.iter().any(|folder| program.path.starts_with(folder));
    if let Some(program) = found.iter().find(|program| is_preferred(program) && fits(program)) {
        return Ok(program.clone());
    }
    // Of equal ones the first found.
    if let Some(best) = found.iter().filter(fits).min_by_key(|program| (program.major(), std::cmp::Reverse(program.version))) {
        return Ok(best.clone());
    }
    let error = match found.iter().max_by_key(|program| program.version) {
        Some(newest) => Error::failed(format!("{name} {} cannot dump server {server_text} (database {database})", newest.text)),
        None => Error::failed(format!("{name} was not found for server {server_text} (database {database})")),
    };
    Err(error.hint(format!("install postgresql-client-{needed} or set pg_bin")))
}

/// The `name` of this major version, else of the next newer; with 0 the newest of all.
pub(super) fn at_least(name: &str, preferred: &[PathBuf], needed_major: u32) -> Option<Program> {
    let found = all(name, preferred);
    if needed_major == 0 {
        return found.into_iter().max_by_key(|program| program.version);
    }
    found
        .into_iter()
        .filter(|program| program.major() >= needed_major)
        .min_by_key(|program| (program.major(), std::cmp::Reverse(program.version)))
}

/// The newest `name` there is, where no server has been asked yet.
pub(super) fn newest(name: &str, preferred: &[PathBuf]) -> Result<PathBuf> {
    // A configured folder decides; else the newest of the machine, whose libpq knows the most.
    let chosen = preferred.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    match chosen {
        Some(path) => Ok(path),
        None => newest_of_machine(name).ok_or_else(|| {
            Error::failed(format!("{name} was not found"))
                .hint("install PostgreSQL's client programs (Debian: postgresql-client), or set pg_bin")
        }),
    }
}

fn newest_of_machine(name: &str) -> Option<PathBuf> {
    exec::find(name, &version_folders()).into_iter().next()
}

/// The program beside another of the same installation, where it is there.
pub(super) fn beside(program: &Path, name: &str) -> Option<PathBuf> {
    program.parent().map(|folder| folder.join(name)).filter(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fm_a12_a_pg_dump_older_than_the_server_is_named_with_its_remedy() {
        let program = |path: &str, version, text: &str| Program { path: path.into(), version, text: text.to_owned() };
        let old = program("/a/pg_dump", 130_004, "13.4");
        let error = choose("pg_dump", std::slice::from_ref(&old), &[], 150_002, "15.2", "ledger").expect_err("too old");
        assert_eq!(error.to_string(), "pg_dump 13.4 cannot dump server 15.2 (database ledger)");
        assert_eq!(error.next_step(), Some("install postgresql-client-15 or set pg_bin"));
        let all =
            [old, program("/b/pg_dump", 170_001, "17.1"), program("/c/pg_dump", 150_003, "15.3"), program("/d/pg_dump", 150_018, "15.18")];
        let chosen = |preferred: &[PathBuf]| choose("pg_dump", &all, preferred, 150_002, "15.2", "ledger").expect("one that fits").text;
        assert_eq!(chosen(&[]), "15.18");
        assert_eq!(chosen(&["/b".into()]), "17.1");
        assert_eq!(chosen(&["/a".into()]), "15.18");
    }

    #[test]
    fn versions_are_read_and_compare() {
        assert_eq!(read_version("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"), Some((150_018, "15.18".to_owned())));
        assert_eq!(read_version("pg_dump (PostgreSQL) 19beta1"), Some((190_000, "19".to_owned())));
        assert_eq!(read_version("17.5 (Homebrew)").map(|(number, _)| number), Some(170_005));
        assert_eq!(read_version("nothing"), None);
    }
}
