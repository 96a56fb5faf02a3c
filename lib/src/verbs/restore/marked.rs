//! What the restored database says of itself, before it takes its place.

use super::{Origin, Target};
use crate::engine::{Beside, Live};
use crate::error::Result;
use crate::host;
use crate::marker::{Marker, Role};
use crate::verbs::requests;

/// Writes the marker that belongs at the target into the restored database, where another came along with the data or none
/// did, and says whether it wrote one.
pub(super) fn settle(origin: &Origin, target: &Target<'_>, live: &Live, beside: &dyn Beside) -> Result<bool> {
    let there = requests::marker_of(&*target.engine, live)?;
    let own = match (target.environment, origin) {
        (Some(environment), _) => Some(environment.name.as_str()),
        (None, Origin::Backup(backup)) => {
            let manifest = backup.manifest();
            let is_its_place = |location: &str| location == target.engine.location() && manifest.host == host::name();
            let database = manifest.database.as_ref().filter(|database| is_its_place(&database.location));
            database.map(|_| manifest.environment.as_str())
        }
        (None, Origin::File(_)) => None,
    };
    let Some(marker) = belongs(beside.loaded().marker()?.as_ref(), there.as_ref(), own) else { return Ok(false) };
    beside.loaded().mark(&marker)?;
    tracing::info!("{} will say that it is {marker}", target.engine.location());
    Ok(true)
}

/// The marker to write: `restored` came along with the data, `there` is at the target now, and `own` is the environment
/// whose database the target is.
///
/// A place that was marked stays what it is, also when the backup is older than its marker. Data of another environment, or
/// at a place that is none's, says that it is a clone: else the copy would pass for the real one.
fn belongs(restored: Option<&Marker>, there: Option<&Marker>, own: Option<&str>) -> Option<Marker> {
    let is_real = |marker: &&Marker| marker.role == Role::Real;
    if let Some(there) = there.filter(is_real) {
        let is_right = restored.filter(is_real).is_some_and(|restored| restored.environment == there.environment);
        return (!is_right).then(|| Marker::real(&there.environment));
    }
    let restored = restored.filter(is_real)?;
    (own != Some(&restored.environment)).then(|| restored.of_clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_is_that_of_the_place_and_a_copy_elsewhere_is_a_clone() {
        let (prod, dev) = (Marker::real("prod"), Marker::real("dev"));
        let clone = prod.of_clone();
        let written = |restored: Option<&Marker>, there: Option<&Marker>, own: Option<&str>| {
            belongs(restored, there, own).map(|marker| marker.to_string())
        };
        // Into its own place.
        assert_eq!(written(Some(&prod), Some(&prod), Some("prod")), None);
        assert_eq!(written(Some(&prod), None, Some("prod")), None, "what was there was lost, or never marked");
        assert_eq!(written(None, None, Some("prod")), None, "it is opt-in");
        assert_eq!(written(None, Some(&prod), Some("prod")).as_deref(), Some("prod"), "the backup is older than the marker");
        assert_eq!(written(Some(&clone), Some(&prod), Some("prod")).as_deref(), Some("prod"));
        // Into the place of another environment, by a dump file.
        assert_eq!(written(Some(&prod), Some(&dev), Some("dev")).as_deref(), Some("dev"));
        assert_eq!(written(Some(&prod), None, Some("dev")).as_deref(), Some("a clone of prod"));
        // Into a place that is none's.
        assert_eq!(written(Some(&prod), None, None).as_deref(), Some("a clone of prod"));
        assert_eq!(written(Some(&prod), Some(&clone), None).as_deref(), Some("a clone of prod"));
        assert_eq!(written(Some(&clone), None, None), None, "a clone stays one");
        assert_eq!(written(None, Some(&clone), None), None);
    }
}
