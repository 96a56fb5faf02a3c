//! What the guardian is asked: an operation, what it is done to, what would be lost, and the state it was planned on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::evidence::{self, Holdings, Newest, Of};
use super::risk::{self, Facts, Reason, Risk};
use crate::clock;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::fsx;
use crate::host::{self, user_name};
use crate::marker::Marker;
use crate::secret::redact;
use crate::store::Store;

/// A command line or a list of ids longer than this is shown by its beginning and bound by its hash.
const SUBJECT_MAX_CHARS: usize = 2_000;

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// A backup replaces a database.
    Restore,
    /// What the last restore replaced comes back.
    Undo,
    /// What restores kept aside is removed.
    Discard,
    /// Backups are removed by name.
    Delete,
    /// Backups are removed by the rules of retention, by hand.
    Prune,
    /// A command changes the database.
    Migrate,
    /// Tests run on the real database.
    TestInPlace,
    /// A marker is written over another.
    Mark,
}

impl Operation {
    /// Its name in messages and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Operation::Restore => "restore",
            Operation::Undo => "undo",
            Operation::Discard => "discard",
            Operation::Delete => "delete",
            Operation::Prune => "prune",
            Operation::Migrate => "migrate",
            Operation::TestInPlace => "test-in-place",
            Operation::Mark => "mark",
        }
    }

    /// What its subject is.
    pub(super) fn subject(self) -> &'static str {
        match self {
            Operation::Restore => "backup",
            Operation::Undo | Operation::Discard => "restore",
            Operation::Delete | Operation::Prune => "list of backups",
            Operation::Migrate | Operation::TestInPlace => "command",
            Operation::Mark => "marker",
        }
    }

    /// Whether it is done to a database, and not to backups.
    pub(super) fn is_on_database(self) -> bool {
        !matches!(self, Operation::Delete | Operation::Prune)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What the operation takes away.
#[derive(Debug, Clone)]
pub enum Loses {
    /// Nothing.
    Nothing,
    /// What is replaced or changed, but kept aside or backed up by the operation itself; in words.
    Kept(String),
    /// What is removed for good, unless a backup holds it.
    ForGood {
        /// What it is, in words.
        what: String,
        /// Its state is of this time: a verified backup that is not older makes up for it.
        as_of: DateTime<Utc>,
        /// A backup that was made of it, whatever its time.
        held_by: Option<String>,
        /// Backups that are removed themselves, and make up for nothing.
        going: Vec<String>,
    },
}

/// The state an operation was planned on, fact by fact. Two states are the same when all their facts are.
///
/// An approval is for one state, and a person may think about it for an hour. So a fact must not change by itself
/// meanwhile: what is planned, which database that is and whether it holds anything are facts; how many rows or bytes a
/// live database has are none, since an application goes on working, and no plan would ever be approved in time. What may
/// become of those rows is in [`Loses`], in words that hold whatever their number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct State(BTreeMap<String, String>);

impl State {
    /// Adds a fact under a name for JSON: a short text, or the hash of a long one.
    #[must_use]
    pub fn with(mut self, name: &str, fact: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), redact(&fact.into()));
        self
    }

    /// The first fact that another state says differently: its name, here, and there.
    pub(super) fn difference<'a>(&'a self, other: &'a State) -> Option<(&'a str, &'a str, &'a str)> {
        let of = |state: &'a State, name: &str| state.0.get(name).map_or("nothing", String::as_str);
        let names = self.0.keys().chain(other.0.keys());
        names.map(|name| (name.as_str(), of(self, name), of(other, name))).find(|(_, here, there)| here != there)
    }
}

/// What a verb is about to do, in the caller's words; [`Request::of`] finds out the rest.
pub struct Intent<'a> {
    /// What is done.
    pub operation: Operation,
    /// What it is done to: [`crate::engine::Engine::location`], or the store's folder.
    pub target: String,
    /// What tells the database from others whatever it is called: [`crate::engine::Engine::identity`].
    pub identity: Option<String>,
    /// The environment whose database or whose backups that is, where it is one's.
    pub environment: Option<&'a Environment>,
    /// What exactly: the backup's id, the command line, the ids.
    pub subject: String,
    /// What it takes away.
    pub loses: Loses,
    /// The state it is planned on.
    pub state: State,
    /// What the target says of itself.
    pub marker: Option<Marker>,
    /// Where backups of the target are looked for.
    pub store: Option<&'a Store>,
}

/// A request for an approval: what `approval.command` gets as JSON, what a dry run shows, what another user approves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// What is to be done.
    pub operation: Operation,
    /// How risky that is: the highest of the reasons.
    pub risk: Risk,
    /// Why, each with the level that it alone would give.
    pub reasons: Vec<Reason>,
    /// What it is done to, without any secret.
    pub target: String,
    /// The environment whose that is.
    pub environment: Option<String>,
    /// Whether the environment is protected.
    pub is_protected: bool,
    /// What exactly.
    pub subject: String,
    /// What would be lost, in words.
    pub loses: Option<String>,
    /// The state it was planned on.
    pub state: State,
    /// The newest verified backup of the target.
    pub newest_backup: Option<Newest>,
    /// What the target says of itself.
    pub marker: Option<Marker>,
    /// Who asks: the name of the real user.
    pub user: String,
    /// The real user's id.
    pub uid: u32,
    /// On which machine.
    pub host: String,
    /// When.
    #[serde(with = "clock::rfc3339_millis")]
    pub at: DateTime<Utc>,
}

impl Request {
    /// Looks at the backups there are, and says how risky it is.
    pub fn of(intent: Intent<'_>) -> Result<Self> {
        let Intent { operation, target, identity, environment, subject, loses, state, marker, store } = intent;
        let name = environment.map(|environment| environment.name.as_str());
        let ids: BTreeSet<&str> = match &loses {
            Loses::ForGood { going, .. } => going.iter().map(String::as_str).collect(),
            _ => BTreeSet::new(),
        };
        let going = store.map_or_else(|| Ok(Vec::new()), |store| evidence::going(store, name, &ids))?;
        let places: BTreeSet<String> = match operation.is_on_database() {
            true => BTreeSet::from([target.clone()]),
            false => going.iter().filter(|going| going.is_its_own).filter_map(|going| going.location.clone()).collect(),
        };
        // Where nothing is there to be lost, and where only backups go, it is about the environment and not about one database.
        let is_about_one = operation.is_on_database() && !matches!(loses, Loses::Nothing) || environment.is_none();
        let of = match is_about_one {
            true => Of::Database { location: &target, identity: identity.as_deref() },
            false => Of::Environment { places: &places },
        };
        let newest_of = |of: Of<'_>, fits: &dyn Fn(&str) -> bool| {
            store.map_or(Ok(None), |store| Holdings { store, environment: name, of }.newest(fits))
        };
        let stays = |id: &str| !ids.contains(id);
        let newest = newest_of(of, &stays)?;
        let is_only_copy = match &loses {
            Loses::ForGood { as_of, held_by, .. } => {
                // Where the newest is older than what goes, all are.
                let is_newer = |newest: Option<&Newest>, as_of: DateTime<Utc>| newest.is_some_and(|held| held.made_at >= as_of);
                let mut is_made_up_for = !going.is_empty() || is_newer(newest.as_ref(), *as_of);
                // Each database for itself: a newer backup of another one makes up for nothing.
                for going in &going {
                    is_made_up_for &= match &going.location {
                        Some(location) => is_newer(newest_of(Of::Database { location, identity: None }, &stays)?.as_ref(), going.as_of),
                        None => is_newer(newest.as_ref(), going.as_of),
                    };
                }
                let is_held = || match held_by.as_deref().filter(|held| stays(held)) {
                    Some(held_by) => newest_of(of, &|id| id == held_by).map(|held| held.is_some()),
                    None => Ok(false),
                };
                !is_made_up_for && !is_held()?
            }
            _ => false,
        };
        let reasons = risk::assess(&Facts {
            operation,
            environment: environment.map(|environment| (environment.name.as_str(), environment.protected)),
            marker: marker.as_ref(),
            loses: &loses,
            is_only_copy,
            newest: newest.as_ref(),
            max_age: environment.and_then(|environment| environment.max_age),
        });
        let uid = nix::unistd::getuid();
        Ok(Request {
            operation,
            risk: reasons.iter().map(|reason| reason.risk).max().unwrap_or(Risk::Low),
            reasons,
            target: redact(&target),
            environment: name.map(str::to_owned),
            is_protected: environment.is_some_and(|environment| environment.protected),
            subject: short(&redact(&subject)),
            loses: match loses {
                Loses::Nothing => None,
                Loses::Kept(what) | Loses::ForGood { what, .. } => Some(what),
            },
            state,
            newest_backup: newest,
            marker,
            user: user_name(uid.as_raw()),
            uid: uid.as_raw(),
            host: host::name(),
            at: clock::now(),
        })
    }

    /// The name that a person confirms by: the environment's, else the one the database says of itself, else the database's.
    pub fn name(&self) -> &str {
        let of_marker = self.marker.as_ref().map(|marker| marker.environment.as_str());
        let of_place = || self.target.rsplit('/').find(|part| !part.is_empty()).unwrap_or(&self.target);
        self.environment.as_deref().or(of_marker).unwrap_or_else(of_place)
    }

    /// The reasons that decide, in one line.
    pub(super) fn why(&self) -> String {
        let graver = self.reasons.iter().filter(|reason| reason.risk >= self.risk.min(Risk::High));
        graver.map(|reason| reason.why.as_str()).collect::<Vec<_>>().join("; ")
    }

    /// Hash of everything that is shown of it: an approval by another user is of exactly what that user saw.
    pub fn digest(&self) -> Result<String> {
        let bytes = serde_json::to_vec(self).map_err(|error| Error::failed("cannot write the request").because(error))?;
        Ok(fsx::sha256_hex(&bytes))
    }

    /// Why an approval of this request does not hold for another one: the first thing in which that one differs.
    pub(super) fn difference(&self, now: &Request) -> Option<String> {
        let planned = self;
        if planned.operation != now.operation {
            return Some(format!("it was planned for {}, this is {}", planned.operation, now.operation));
        }
        if planned.target != now.target {
            return Some(format!("it was planned for {}, this is about {}", planned.target, now.target));
        }
        if planned.environment != now.environment || planned.is_protected != now.is_protected {
            let said = |request: &Request| match (&request.environment, request.is_protected) {
                (None, _) => "no environment's".to_owned(),
                (Some(name), true) => format!("that of {name}, which is protected"),
                (Some(name), false) => format!("that of {name}"),
            };
            return Some(format!("{} was {} when it was planned, and is {} now", now.target, said(planned), said(now)));
        }
        if planned.subject != now.subject {
            let is_newest = now.newest_backup.as_ref().is_some_and(|newest| newest.id == now.subject);
            let which = if is_newest && now.operation == Operation::Restore { "newest backup" } else { now.operation.subject() };
            return Some(format!("the {which} is now {}, the plan was for {}", now.subject, planned.subject));
        }
        if let Some((name, then, now)) = planned.state.difference(&now.state) {
            return Some(format!("the state is another: {name} was {then:?} when it was planned, and is {now:?}"));
        }
        let says = |request: &Request| request.marker.as_ref().map_or("no marker".to_owned(), |marker| format!("the marker {marker}"));
        if says(planned) != says(now) {
            return Some(format!("{} bears {} now, it bore {} when it was planned", now.target, says(now), says(planned)));
        }
        if planned.loses != now.loses {
            let said = |request: &Request| request.loses.clone().unwrap_or_else(|| "nothing".to_owned());
            return Some(format!("it would lose {} now, it was planned to lose {}", said(now), said(planned)));
        }
        if now.risk > planned.risk {
            let why = now.reasons.iter().find(|reason| reason.risk == now.risk).map_or("", |reason| &reason.why);
            return Some(format!("the risk is {} now, it was {} when it was planned: {why}", now.risk, planned.risk));
        }
        if planned.uid != now.uid {
            return Some(format!("{} planned it, {} runs it", planned.user, now.user));
        }
        None
    }

    /// One line a fact and a reason.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("risk     {}: {}, {}", self.risk, self.operation, self.target)];
        lines.extend(self.reasons.iter().map(|reason| format!("{:>7}  {}", reason.risk.to_string(), reason.why)));
        if let Some(what) = &self.loses {
            lines.push(format!("loses    {what}"));
        }
        lines
    }
}

/// A text of bounded length that differs where the whole text differs.
fn short(text: &str) -> String {
    if text.chars().count() <= SUBJECT_MAX_CHARS {
        return text.to_owned();
    }
    let begin: String = text.chars().take(SUBJECT_MAX_CHARS).collect();
    format!("{begin}… (SHA-256 {})", fsx::sha256_hex(text.as_bytes()))
}
