//! What a user asks for: each verb takes nouns, never flags, and returns a report.

pub mod backup;
pub mod guard;
pub mod prune;
pub mod requests;
pub mod restore;
pub mod undo;
pub mod verify;
