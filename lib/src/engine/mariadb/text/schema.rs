//! The objects that a dump makes, with their text and what they hold.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::name;
use super::statement::{self, Account, Class, Statement};
use super::tokens::{Token, Tokens, without_counter};
use super::variables::Variables;
use crate::fsx::hex;
use crate::schema::Schema;

/// The name in a schema for the statements that make no object of their own.
const OTHERS: &str = "other statements";

/// What the statements so far have made.
#[derive(Default)]
pub(super) struct Objects {
    made: BTreeMap<(Class, String), String>,
    others: Vec<String>,
    pub(super) sequences: BTreeMap<String, i64>,
    /// Events that do not run only because they were put to sleep: their text is that of when they did.
    pub(super) asleep: BTreeSet<String>,
    pub(super) definers: BTreeSet<Account>,
    /// The database that was dumped, by the dump's own header.
    pub(super) home: Option<String>,
}

/// What a statement was, for whoever follows the rows.
pub(super) enum Effect {
    /// Nothing that matters for it.
    None,
    /// A table is there, and empty.
    Table(String),
    /// What these named is there no more.
    Gone(Vec<String>),
}

/// The text of an event that does not run, as if it did.
pub(in crate::engine::mariadb) fn awake(text: &[u8], escapes: bool) -> Vec<u8> {
    with_state(text, escapes, b"DISABLE", b"ENABLE").unwrap_or_else(|| text.to_vec())
}

/// The text of an event that runs, such that it does not; none where it does not run already.
pub(in crate::engine::mariadb) fn asleep(text: &[u8], escapes: bool) -> Option<Vec<u8>> {
    with_state(text, escapes, b"ENABLE", b"DISABLE")
}

/// The server writes an event in a single form: what it is called, when it runs, `ON COMPLETION … PRESERVE`, whether it runs, and only
/// then what a person has written.
fn with_state(text: &[u8], escapes: bool, from: &[u8], to: &[u8]) -> Option<Vec<u8>> {
    let mut tokens = Tokens::new(text, escapes);
    while !tokens.next()?.is_word("PRESERVE") {}
    match tokens.next()? {
        Token::Word(word) if word.eq_ignore_ascii_case(from) => {
            let end = tokens.reached();
            Some([&text[..end - from.len()], to, &text[end..]].concat())
        }
        _ => None,
    }
}

impl Objects {
    pub(super) fn note(&mut self, text: &[u8], variables: &Variables) -> Effect {
        let (statement, plain) = statement::read(text, variables.has_escapes());
        match statement {
            Statement::Create { class, name: object, definer } => {
                self.definers.extend(definer);
                let at_home = |plain: &[u8]| statement::without_home(plain, variables.has_escapes());
                let with_sequences_at_home = |plain: &[u8]| match &self.home {
                    Some(home) => statement::with_sequences_at_home(plain, home, variables.has_escapes()),
                    None => plain.to_vec(),
                };
                // The settings say how the text was read, and stay with the object; a table keeps none of them.
                let text = match class {
                    Class::Table | Class::Sequence => without_counter(&with_sequences_at_home(&plain), variables.has_escapes()),
                    Class::View => [variables.around().as_bytes(), &with_sequences_at_home(&at_home(&plain))].concat(),
                    Class::Event if self.asleep.contains(&object) => {
                        [variables.around().as_bytes(), &awake(&at_home(&plain), variables.has_escapes())].concat()
                    }
                    _ => [variables.around().as_bytes(), &at_home(&plain)].concat(),
                };
                self.forget(class, &object);
                self.made.insert((class, object.clone()), String::from_utf8_lossy(&text).into_owned());
                match class {
                    Class::Table => return Effect::Table(name(&object)),
                    // What stands in for a view until its tables are there.
                    Class::View => return Effect::Gone(vec![name(&object)]),
                    _ => {}
                }
            }
            Statement::Drop { class, names } => {
                names.iter().for_each(|name| self.forget(class, name));
                if class.is_relation() {
                    return Effect::Gone(names.iter().map(|object| name(object)).collect());
                }
            }
            Statement::SetValue { name: sequence, value } => drop(self.sequences.insert(name(&sequence), value)),
            Statement::Database { .. } | Statement::Passing | Statement::Empty => {}
            Statement::Other => self.others.push(String::from_utf8_lossy(&plain).into_owned()),
        }
        Effect::None
    }

    fn forget(&mut self, class: Class, name: &str) {
        if class.is_relation() {
            for class in [Class::Table, Class::View, Class::Sequence] {
                self.made.remove(&(class, name.to_owned()));
            }
        } else {
            self.made.remove(&(class, name.to_owned()));
        }
    }

    /// How many there are of each kind, but for tables.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let mut out = BTreeMap::new();
        for kind in self.made.keys().filter_map(|(class, _)| class.counted_as()) {
            *out.entry(kind.to_owned()).or_insert(0) += 1;
        }
        out
    }

    /// Every object by what it is and its name.
    pub(super) fn schema(&self) -> Schema {
        let mut out: BTreeMap<String, String> =
            self.made.iter().map(|((class, object), text)| (format!("{} {}", class.word(), name(object)), text.clone())).collect();
        if !self.others.is_empty() {
            let mut others = self.others.clone();
            others.sort_unstable();
            out.insert(OTHERS.to_owned(), others.join(";\n\n"));
        }
        Schema(out)
    }

    /// The hash of the schema, which does not depend on the order of its objects.
    pub(super) fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for (object, text) in self.schema().0 {
            for part in [object, text] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        hex(&hash.finalize())
    }
}
