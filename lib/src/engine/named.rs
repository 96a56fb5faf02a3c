//! What the texts by which applications name their database have in common, whichever server it is on.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use super::private::folder;
use crate::host;

/// Where a server listens.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Machine {
    /// This machine, by whichever of its names.
    Here,
    /// This machine, by a socket, or by the folder of one.
    Socket(PathBuf),
    Address(IpAddr),
    Name(String),
}

impl Machine {
    /// By a name, an address, or the path of a socket or of its folder.
    pub(super) fn of(host: &str) -> Self {
        if host.starts_with(['/', '@']) {
            let path = Path::new(host);
            return Machine::Socket(path.canonicalize().unwrap_or_else(|_| path.to_owned()));
        }
        let name = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_lowercase();
        match name.parse::<IpAddr>().map(|address| address.to_canonical()) {
            Ok(address) if address.is_loopback() || address.is_unspecified() => Machine::Here,
            Ok(address) => Machine::Address(address),
            Err(_) if name.is_empty() || name == "localhost" || name.ends_with(".localhost") => Machine::Here,
            Err(_) if name == host::name().to_lowercase() => Machine::Here,
            Err(_) => Machine::Name(name),
        }
    }

    /// Whether these may be the same.
    pub(super) fn is(&self, other: &Machine) -> bool {
        match (self, other) {
            // Which socket a server has beside its port cannot be seen from outside. A private one has no port.
            (Machine::Here, Machine::Socket(folder)) | (Machine::Socket(folder), Machine::Here) => !folder::is_private(folder),
            (one, other) => one == other,
        }
    }
}

/// The pairs of a connection string: `host=… dbname='…'` as libpq writes it, or `Host=…;Database=…`.
pub(super) fn words(text: &str) -> Option<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    let mut rest = text.trim();
    let is_separated = rest.contains(';');
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let key_is_plain = key.trim().bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' '));
        if !key_is_plain || (key.trim().contains(' ') && !is_separated) {
            return None;
        }
        let (value, after) = word(after.trim_start(), is_separated)?;
        pairs.push((key.trim().to_owned(), value));
        rest = after.trim_start_matches(|c: char| c == ';' || c.is_whitespace());
    }
    Some(pairs)
}

/// One value, quoted or not, and what follows.
fn word(text: &str, is_separated: bool) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'));
    let mut value = String::new();
    let mut chars = text.char_indices().skip(usize::from(quote.is_some()));
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if !is_separated => value.push(chars.next()?.1),
            _ if Some(c) == quote => return Some((value, &text[at + 1..])),
            ';' if is_separated && quote.is_none() => return Some((value.trim_end().to_owned(), &text[at..])),
            _ if quote.is_none() && !is_separated && c.is_whitespace() => return Some((value, &text[at..])),
            _ => value.push(c),
        }
    }
    quote.is_none().then(|| (value.trim_end().to_owned(), ""))
}
