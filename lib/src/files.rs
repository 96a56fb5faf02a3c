//! The files of a backup: walked, packed into a tar archive with an inventory beside it, checked, and restored.
//!
//! The archive is an ordinary one, and every entry of it is written from a line of the inventory, which says where in the plain
//! stream the entry stands. So one file is found without reading the others, and a later backup knows what has not changed.

pub mod archive;
mod before;
pub mod entry;
pub mod extract;
mod header;
pub mod inventory;
pub mod pack;
mod place;
mod read;
pub mod roots;
mod sparse;
mod target;
pub mod unchanged;
mod unfinished;
pub mod walk;
mod writeback;

/// What a component's `content` says of a tar archive.
pub const CONTENT: &str = "tar";
/// The role of the component that holds an environment's files, …
pub const FILES: &str = "files";
/// … and of the one that holds its configuration files.
pub const CONFIG: &str = "config";
/// The role of the archive of the store's own versions of files.
pub const VERSIONS: &str = "versions";
/// tar's unit: headers have this size, and content is padded to a multiple of it.
pub const BLOCK_BYTES: u64 = 512;

/// A length rounded up to whole blocks of the archive.
pub fn padded(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK_BYTES) * BLOCK_BYTES
}
