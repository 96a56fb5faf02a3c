//! The application of `scripts/demo`: makes a small ledger in SQLite, prints it, harms it, and flips a byte of a file.
//! It stands in for a real application, and for the sqlite3 program, which the demo does not need.

use std::error::Error;
use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::ExitCode;

use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

type Done = Result<(), Box<dyn Error>>;

const ACCOUNTS: u32 = 5_000;
const ENTRIES: u32 = 60_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["create", path] => create(path.as_ref()),
        ["print", path] => print(path.as_ref()),
        ["drop-entries", path] => drop_entries(path.as_ref()),
        ["migrate", path] => migrate(path.as_ref()),
        ["migrate-badly", path] => migrate_badly(path.as_ref()),
        ["flip-byte", path] => flip_byte(path.as_ref()),
        _ => Err("usage: demo-ledger create|print|drop-entries|migrate|migrate-badly|flip-byte FILE".into()),
    };
    let Err(error) = done else { return ExitCode::SUCCESS };
    let _ = writeln!(std::io::stderr(), "demo-ledger: {error}");
    ExitCode::FAILURE
}

fn create(path: &Path) -> Done {
    if path.exists() {
        return Err(format!("{} is already there", path.display()).into());
    }
    let mut database = Connection::open(path)?;
    database.pragma_update(None, "journal_mode", "wal")?;
    let transaction = database.transaction()?;
    transaction.execute_batch(
        "CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT NOT NULL);
         CREATE TABLE entry (id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES account, cents INTEGER NOT NULL, note TEXT);
         CREATE INDEX entry_of_account ON entry (account);",
    )?;
    {
        let mut account = transaction.prepare("INSERT INTO account (id, owner) VALUES (?1, ?2)")?;
        for id in 1..=ACCOUNTS {
            account.execute((id, format!("owner {id}")))?;
        }
        // Scattered but always the same, so that two runs can be compared.
        let mut entry = transaction.prepare("INSERT INTO entry (id, account, cents, note) VALUES (?1, ?2, ?3, ?4)")?;
        for id in 1..=ENTRIES {
            let scattered = id.wrapping_mul(2_654_435_761);
            entry.execute((id, scattered % ACCOUNTS + 1, i64::from(scattered % 200_000) - 100_000, format!("invoice {scattered:08x}")))?;
        }
    }
    transaction.commit()?;
    Ok(())
}

/// One line a table: its rows, and a hash of them all.
fn print(path: &Path) -> Done {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mut out = std::io::stdout().lock();
    let mut names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")?;
    let names = names.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    for name in names {
        let mut statement = database.prepare(&format!("SELECT * FROM \"{name}\" ORDER BY id"))?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        let (mut count, mut hash) = (0u64, Sha256::new());
        while let Some(row) = rows.next()? {
            count += 1;
            for column in 0..columns {
                hash.update(format!("{:?}\n", row.get_ref(column)?));
            }
        }
        let short: String = hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        writeln!(out, "{name:<8} {count:>6} rows, hash {short}")?;
    }
    Ok(())
}

fn drop_entries(path: &Path) -> Done {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    database.execute_batch("DROP TABLE entry")?;
    Ok(())
}

/// A migration as it should be: a new column, filled for every entry.
fn migrate(path: &Path) -> Done {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    database.execute_batch("ALTER TABLE entry ADD COLUMN currency TEXT; UPDATE entry SET currency = 'EUR'")?;
    Ok(())
}

/// One that looks like tidying up, and ends without an error.
fn migrate_badly(path: &Path) -> Done {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    database.execute_batch(
        "BEGIN;
         CREATE TABLE entry_new AS SELECT * FROM entry WHERE cents <> 0 AND id % 30000 <> 7;
         DROP TABLE entry;
         ALTER TABLE entry_new RENAME TO entry;
         COMMIT",
    )?;
    Ok(())
}

/// Turns one bit of the byte in the middle of a file, in place.
fn flip_byte(path: &Path) -> Done {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let middle = file.metadata()?.len() / 2;
    let mut byte = [0];
    file.seek(SeekFrom::Start(middle))?;
    file.read_exact(&mut byte)?;
    file.seek(SeekFrom::Start(middle))?;
    file.write_all(&[byte[0] ^ 1])?;
    writeln!(std::io::stdout(), "byte {middle} of {} was changed", path.display())?;
    Ok(())
}
