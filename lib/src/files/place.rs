//! On which file system something lies, and what its times are worth there.

use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

use crate::fsx;

/// What is kept of a place: hex digits of a hash.
const SHOWN: usize = 16;

/// A file system, together with the root that led there. Two of one name are the same, as far as that can be told: where another
/// one was mounted in its place, or a link leads elsewhere now, equal numbers and times say nothing.
pub(super) type Place = Arc<str>;

/// The place of an open folder below the root of this real path; none where no file may be taken for unchanged by its times.
pub(super) fn of(folder: &impl AsFd, root: &Path) -> Option<Place> {
    let kind = kind(folder)?;
    let number = nix::sys::statvfs::fstatvfs(folder).ok()?.filesystem_id();
    let mut text = format!("{kind:x} {number:x} ").into_bytes();
    text.extend_from_slice(root.as_os_str().as_encoded_bytes());
    Some(fsx::sha256_hex(&text)[..SHOWN].into())
}

/// The kind of the file system; none for one whose times prove nothing.
#[cfg(target_os = "linux")]
fn kind(folder: &impl AsFd) -> Option<i64> {
    let kind = fsx::file_system_kind(folder)?;
    (!IN_MEMORY.contains(&kind) && !IMAGES.contains(&kind)).then_some(kind)
}

/// The kernel does not stamp what is written through a mapping there: tmpfs, ramfs, hugetlbfs.
#[cfg(target_os = "linux")]
const IN_MEMORY: [i64; 3] = [0x0102_1994, 0x8584_58f6, 0x9584_58f6];

/// All times there are what whoever built the image wrote, and reproducible builds write the same into each: EROFS, SquashFS,
/// ISO 9660, cramfs (both byte orders), romfs, UDF.
#[cfg(target_os = "linux")]
const IMAGES: [i64; 7] = [0xe0f5_e1e2, 0x7371_7368, 0x9660, 0x28cd_3d45, 0x453d_cd28, 0x7275, 0x1501_3346];

#[cfg(not(target_os = "linux"))]
fn kind(_: &impl AsFd) -> Option<i64> {
    Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_its_file_system_and_its_root() {
        let folder = tempfile::tempdir().expect("a folder");
        let opened = std::fs::File::open(folder.path()).expect("opened");
        let here = of(&opened, Path::new("/a"));
        assert_eq!(here, of(&opened, Path::new("/a")));
        assert!(here.is_none() || here != of(&opened, Path::new("/b")));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn times_in_memory_and_on_proc_are_told_apart() {
        let shared = std::fs::File::open("/dev/shm");
        if let Ok(shared) = shared.as_ref().map(|shared| nix::sys::statfs::fstatfs(shared).map(|_| shared)) {
            assert_eq!(of(&shared.expect("looked at"), Path::new("/dev/shm")), None);
        }
    }
}
