//! MariaDB and MySQL, through their own client programs.

mod structure;
pub mod text;

pub use structure::SqlStructure;
