//! Getting evicted bytes back before they are read.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{SyncProbe, SyncState, shown};
use crate::error::{Error, Result};
use crate::interrupt;

/// How often a download is looked at.
const TICK: Duration = Duration::from_millis(200);

/// Sees to it that the bytes of `path` are on this machine: asks for them once where they are not, and waits.
///
/// Fails with kind `Bad` where nothing of that name is there, or the bytes are not here after `deadline`.
pub fn wait_until_local(path: &Path, probe: &dyn SyncProbe, deadline: Duration) -> Result<()> {
    let started = Instant::now();
    let mut asked = false;
    loop {
        interrupt::check()?;
        let name = shown(path.as_os_str());
        match probe.state(path)? {
            SyncState::Local => return Ok(()),
            SyncState::Missing => return Err(Error::bad(format!("{name} is missing"))),
            SyncState::CloudOnly if !asked => {
                probe.request_download(path, deadline).map_err(|error| error.within(format!("cannot download {name}")))?;
                asked = true;
            }
            SyncState::CloudOnly if started.elapsed() < deadline => {
                std::thread::sleep(TICK.min(deadline.saturating_sub(started.elapsed())));
            }
            SyncState::CloudOnly => {
                return Err(Error::bad(format!("{name} is only in the cloud, and was not downloaded within {} s", deadline.as_secs()))
                    .hint(
                        "is the machine online? open the folder in the file browser and choose to keep it on this device, then try again",
                    ));
            }
        }
    }
}
