//! How the databases are named that are ours on a server that others use, too.

use crate::error::Result;
use crate::fsx;

/// How the name of every scratch database begins; random hexadecimal digits follow.
pub(super) const SCRATCH_PREFIX: &str = "holdfast_scratch_";
/// How many random bytes a name has.
const RANDOM_BYTES: usize = 6;

/// A name for a scratch database, which no other has.
pub(super) fn new_scratch() -> Result<String> {
    Ok(format!("{SCRATCH_PREFIX}{}", fsx::random_hex(RANDOM_BYTES)?))
}

/// Whether it is the whole name of one.
pub(super) fn is_scratch(name: &str) -> bool {
    name.strip_prefix(SCRATCH_PREFIX).is_some_and(|random| {
        random.len() == 2 * RANDOM_BYTES && random.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
    })
}

/// A restore's id as a part of the name of the database beside.
pub(super) fn plain_id(id: &str) -> String {
    id.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fm_h06_only_a_whole_name_is_a_scratch_databases() {
        assert!(is_scratch("holdfast_scratch_00ff12ab34cd"));
        assert!(is_scratch(&new_scratch().expect("a name")));
        for name in
            ["holdfast_scratch_", "holdfast_scratch_00ff12ab34cdef", "holdfast_scratch_customers_", "my_holdfast_scratch_00ff12ab34cd"]
        {
            assert!(!is_scratch(name), "{name}");
        }
    }
}
