//! Which sync service, if any, keeps a folder.

use std::fmt;
use std::path::{Component, Path};

use crate::error::{OnPath, Result};

/// A sync service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// iCloud Drive.
    ICloud,
    /// Dropbox.
    Dropbox,
    /// OneDrive.
    OneDrive,
    /// Google Drive.
    GoogleDrive,
    /// Syncthing.
    Syncthing,
    /// Another one that macOS mounts under `Library/CloudStorage`.
    Other,
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Service::ICloud => "iCloud Drive",
            Service::Dropbox => "Dropbox",
            Service::OneDrive => "OneDrive",
            Service::GoogleDrive => "Google Drive",
            Service::Syncthing => "Syncthing",
            Service::Other => "a cloud storage provider",
        })
    }
}

/// What each service leaves in the top folder of what it keeps. A folder that only has a service's name is not enough:
/// people keep such names long after they left the service.
const MARKERS: &[(&str, Service)] = &[
    (".dropbox", Service::Dropbox),
    (".dropbox.cache", Service::Dropbox),
    (".849C9593-D756-4E56-8D6E-42412F2A707B", Service::OneDrive),
    (".tmp.drivedownload", Service::GoogleDrive),
    (".tmp.driveupload", Service::GoogleDrive),
    (".stfolder", Service::Syncthing),
];

/// The service that keeps `folder`, by where it really is (links followed) and by the markers above it; none where it is not a
/// synced folder.
pub fn service_of(folder: &Path) -> Result<Option<Service>> {
    let real = folder.canonicalize().on("look at", folder)?;
    if let Some(service) = by_place(&real) {
        return Ok(Some(service));
    }
    let marked = real.ancestors().find_map(|above| MARKERS.iter().find(|(marker, _)| is_marker(&above.join(marker))));
    Ok(marked.map(|(_, service)| *service))
}

/// Whether a marker is there. `.dropbox` must be a file: the folder of that name in a home folder is only the settings of Dropbox.
fn is_marker(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|found| found.is_file() || !path.ends_with(".dropbox"))
}

/// The folders that macOS gives to sync services.
fn by_place(real: &Path) -> Option<Service> {
    let names: Vec<String> = real
        .components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect();
    names.windows(3).find_map(|three| match (three[0].as_str(), three[1].as_str()) {
        ("Library", "Mobile Documents") => Some(Service::ICloud),
        ("Library", "CloudStorage") => Some(by_provider(&three[2])),
        _ => None,
    })
}

/// `Dropbox`, `OneDrive-Personal`, `GoogleDrive-me@example.org`.
fn by_provider(name: &str) -> Service {
    match name.split('-').next() {
        Some("Dropbox") => Service::Dropbox,
        Some("OneDrive") => Service::OneDrive,
        Some("GoogleDrive") => Service::GoogleDrive,
        Some("iCloud Drive" | "iCloudDrive") => Service::ICloud,
        _ => Service::Other,
    }
}
