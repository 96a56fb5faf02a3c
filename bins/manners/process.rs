//! What a process that handles secrets and databases sets right before anything else.

use std::os::fd::{AsRawFd, IntoRawFd};

use nix::fcntl::{OFlag, open};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::stat::{Mode, umask};

/// Opens what is closed of stdin, stdout and stderr, forbids core dumps, and keeps new files private.
///
/// Nothing here can be reported usefully, and nothing depends on it alone: files are made private by their own mode too.
pub(crate) fn settle() {
    open_standard_descriptors();
    // A core file would hold passwords. The hard limit stays, so that a wrapped command can be given back what we were started
    // with; the library remembers that from before main.
    let hard = getrlimit(Resource::RLIMIT_CORE).map_or(0, |(_, hard)| hard);
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, hard);
    umask(Mode::from_bits_truncate(0o077));
}

/// Opens /dev/null on every closed descriptor up to 2. A database opened as descriptor 2 would otherwise be written
/// into by the next message. Rust's runtime does the same today, without promising it.
fn open_standard_descriptors() {
    // The system gives the lowest free number, so the first one above 2 says that none below is closed.
    // Not close-on-exec, unlike what std opens: children inherit these three.
    while let Ok(null) = open("/dev/null", OFlag::O_RDWR, Mode::empty()) {
        if null.as_raw_fd() > 2 {
            break;
        }
        // Left open on purpose, for the life of the process.
        let _ = null.into_raw_fd();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};
    use std::os::unix::fs::{FileTypeExt, MetadataExt};
    use std::process::Command;

    const CHILD: &str = "HOLDFAST_TEST_CLOSES_DESCRIPTORS";
    const ALL_NULL: i32 = 42;

    /// Runs itself again, since closing descriptors 0 to 2 would break the test runner.
    #[test]
    #[allow(clippy::exit)]
    fn fm_b19_closed_standard_descriptors_are_opened_on_dev_null() {
        if std::env::var_os(CHILD).is_some() {
            for descriptor in 0..=2 {
                nix::unistd::close(descriptor).expect("descriptor was open");
            }
            open_standard_descriptors();
            let null = std::fs::metadata("/dev/null").expect("there is a /dev/null").rdev();
            let is_null =
                |n: i32| std::fs::metadata(format!("/dev/fd/{n}")).is_ok_and(|m| m.file_type().is_char_device() && m.rdev() == null);
            let is_inherited = fcntl(std::io::stdin(), FcntlArg::F_GETFD) == Ok(FdFlag::empty().bits());
            std::process::exit(if (0..=2).all(is_null) && is_inherited { ALL_NULL } else { 1 });
        }
        let myself = std::env::current_exe().expect("own path");
        let ended = Command::new(myself)
            .args(["--exact", "process::tests::fm_b19_closed_standard_descriptors_are_opened_on_dev_null", "--nocapture"])
            .env(CHILD, "1")
            .output()
            .expect("runs");
        assert_eq!(ended.status.code(), Some(ALL_NULL));
    }

    #[test]
    fn fm_i10_no_core_file_and_no_open_mode() {
        settle();
        assert_eq!(getrlimit(Resource::RLIMIT_CORE).expect("limit").0, 0);
        let before = umask(Mode::from_bits_truncate(0o077));
        assert_eq!(before.bits(), 0o077);
    }
}
