//! `RESTORE.txt`: how to restore this very backup with standard tools.

use std::fmt::Write;

use crate::engine::Content;
use crate::manifest::{Component, EngineName, Files, Manifest};
use crate::shell;
use crate::store::{CHECKSUMS, RECOVER};

/// What rebuilds an increment without Holdfast; it lies in each one's folder, since that is no ordinary `.gz` file.
pub const RECOVER_PROGRAM: &str = include_str!("../../../scripts/recover");

/// The text of `RESTORE.txt`: commands that can be pasted, run inside the backup's folder. They write to a folder outside: a backup in
/// which something lies that does not belong to it is no longer as it was made.
pub fn instructions(manifest: &Manifest) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "How to restore backup {} without Holdfast", manifest.id);
    let _ = writeln!(text, "\nRun these commands inside this folder, all in one shell. First check that nothing has changed:\n");
    let _ = writeln!(text, "    sha256sum -c {CHECKSUMS}          # on macOS: shasum -a 256 -c {CHECKSUMS}");
    if let Some(parent) = &manifest.parent {
        let _ = writeln!(text, "\nThis backup is {}, made on {parent}: what has not changed since lies in other", manifest.backup_type);
        let _ =
            writeln!(text, "backups. {RECOVER} (Python 3.8 or newer) puts it together; for that, these must lie beside this folder, or");
        let _ = writeln!(text, "elsewhere in the same store, each as it was made:\n");
        for id in manifest.needs() {
            let _ = writeln!(text, "  {id}");
        }
    }
    let mut all = String::new();
    for component in &manifest.components {
        let plain = component.file.trim_end_matches(".gz").trim_end_matches(".zst").trim_end_matches(".delta");
        let _ = writeln!(all, "\n{} ({} bytes, {} bytes unpacked)\n", component.file, component.stored_bytes, component.plain_bytes);
        if let Some(files) = &component.files {
            archive(&mut all, component, files);
        } else if component.content == Content::SqliteImage.name() {
            sqlite(&mut all, manifest, component, plain);
        } else if manifest.database.as_ref().is_some_and(|database| database.engine == EngineName::Sqlite) {
            sqlite_text(&mut all, component);
        } else if manifest.database.as_ref().is_some_and(|database| database.engine == EngineName::Mariadb) {
            mariadb(&mut all, manifest, component);
        } else {
            postgres(&mut all, manifest, component);
        }
    }
    let has_folder = all.contains("$OUT");
    if has_folder {
        let _ = writeln!(text, "\nThe commands below write to a new folder, and add nothing to this one:\n");
        let _ =
            writeln!(text, "    OUT=$(mktemp -d) && echo \"$OUT\"     # where /tmp is too small: mktemp -d /a/larger/disk/restored.XXXXXX");
    }
    text.push_str(&all);
    if manifest.components.iter().any(|component| component.files.is_some()) {
        let _ = writeln!(text, "\n*.inventory.jsonl* list every file with its size, time and SHA-256.");
    }
    let _ = match manifest.parent {
        None => writeln!(text, "\n*.index and manifest.json are for Holdfast; these commands need neither."),
        Some(_) => {
            writeln!(text, "\n{RECOVER} reads manifest.json and *.index, here and in every backup named above: all of them are needed.")
        }
    };
    if has_folder {
        let _ = writeln!(text, "\nWhat is in $OUT is the data itself: remove it when all is in place.");
    }
    text
}

/// The commands that unpack it into `$OUT/name`.
fn unpack_to(component: &Component, name: &str) -> String {
    match recovered(component) {
        true => format!("python3 {RECOVER} --role {} . \"$OUT/{name}\"", component.role),
        false => format!("{} > \"$OUT/{name}\"", unpack(component)),
    }
}

/// The commands that unpack it, and give it to `command`. What is put together of several backups goes through a file: a pipe ends well
/// where its first program did not, and half of it would be taken for all.
fn feed(component: &Component, name: &str, command: &str) -> String {
    match recovered(component) {
        true => format!("{} &&\n        {command} < \"$OUT/{name}\"", unpack_to(component, name)),
        false => format!("{} | {command}", unpack(component)),
    }
}

/// Whether it takes `recover.py`.
fn recovered(component: &Component) -> bool {
    !component.sources.is_empty()
}

fn unpack(component: &Component) -> String {
    match component.compression.as_str() {
        "gzip" => format!("gunzip -c {}", component.file),
        "zstd" => format!("zstd -dc {}", component.file),
        _ => format!("cat {}", component.file),
    }
}

fn archive(text: &mut String, component: &Component, files: &Files) {
    let _ = writeln!(
        text,
        "A tar archive of {} files, without their ACLs, extended attributes and capabilities.\nUnpack it into a new folder:\n",
        files.files
    );
    let (role, name) = (&component.role, format!("{}.tar", component.role));
    let _ = writeln!(text, "    mkdir \"$OUT/{role}\" && {}", feed(component, &name, &format!("tar -xpf - -C \"$OUT/{role}\"")));
    let _ = writeln!(text, "\nIn there:");
    for root in &files.roots {
        let _ = writeln!(text, "  {} was {}", shell::word(&root.name), shell::word(&root.path.display().to_string()));
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
    let _ = writeln!(text, "    {}", unpack_to(component, "restored.sqlite"));
    let _ = writeln!(text, "    sqlite3 \"$OUT/restored.sqlite\" 'PRAGMA integrity_check'");
    let _ = writeln!(text, "\nThen move it over {}. Move {name}-wal, {name}-shm and {name}-journal away together with", shell::word(name));
    let _ = writeln!(text, "the old file: left in place, they would damage the new one.");
}

fn sqlite_text(text: &mut String, component: &Component) {
    let _ = writeln!(text, "SQL text for SQLite. Load it into a new file, check that, and put it in place of the old one while the");
    let _ = writeln!(text, "application is stopped:\n");
    let _ = writeln!(text, "    {}", feed(component, "database.sql", "sqlite3 -bail \"$OUT/restored.sqlite\""));
    let _ = writeln!(text, "    sqlite3 \"$OUT/restored.sqlite\" 'PRAGMA integrity_check'");
}

fn postgres(text: &mut String, manifest: &Manifest, component: &Component) {
    if component.role == "globals" {
        let _ = writeln!(
            text,
            "Roles of the server (without passwords). On a new server, load them first; those that exist already give errors"
        );
        let _ = writeln!(text, "that can be ignored:\n");
        let _ = writeln!(text, "    {}", feed(component, "globals.sql", "psql -X -d postgres"));
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
    let _ = writeln!(text, "    {}", feed(component, "database.sql", "psql -X -v ON_ERROR_STOP=1 -d restored"));
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
    let _ = writeln!(text, "SQL text for {server}. Load it into a new, empty database, as an administrator of the server:\n");
    let _ = writeln!(text, "    {client} -e {}", shell::word(&create));
    let command = format!("{client} --binary-mode --default-character-set=utf8mb4 --max-allowed-packet=1G restored");
    let _ = writeln!(text, "    {}", feed(component, "database.sql", &command));
    let _ =
        writeln!(text, "\nThe last line of the dump is \"-- Dump completed\": a file without it is not whole, though {client} takes it.");
    let _ = writeln!(text, "An old client that stops at the first line (\"Unknown command\") is given the rest: add | tail -n +2.");
    let _ = writeln!(text, "There is no way to rename a database: point the application at the new one, where its account, and those that");
    let _ =
        writeln!(text, "views and routines work for, need their grants (GRANT … ON restored.*); or, with the application stopped, load");
    let _ = writeln!(text, "the same file into {}, dropped and made anew: what is in there would stay.", shell::word(&database.name));
    if manifest.fingerprint.as_ref().is_some_and(|found| found.objects.contains_key("sequences")) {
        let _ = writeln!(
            text,
            "A default that takes its values from a sequence names it in the database where it was: a table that has one loads"
        );
        let _ = writeln!(text, "where that sequence is, so load the file into {}.", shell::word(&database.name));
    }
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
