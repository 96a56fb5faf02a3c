//! `RESTORE.txt`: how to restore this very backup with standard tools.

use std::fmt::Write;

use crate::engine::Content;
use crate::manifest::{Component, EngineName, Files, Manifest};
use crate::shell;
use crate::store::{CHECKSUMS, RECOVER};

/// What rebuilds an increment without Holdfast; it lies in each one's folder, since that is no ordinary `.gz` file.
pub const RECOVER_PROGRAM: &str = include_str!("../../../scripts/recover");

/// The text of `RESTORE.txt`: commands that can be pasted, run inside the backup's folder.
pub fn instructions(manifest: &Manifest) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "How to restore backup {} without Holdfast", manifest.id);
    let _ = writeln!(text, "\nRun these commands inside this folder. First check that nothing has changed:\n");
    let _ = writeln!(text, "    sha256sum -c {CHECKSUMS}          # on macOS: shasum -a 256 -c {CHECKSUMS}");
    if let Some(parent) = &manifest.parent {
        let _ = writeln!(text, "\nThis backup is {}: what has not changed lies in {parent} and the backups that", manifest.backup_type);
        let _ = writeln!(text, "that one names, all in the same store. {RECOVER} (Python 3.8 or newer) puts it together, and");
        let _ = writeln!(text, "needs them beside this folder as the store has them.");
    }
    for component in &manifest.components {
        let plain = component.file.trim_end_matches(".gz").trim_end_matches(".zst").trim_end_matches(".delta");
        let _ = writeln!(text, "\n{} ({} bytes, {} bytes unpacked)\n", component.file, component.stored_bytes, component.plain_bytes);
        if let Some(files) = &component.files {
            archive(&mut text, component, files);
        } else if component.content == Content::SqliteImage.name() {
            sqlite(&mut text, manifest, component, plain);
        } else if manifest.database.as_ref().is_some_and(|database| database.engine == EngineName::Sqlite) {
            sqlite_text(&mut text, component);
        } else if manifest.database.as_ref().is_some_and(|database| database.engine == EngineName::Mariadb) {
            mariadb(&mut text, manifest, component);
        } else {
            postgres(&mut text, manifest, component);
        }
    }
    if manifest.components.iter().any(|component| component.files.is_some()) {
        let _ = writeln!(text, "\n*.inventory.jsonl* list every file with its size, time and SHA-256.");
    }
    let _ = writeln!(text, "\n*.index and manifest.json are for Holdfast; these commands need neither.");
    text
}

fn unpack(component: &Component) -> String {
    match component.compression.as_str() {
        _ if !component.sources.is_empty() => format!("python3 {RECOVER} --role {} . -", component.role),
        "gzip" => format!("gunzip -c {}", component.file),
        "zstd" => format!("zstd -dc {}", component.file),
        _ => format!("cat {}", component.file),
    }
}

fn archive(text: &mut String, component: &Component, files: &Files) {
    let _ = writeln!(text, "A tar archive of {} files, without their ACLs, extended attributes and capabilities.", files.files);
    let _ = writeln!(text, "Unpack it into a new folder:\n");
    let _ = writeln!(text, "    mkdir restored-{0} && {1} | tar -xpf - -C restored-{0}", component.role, unpack(component));
    let _ = writeln!(text, "\nIn there:");
    for root in &files.roots {
        let _ = writeln!(text, "    {} was {}", shell::word(&root.name), shell::word(&root.path.display().to_string()));
    }
    if component.role == "config" {
        let _ = writeln!(text, "Passwords and keys that stood in these files are in the archive as they were: keep it private.");
    }
    for remark in &files.incomplete {
        let _ = writeln!(text, "NOT AS IT SHOULD BE: {}: {}", shell::word(&remark.path), remark.why);
    }
}

fn sqlite(text: &mut String, manifest: &Manifest, component: &Component, plain: &str) {
    let name = manifest.database.as_ref().map_or(plain, |database| &database.name);
    let _ = writeln!(text, "A SQLite database. Stop the application, unpack to a new file, check it, and put it in place:\n");
    let _ = writeln!(text, "    {} > restored.sqlite", unpack(component));
    let _ = writeln!(text, "    sqlite3 restored.sqlite 'PRAGMA integrity_check'");
    let _ = writeln!(text, "\nThen move it over {}. Move {name}-wal, {name}-shm and {name}-journal away together with", shell::word(name));
    let _ = writeln!(text, "the old file: left in place, they would damage the new one.");
}

fn sqlite_text(text: &mut String, component: &Component) {
    let _ = writeln!(text, "SQL text for SQLite. Load it into a new file, check that, and put it in place of the old one while the");
    let _ = writeln!(text, "application is stopped:\n");
    let _ = writeln!(text, "    {} | sqlite3 -bail restored.sqlite", unpack(component));
    let _ = writeln!(text, "    sqlite3 restored.sqlite 'PRAGMA integrity_check'");
}

fn postgres(text: &mut String, manifest: &Manifest, component: &Component) {
    if component.role == "globals" {
        let _ = writeln!(
            text,
            "Roles of the server (without passwords). On a new server, load them first; those that exist already give errors"
        );
        let _ = writeln!(text, "that can be ignored:\n");
        let _ = writeln!(text, "    {} | psql -X -d postgres", unpack(component));
        return;
    }
    let database = manifest.database.as_ref();
    let property =
        |name: &str| database.and_then(|database| database.properties.get(name)).and_then(|value| value.as_str().map(str::to_owned));
    let mut create = String::from("    createdb --template=template0");
    if let Some(encoding) = property("encoding") {
        let _ = write!(create, " --encoding={}", shell::word(&encoding));
    }
    if let Some(collate) = property("collate") {
        let _ = write!(create, " --lc-collate={}", shell::word(&collate));
    }
    if let Some(ctype) = property("ctype") {
        let _ = write!(create, " --lc-ctype={}", shell::word(&ctype));
    }
    if let Some(owner) = property("owner") {
        let _ = write!(create, " --owner={}", shell::word(&owner));
    }
    let _ = writeln!(text, "SQL text for PostgreSQL. Load it into a new, empty database, and only then rename it into place:\n");
    let _ = writeln!(text, "{create} restored");
    let _ = writeln!(text, "    {} | psql -X -v ON_ERROR_STOP=1 -d restored", unpack(component));
    if let Some(database) = database {
        let name = database.name.replace('"', "\"\"");
        let _ = writeln!(text, "\n    psql -X -d postgres -c 'ALTER DATABASE \"{name}\" RENAME TO \"{name}_before\"'");
        let _ = writeln!(text, "    psql -X -d postgres -c 'ALTER DATABASE restored RENAME TO \"{name}\"'");
    }
}

fn mariadb(text: &mut String, manifest: &Manifest, component: &Component) {
    let Some(database) = manifest.database.as_ref() else { return };
    let is_mysql = database.server_version.starts_with("MySQL");
    let (server, client) = if is_mysql { ("MySQL", "mysql") } else { ("MariaDB", "mariadb") };
    let property = |name: &str| database.properties.get(name).and_then(|value| value.as_str());
    let mut create = String::from("CREATE DATABASE restored");
    if let Some(charset) = property("charset") {
        let _ = write!(create, " CHARACTER SET {charset}");
    }
    if let Some(collation) = property("collation") {
        let _ = write!(create, " COLLATE {collation}");
    }
    let _ = writeln!(text, "SQL text for {server}. Load it into a new, empty database:\n");
    let _ = writeln!(text, "    {client} -e {}", shell::word(&create));
    let _ = writeln!(text, "    {} | {client} --default-character-set=utf8mb4 --max-allowed-packet=1G restored", unpack(component));
    let _ =
        writeln!(text, "\nThe last line of the dump is \"-- Dump completed\": a file without it is not whole, though {client} takes it.");
    let _ = writeln!(text, "An old client that stops at the first line (\"Unknown command\") is given the rest: add | tail -n +2.");
    let _ = writeln!(text, "There is no way to rename a database: point the application at the new one, or, with the application");
    let _ = writeln!(text, "stopped, load the same file into the empty {}.", shell::word(&database.name));
    let definers: Vec<&str> = database
        .properties
        .get("definers")
        .and_then(|list| list.as_array())
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str())
        .collect();
    if !definers.is_empty() {
        let _ = writeln!(text, "Views, routines, triggers or events work in the name of these accounts, which must be there:");
        let _ = writeln!(text, "{}.", definers.join(", "));
    }
}
