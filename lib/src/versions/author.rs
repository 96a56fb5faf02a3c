//! Who saves a version.

/// The real user's name, or the number where there is none.
pub fn author() -> String {
    let uid = nix::unistd::getuid();
    nix::unistd::User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}
