//! `~` and `${VAR}` in paths and URLs.

use std::path::{Path, PathBuf};

use super::surroundings::{Surroundings, tidy};

/// Schemes after which a path may begin with `~`.
const PATH_SCHEMES: [&str; 3] = ["sqlite:", "sqlite3:", "file:"];

/// Expands a leading `~` and every `${VAR}`; `$${` stands for a literal `${`. The error says why, in one line.
///
/// A variable that is unset or empty is an error, never an empty text: `${DATA}/backups` must not become `/backups`.
pub(crate) fn expand(text: &str, surroundings: &Surroundings) -> Result<String, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    let scheme = PATH_SCHEMES.into_iter().find(|scheme| text.starts_with(scheme)).unwrap_or_default();
    let rest = &text[scheme.len()..];
    let Some(after) = rest.strip_prefix('~') else { return variables(text, surroundings) };
    if !after.is_empty() && !after.starts_with('/') {
        return Err(format!("{text:?} names another user's home: write the path out"));
    }
    let home = surroundings.home().map_err(|error| error.to_string())?;
    let home = home.to_str().ok_or("the home directory's name is not UTF-8")?;
    Ok(format!("{scheme}{home}{}", variables(after, surroundings)?))
}

fn variables(text: &str, surroundings: &Surroundings) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(dollar) = rest.find("${") {
        let (before, from) = rest.split_at(dollar);
        if let Some(before) = before.strip_suffix('$') {
            out.push_str(before);
            out.push_str("${");
            rest = &from[2..];
            continue;
        }
        out.push_str(before);
        let (name, after) = from[2..].split_once('}').ok_or("a ${ has no } after it")?;
        let well_named = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !well_named {
            return Err(format!("${{{name}}} is no variable: only a name may stand between {{ and }}"));
        }
        match surroundings.variables.get(std::ffi::OsStr::new(name)).map(|value| value.to_str()) {
            None => return Err(format!("the environment variable {name} is not set")),
            Some(Some("")) => return Err(format!("the environment variable {name} is empty")),
            Some(None) => return Err(format!("the environment variable {name} is not UTF-8")),
            Some(Some(value)) => out.push_str(value),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Expands a path and makes it absolute against `base`.
pub(crate) fn path(text: &str, base: &Path, surroundings: &Surroundings) -> Result<PathBuf, String> {
    let expanded = expand(text, surroundings)?;
    if let Some((scheme, _)) = expanded.split_once("://") {
        return Err(format!("{scheme}:// is not a path on this machine"));
    }
    Ok(tidy(base.join(expanded)))
}
