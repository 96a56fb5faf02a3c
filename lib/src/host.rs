//! The machine's name.

/// The host name, or `unknown`.
pub fn name() -> String {
    nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The name of the real user who runs this, or the number where there is none.
pub fn user() -> String {
    user_name(nix::unistd::getuid().as_raw())
}

/// A user's name, or the number where there is none.
pub fn user_name(uid: u32) -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid)).ok().flatten();
    user.map_or_else(|| uid.to_string(), |user| user.name)
}
