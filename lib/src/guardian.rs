//! Approval: what must be said before a protected environment is overwritten.

use crate::environment::Environment;
use crate::error::{Error, Result};

/// The right to overwrite one target. Made here only.
#[derive(Debug)]
pub struct Approval {
    target: String,
}

impl Approval {
    /// The target it is for.
    pub fn target(&self) -> &str {
        &self.target
    }
}

/// Approves an operation that overwrites the database at `target`, which is the given environment's where it is
/// anyone's. An unprotected one needs nothing; a protected one needs its name, from `--confirm` or typed at the prompt
/// that `ask` shows (it gets the question, and answers whether the name was typed).
pub fn approve(
    operation: &str,
    target: &str,
    environment: Option<&Environment>,
    confirmed: Option<&str>,
    ask: impl FnOnce(&str, &str) -> Result<bool>,
) -> Result<Approval> {
    let approval = || Approval { target: target.to_owned() };
    let Some(environment) = environment.filter(|environment| environment.protected) else { return Ok(approval()) };
    let name = &environment.name;
    match confirmed {
        Some(given) if given == name => Ok(approval()),
        Some(given) => Err(Error::refused(format!("--confirm says {given}, the environment is {name}"))
            .hint(format!("say --confirm {name} if {name} is meant"))),
        None if ask(&format!("{operation} overwrites {target}, the database of the protected environment {name}."), name)? => {
            Ok(approval())
        }
        None => Err(Error::refused(format!("{name} is protected, and its name was not typed")).hint("nothing was changed")),
    }
}
