//! What a user asks for: each verb takes nouns, never flags, and returns a report.

pub mod adopt;
pub mod archive;
pub mod backup;
pub mod before;
pub mod dbtest;
pub mod delete;
pub mod diff;
pub mod export;
pub mod files;
pub mod forget;
pub mod full;
pub mod guard;
pub mod guarded;
pub mod import;
pub mod migrate;
pub mod on_clone;
pub mod mark;
mod parent;
pub mod prune;
pub mod requests;
pub mod restore;
mod standing;
pub mod undo;
pub mod verify;
