//! What a user asks for: each verb takes nouns, never flags, and returns a report.

pub mod backup;
pub mod before;
pub mod dbtest;
pub mod files;
pub mod full;
pub mod guard;
pub mod guarded;
pub mod migrate;
pub mod on_clone;
pub mod mark;
mod parent;
pub mod prune;
pub mod requests;
pub mod restore;
pub mod undo;
pub mod verify;
