//! What the Holdfast binaries share.
//!
//! The modules stand lowest layer first, and each uses only modules declared above it (a test reads the sources and
//! fails on an upward import). To follow one backup, start at [`verbs::backup`], go down to [`frames`] and come back up.

// ground: the operating system
pub mod exit;
pub mod error;
pub mod clock;
pub mod secret;
pub mod inherited;
pub mod interrupt;
pub mod fsx;
pub mod parallel;
mod giving_way;
pub mod exec;
pub mod state_dir;
pub mod host;
pub mod process;
pub mod shell;
pub mod lock;
pub mod progress;
pub mod command;

// storage: how bytes are kept
pub mod id;
pub mod compression;
pub mod frames;
pub mod store;
pub mod sync_state;

// data: what is kept, and where it comes from
pub mod marker;
pub mod schema;
pub mod fingerprint;
pub mod changes;
pub mod manifest;
pub mod backup;
pub mod engine;
pub mod rules;
pub mod config;
pub mod environment;
pub mod component;
pub mod files;
pub mod foreign;

// knowledge: what is known and allowed
pub mod catalog;
pub mod chain;
pub mod sidecar;
pub mod checks;
pub mod labels;
pub mod select;
pub mod listing;
pub mod known;
pub mod retention;
pub mod journal;
pub mod audit;
pub mod guardian;
pub mod loss;
pub mod versions;

// verbs: what a user asks for
pub mod verbs;

pub use error::{Error, Result};
