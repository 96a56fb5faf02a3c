//! Loading a dump into a database that is not the real one.

mod edit;
mod keys;

use std::collections::BTreeSet;
use std::io::{Read, Write};

use super::place::Place;
use super::text::Scanner;
use super::text::statement::Account;
use crate::engine::Content;
use crate::error::{Error, Kind, Result};
use crate::exec::Sink;
use edit::Editor;

/// How much is handed on at once.
const BLOCK_BYTES: usize = 256 << 10;
/// How the client is called that loads. Its own commands are taken away, whatever a dump says, and no line's end is changed.
const ARGUMENTS: [&str; 5] = ["--batch", "--binary-mode", "--skip-reconnect", "--default-character-set=utf8mb4", "--max-allowed-packet=1G"];

/// Loads a dump; an error of any statement, and a text that ends too early, is an error of the load. `meet` is told of accounts
/// in whose name something of the dump works, each once and before it is there.
pub(super) fn load(place: &Place, content: Content, plain: &mut dyn Read, meet: impl FnMut(&[&Account]) -> Result<()>) -> Result<()> {
    pass(place, content, plain, meet, Editor::new(place.address.database().unwrap_or_default())).map(drop)
}

/// Loads a dump into a database in which none of its events must run, beside the real one; those that would.
pub(super) fn load_asleep(place: &Place, content: Content, plain: &mut dyn Read) -> Result<BTreeSet<String>> {
    pass(place, content, plain, |_| Ok(()), Editor::with_events_asleep(place.address.database().unwrap_or_default()))
}

/// A dump's text, with these events as they were before they were put to sleep.
pub(super) fn with_events_awake(text: &str, events: &BTreeSet<String>) -> String {
    let mut editor = Editor::with_events_awake(events.clone());
    Scanner::of_structure().write_past(text.as_bytes(), |event, variables| editor.take(event, variables));
    String::from_utf8_lossy(&editor.finish()).into_owned()
}

/// Loads a text into a database in which its routines are there already, and keep what is granted on them.
pub(super) fn load_over(place: &Place, plain: &mut dyn Read) -> Result<()> {
    let editor = Editor::replacing_routines(place.address.database().unwrap_or_default());
    pass(place, Content::MariadbSql, plain, |_| Ok(()), editor).map(drop)
}

fn pass(
    place: &Place,
    content: Content,
    plain: &mut dyn Read,
    meet: impl FnMut(&[&Account]) -> Result<()>,
    mut editor: Editor,
) -> Result<BTreeSet<String>> {
    if content != Content::MariadbSql {
        return Err(Error::refused(format!("{content} cannot be loaded into MariaDB or MySQL")));
    }
    let database = place.address.database().unwrap_or_default();
    // Left to itself a statement waits a day for a table that somebody reads.
    let patience = format!("--init-command=SET SESSION autocommit = 1, SESSION lock_wait_timeout = {}", place.lock_wait().as_secs());
    let mut sink = place.call(&place.client()?)?.args(ARGUMENTS).arg(format!("--database={database}")).arg(patience).sink()?;
    let loaded = feed(&mut sink, &mut editor, plain, meet).and_then(|asleep| sink.finish().map(|_| asleep));
    loaded.map_err(|error| match objection(&sink.child().stderr_tail()) {
        Some(said) if matches!(error.kind(), Kind::Failed) => Error::failed(said).within("the server does not take the dump"),
        _ => error,
    })
}

fn feed(
    sink: &mut Sink,
    editor: &mut Editor,
    plain: &mut dyn Read,
    mut meet: impl FnMut(&[&Account]) -> Result<()>,
) -> Result<BTreeSet<String>> {
    // The client takes the end of its input for the end of the dump, wherever that was cut.
    let mut scanner = Scanner::of_structure();
    let mut met = BTreeSet::new();
    let mut hand_on = |bytes: &[u8]| sink.write_all(bytes).map_err(|error| Error::from_io("cannot load the dump", error));
    let mut block = vec![0u8; BLOCK_BYTES];
    loop {
        let count = plain.read(&mut block).map_err(|error| Error::from_io("cannot read the dump", error))?;
        if count == 0 {
            break;
        }
        scanner.write_past(&block[..count], |event, variables| editor.take(event, variables));
        let fresh: Vec<&Account> = scanner.definers().iter().filter(|account| !met.contains(*account)).collect();
        if !fresh.is_empty() {
            meet(&fresh)?;
            met = scanner.definers().clone();
        }
        hand_on(&editor.edited()?)?;
    }
    scanner.finish_foreign()?;
    hand_on(&editor.finish())?;
    Ok(editor.asleep().clone())
}

/// What the client says last, behind the statement that it was about: `ERROR 1064 (42000) at line 3: …`, over several lines
/// where the statement is.
fn objection(stderr: &str) -> Option<String> {
    let at = stderr.rfind("\nERROR ").map(|at| at + 1).or_else(|| stderr.starts_with("ERROR ").then_some(0))?;
    Some(stderr[at..].split_whitespace().collect::<Vec<_>>().join(" "))
}
