//! What the Holdfast binaries share on the command line: how they start and end, what they print where, and the flags
//! that mean the same everywhere. A main is [`run`], one verb of the library, and one printed report.

mod audited;
pub mod approval;
mod bar;
mod common;
pub mod diff;
pub mod figures;
mod help;
mod keep;
pub mod log;
pub mod made;
mod out;
mod process;
pub mod prompt;
mod run;
mod said;
mod setting;
mod table;
mod terminal;
mod text;
pub mod wrapper;

pub use audited::{Audited, audited};
pub use common::{Common, level};
pub use help::{Example, after_help, after_wrapper_help};
pub use keep::Keep;
pub use out::{Out, Voice};
pub use run::{failures_are, run, run_wrapper};
pub use said::Said;
pub use setting::{Bytes, Setting, Span};
pub use table::{Shade, Table};
pub use terminal::Looks;
pub use text::visible;
