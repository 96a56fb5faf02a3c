//! The probe that asks this machine.

use std::path::Path;
use std::time::Duration;

use super::{SyncProbe, SyncState, placeholder_of};
use crate::error::{OnPath, Result};

/// Asks the file system's flags, and on macOS the system's own tools for a download.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemProbe;

impl SyncProbe for SystemProbe {
    fn state(&self, path: &Path) -> Result<SyncState> {
        match path.symlink_metadata() {
            Ok(metadata) if is_dataless(&metadata) => Ok(SyncState::CloudOnly),
            Ok(_) => Ok(SyncState::Local),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let stands_in = placeholder_of(path).is_some_and(|placeholder| placeholder.symlink_metadata().is_ok());
                Ok(if stands_in { SyncState::CloudOnly } else { SyncState::Missing })
            }
            Err(error) => Err(error).on("look at", path),
        }
    }

    #[cfg(target_os = "macos")]
    fn request_download(&self, path: &Path, deadline: Duration) -> Result<()> {
        use super::{Service, service_of};
        use crate::exec::{Call, find};

        let Some(folder) = path.parent() else { return Ok(()) };
        let icloud = service_of(folder)? == Some(Service::ICloud);
        // The other services give the bytes to whoever reads. A child does that, since a read of an evicted file can block for
        // hours, and a child can be stopped.
        let (program, args): (&str, &[&str]) = if icloud { ("brctl", &["download"]) } else { ("head", &["-c", "1"]) };
        let Some(found) = find(program, &[]).into_iter().next() else { return Ok(()) };
        let stand_in = placeholder_of(path).filter(|placeholder| placeholder.symlink_metadata().is_ok());
        let target = stand_in.as_deref().unwrap_or(path);
        Call::new(found).args(args.iter().copied()).arg(target).silence_max(deadline).run().map(|_| ())
    }

    #[cfg(not(target_os = "macos"))]
    fn request_download(&self, _path: &Path, _deadline: Duration) -> Result<()> {
        Ok(())
    }
}

/// `SF_DATALESS` of `<sys/stat.h>`: the name is here, the bytes are not. The size still reads as the whole.
#[cfg(target_os = "macos")]
fn is_dataless(metadata: &std::fs::Metadata) -> bool {
    use std::os::macos::fs::MetadataExt;
    const SF_DATALESS: u32 = 0x4000_0000;
    metadata.st_flags() & SF_DATALESS != 0
}

#[cfg(not(target_os = "macos"))]
fn is_dataless(_metadata: &std::fs::Metadata) -> bool {
    false
}
