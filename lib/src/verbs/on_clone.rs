//! What a command is given so that it works on a clone and cannot find the real database.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::command::{self, Wrapped};
use crate::engine::{Engine, Reach, Workspace};
use crate::environment::Environment;
use crate::error::{Error, Result};

/// The variable that most frameworks read.
const URL_VARIABLE: &str = "DATABASE_URL";

/// What a command needs to work on a clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The changes to its environment.
    pub variables: command::Changes,
    places: BTreeMap<&'static str, String>,
}

/// Marks a clone as one where its origin bears a marker, and says what a command needs to work on it: the engine's own
/// variables and those of the configuration lead to the clone, and every inherited one that leads to the real database does
/// so too, or is taken away.
pub fn surroundings(environment: &Environment, engine: &dyn Engine, clone: &dyn Workspace) -> Result<Surroundings> {
    if let Some(marker) = clone.loaded().marker()? {
        clone.loaded().mark(&marker.of_clone())?;
    }
    lead(environment, engine, &clone.loaded().reach(), std::env::vars_os())
}

fn lead(
    environment: &Environment,
    engine: &dyn Engine,
    reach: &Reach,
    inherited: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Surroundings> {
    let mut variables = command::Changes::new();
    variables.insert(URL_VARIABLE.into(), None);
    for (name, value) in inherited {
        let Some(text) = value.to_str() else { continue };
        if engine.is_named_by(text) {
            variables.insert(name, instead_of(text, reach).map(OsString::from));
        } else if environment.password.as_ref().is_some_and(|password| password.expose() == text) {
            variables.insert(name, None);
        }
    }
    for (name, value) in &reach.variables {
        let kept_scheme = variables.get(OsStr::new(name)).is_some_and(Option::is_some);
        if !kept_scheme {
            variables.insert(name.into(), value.as_ref().map(OsString::from));
        }
    }
    for (name, template) in &environment.test_run.clone_env {
        variables.insert(name.into(), Some(OsString::from_vec(fill(template.as_bytes(), &reach.places, name)?)));
    }
    Ok(Surroundings { variables, places: reach.places.clone() })
}

/// What names the clone in the form in which `text` names the real database; none where that form is not known.
fn instead_of(text: &str, reach: &Reach) -> Option<String> {
    let url = reach.places.get("url")?;
    match text.split_once(':') {
        Some(("jdbc", _)) => None,
        // Drivers are chosen by the scheme (`postgresql+psycopg2`, `postgis`): it stays.
        Some((scheme, _)) if scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) => {
            let rest = url.split_once(':')?.1;
            Some(format!("{scheme}:{rest}"))
        }
        _ => reach.places.get("path").cloned(),
    }
}

impl Surroundings {
    /// A command with the placeholders in its arguments filled in.
    pub fn fill_in(&self, command: &Wrapped) -> Result<Wrapped> {
        fill_in(command, &self.places)
    }

    /// What is changed in the command's environment, by name; `-NAME` is taken away.
    pub fn names(&self) -> Vec<String> {
        let named = |(name, value): (&OsString, &Option<OsString>)| {
            let name = name.to_string_lossy();
            if value.is_some() { name.into_owned() } else { format!("-{name}") }
        };
        self.variables.iter().map(named).collect()
    }
}

/// A command with the placeholders in its arguments filled in.
pub fn fill_in(command: &Wrapped, places: &BTreeMap<&'static str, String>) -> Result<Wrapped> {
    let args = command.argv().iter().skip(1);
    let filled = args.map(|word| fill(word.as_bytes(), places, "the command").map(OsString::from_vec)).collect::<Result<Vec<_>>>()?;
    Ok(command.clone().with_args(filled))
}

/// Whether a word has a placeholder that [`Surroundings::fill_in`] would fill.
pub fn has_placeholder(word: &OsStr) -> bool {
    let word = word.as_bytes();
    (0..word.len()).any(|at| PLACES.iter().any(|place| begins_with_place(&word[at..], place)))
}

/// Every placeholder there is.
const PLACES: [&str; 7] = ["url", "path", "host", "port", "socket", "user", "database"];

/// Reads from left to right once: what a placeholder stands for is never read for placeholders again.
fn fill(text: &[u8], places: &BTreeMap<&'static str, String>, within: &str) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(&first) = rest.first() {
        match PLACES.iter().find(|place| begins_with_place(rest, place)) {
            Some(place) => {
                let value = places.get(place).ok_or_else(|| {
                    let known: Vec<String> = places.keys().map(|place| format!("{{{place}}}")).collect();
                    Error::usage(format!("{within} says {{{place}}}, which this engine's clones do not have"))
                        .hint(format!("there are {}", known.join(", ")))
                })?;
                out.extend_from_slice(value.as_bytes());
                rest = &rest[place.len() + 2..];
            }
            None => {
                out.push(first);
                rest = &rest[1..];
            }
        }
    }
    Ok(out)
}

fn begins_with_place(text: &[u8], place: &str) -> bool {
    text.strip_prefix(b"{").and_then(|text| text.strip_prefix(place.as_bytes())).is_some_and(|text| text.starts_with(b"}"))
}
