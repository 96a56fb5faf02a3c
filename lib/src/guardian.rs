//! The guardian: whether a destructive operation may go on.
//!
//! A verb says what it is about to do ([`Intent`]); [`Request::of`] weighs it ([`Risk`], with a [`Reason`] for each level),
//! and [`approve`] gives the [`Approval`] that the verb asks for by type. From medium risk on it needs somebody's word, for
//! exactly this operation, on this target, in this state:
//!
//! - `approval.by = "other"`: a file that another user of the machine has written, and nothing else;
//! - else `approval.command`: a program that gets the request as JSON and decides;
//! - else `--confirm NAME:CODE` with the code of a dry run, which is good once and for a while;
//! - else a person at the terminal, who sees the request and types the environment's name.

mod code;
mod evidence;
mod other;
mod request;
mod risk;

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};

use crate::config::duration;
use crate::error::{Error, Kind, Result};
use crate::exec::{Answered, Call};
use crate::rules::{ApprovalBy, ApprovalRules};
use crate::state_dir::StateDir;

pub use code::{Code, Note};
pub use evidence::Newest;
pub use other::Asked;
pub use request::{Intent, Loses, Operation, Request, State};
pub use risk::{Reason, Risk};

/// The right to do one operation to one target, in the state it was approved for. Made here only.
#[derive(Debug, Serialize)]
pub struct Approval {
    operation: Operation,
    target: String,
    /// Of the request that was approved.
    digest: String,
    risk: Risk,
    given: Given,
}

/// How an approval came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Given {
    /// The risk is low: nobody was asked.
    NotNeeded,
    /// A person at the terminal typed the name.
    Typed {
        /// Who was logged in there.
        user: String,
    },
    /// `--confirm` with the code of a plan.
    Code {
        /// The code.
        code: Code,
        /// Who gave it.
        user: String,
    },
    /// `approval.command`.
    Command {
        /// The program.
        program: String,
        /// Its last line on stderr.
        said: Option<String>,
    },
    /// Another user of the machine.
    Other {
        /// The code.
        code: Code,
        /// Who approved.
        user: String,
        /// That user's id.
        uid: u32,
    },
}

impl Approval {
    /// What may be done.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// The target it is for.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Hash of the request that was approved.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How risky it was found.
    pub fn risk(&self) -> Risk {
        self.risk
    }

    /// How it was given, and by whom.
    pub fn given(&self) -> &Given {
        &self.given
    }

    /// Refuses to do anything else by it than what it was given for. Every verb that takes an approval calls this first.
    pub fn require(&self, operation: Operation, target: &str) -> Result<()> {
        if self.operation == operation && self.target == target {
            return Ok(());
        }
        Err(Error::refused(format!("the approval is for {} of {}, not for {operation} of {target}", self.operation, self.target)))
    }
}

/// What came of the question at the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    /// The name was typed.
    Name,
    /// Something else was.
    Else,
    /// There is no terminal, so nobody was asked.
    NoTerminal,
}

/// What [`approve`] goes by.
pub struct Means<'a> {
    /// Who approves.
    pub rules: &'a ApprovalRules,
    /// Where codes are noted.
    pub state: &'a StateDir,
    /// What `--confirm` says: `NAME`, or `NAME:CODE`.
    pub confirmed: Option<&'a str>,
    /// Shows the request to a person and wants its name typed.
    pub ask: &'a dyn Fn(&Request) -> Result<Typed>,
}

/// Approves a request, or refuses with an error of kind [`Kind::Refused`] that says what is missing.
pub fn approve(request: &Request, means: &Means<'_>) -> Result<Approval> {
    let given = if request.risk == Risk::Low { require_name(request, means).map(|_| Given::NotNeeded) } else { decide(request, means) }?;
    tracing::info!(risk = %request.risk, ?given, "approved: {} of {}", request.operation, request.target);
    Ok(Approval { operation: request.operation, target: request.target.clone(), digest: request.digest()?, risk: request.risk, given })
}

fn decide(request: &Request, means: &Means<'_>) -> Result<Given> {
    let code = require_name(request, means)?;
    match (means.rules.by, &means.rules.command) {
        (ApprovalBy::Other, _) => by_other(request, means, code),
        (ApprovalBy::Anyone, Some(words)) => by_command(request, words, means.rules),
        (ApprovalBy::Anyone, None) => match code {
            Some(code) => {
                Note::of(means.state, &code, request)?.take(means.state)?;
                Ok(Given::Code { code, user: request.user.clone() })
            }
            None => by_person(request, means),
        },
    }
}

/// The code that `--confirm` gives; an error where the name before it is another than the request's.
fn require_name(request: &Request, means: &Means<'_>) -> Result<Option<Code>> {
    let Some(said) = means.confirmed else { return Ok(None) };
    let name = request.name();
    // A database's name may hold a colon, so the name is looked at first.
    let code = match said.strip_prefix(name) {
        Some("") => None,
        Some(rest) if rest.starts_with(':') => Some(Code::parse(&rest[1..])?),
        _ => {
            let said = said.rsplit_once(':').map_or(said, |(name, _)| name);
            return Err(Error::refused(format!("--confirm says {said}, but this is about {name}: {}", request.target))
                .hint(format!("nothing was changed; if {name} is meant, look at the plan with -n first")));
        }
    };
    Ok(code)
}

fn by_person(request: &Request, means: &Means<'_>) -> Result<Given> {
    let (name, risk) = (request.name(), request.risk);
    if means.confirmed.is_some() {
        return Err(Error::refused(format!("--confirm {name} has no code, and the risk is {risk}: {}", request.why()))
            .hint(format!("look at the plan with -n; it shows the code, as in --confirm {name}:CODE")));
    }
    match (means.ask)(request)? {
        Typed::Name => Ok(Given::Typed { user: request.user.clone() }),
        Typed::Else => Err(Error::refused(format!("the name {name} was not typed")).hint("nothing was changed")),
        Typed::NoTerminal => Err(Error::refused(format!("this needs an approval, the risk is {risk}: {}", request.why()))
            .hint(format!("look at the plan with -n, then confirm it by the code that it shows, as in --confirm {name}:CODE"))),
    }
}

fn by_command(request: &Request, words: &[String], rules: &ApprovalRules) -> Result<Given> {
    let program = words.first().cloned().unwrap_or_default();
    let refused = |why: String| Error::refused(format!("approval.command, {program}, {why}"));
    let question = serde_json::to_vec(request).map_err(|error| Error::failed("cannot write the request").because(error))?;
    let asked = Call::of_words(words).and_then(|call| call.ask(&question, rules.timeout));
    let (answered, said) = match asked {
        Err(error) if matches!(error.kind(), Kind::Signal(_)) => return Err(error),
        Err(error) => {
            return Err(refused(format!("cannot be asked: {error}")).hint("nothing was changed; without its answer nothing is approved"));
        }
        Ok(answer) => answer,
    };
    match answered {
        Answered::Yes => Ok(Given::Command { program, said }),
        Answered::No(how) => Err(refused(format!("says no: {}", said.unwrap_or(how))).hint("nothing was changed")),
        Answered::Late => Err(refused(format!("gave no answer within {}, and was stopped", duration::text(rules.timeout)))
            .hint("nothing was changed; approval.timeout says how long it may take")),
    }
}

fn by_other(request: &Request, means: &Means<'_>, code: Option<Code>) -> Result<Given> {
    let folder = folder(means.rules)?;
    let Some(code) = code else {
        let note = Note::make(means.state, request, means.rules.valid)?;
        other::ask(&folder, &note)?;
        let name = request.name();
        return Err(Error::refused(format!("only another user may approve this, the risk is {}: {}", request.risk, request.why()))
            .hint(format!("{}\nthen run this again with --confirm {name}:{}", other::how(&folder, &note.code), note.code)));
    };
    let note = Note::of(means.state, &code, request)?;
    let other = other::answer(&folder, &note)?;
    note.take(means.state)?;
    other::withdraw(&folder, &code);
    Ok(Given::Other { code, user: other.user, uid: other.uid })
}

fn folder(rules: &ApprovalRules) -> Result<PathBuf> {
    rules.folder.clone().ok_or_else(|| {
        Error::config("approval.by is other, and approval.folder is missing").hint("name a folder that both users can write to")
    })
}

/// What a dry run says of the approval that the real run will need.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Offer {
    /// Whether anybody has to approve.
    pub is_needed: bool,
    /// Who decides.
    pub by: By,
    /// What to give to `--confirm`; none where that is not asked for.
    pub confirm: Option<String>,
    /// Until when the code is good.
    #[serde(serialize_with = "time_or_null")]
    pub expires_at: Option<DateTime<Utc>>,
    /// What another user has to run, where only another user may approve.
    pub other: Option<String>,
}

/// Who decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Nobody has to.
    Nobody,
    /// Whoever runs it, by the code or by typing the name.
    Anyone,
    /// A program.
    Command,
    /// Another user.
    Other,
}

impl Offer {
    /// Says how a request can be approved, and notes the code for that down.
    pub fn make(request: &Request, rules: &ApprovalRules, state: &StateDir) -> Result<Self> {
        let without_code = |by: By| Offer { is_needed: by != By::Nobody, by, confirm: None, expires_at: None, other: None };
        if request.risk == Risk::Low {
            return Ok(without_code(By::Nobody));
        }
        if rules.by == ApprovalBy::Anyone && rules.command.is_some() {
            return Ok(without_code(By::Command));
        }
        let shared = if rules.by == ApprovalBy::Other { Some(folder(rules)?) } else { None };
        let note = Note::make(state, request, rules.valid)?;
        let offer = Offer {
            confirm: Some(format!("{}:{}", request.name(), note.code)),
            expires_at: Some(note.expires_at),
            ..without_code(By::Anyone)
        };
        let Some(folder) = shared else { return Ok(offer) };
        other::ask(&folder, &note)?;
        Ok(Offer { by: By::Other, other: Some(other::how(&folder, &note.code)), ..offer })
    }

    /// One line a fact.
    pub fn lines(&self) -> Vec<String> {
        let until = self.expires_at.map(|time| format!(" (good once, until {})", crate::clock::readable(time))).unwrap_or_default();
        let confirm = self.confirm.as_deref().unwrap_or_default();
        match self.by {
            By::Nobody => Vec::new(),
            By::Command => vec!["approve  approval.command will be asked".to_owned()],
            By::Anyone => vec![format!("approve  with --confirm {confirm}{until}")],
            By::Other => vec![
                format!("approve  {}", self.other.as_deref().unwrap_or_default()),
                format!("         then run this with --confirm {confirm}{until}"),
            ],
        }
    }
}

fn time_or_null<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => crate::clock::rfc3339_millis::serialize(time, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests;
