//! What the Holdfast binaries share.
//!
//! The modules stand lowest layer first, and each uses only modules declared above it (a test reads the sources and
//! fails on an upward import). To follow one backup, start at [`verbs::backup`], go down to [`frames`] and come back up.

// ground: the operating system
pub mod clock;
pub mod error;
pub mod exec;
pub mod exit;
pub mod fsx;
pub mod interrupt;
pub mod lock;
pub mod secret;
pub mod state_dir;

// storage: how bytes are kept
pub mod sync_state;

// data: what is kept, and where it comes from
pub mod fingerprint;
pub mod manifest;
pub mod engine;

// knowledge: what is known and allowed
pub mod retention;

pub use error::{Error, Result};
