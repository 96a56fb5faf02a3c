//! Commands run through `holdfast::command` by a small wrapper: this test binary, which starts itself again.
//!
//! What a person at a terminal would see is tried on a real pseudo-terminal, with a real shell's job control. It looks into
//! /proc, as the code that is tried here does on Linux.

#![cfg(target_os = "linux")]

#[path = "wrapped/as_started_directly.rs"]
mod as_started_directly;
#[path = "wrapped/descendants.rs"]
mod descendants;
#[path = "wrapped/pty.rs"]
mod pty;
#[path = "wrapped/recorder.rs"]
mod recorder;
#[path = "wrapped/shield.rs"]
mod shield;
#[path = "wrapped/signals.rs"]
mod signals;
#[path = "wrapped/start.rs"]
mod start;
#[path = "wrapped/terminal.rs"]
mod terminal;
#[path = "wrapped/wrapper.rs"]
mod wrapper;
