//! What an address does not say itself, from where the client programs have it: their option files first, then the variables.

use std::path::{Path, PathBuf};

use super::{Address, PARAMETERS};
use crate::error::Result;
use crate::secret::Secret;

/// The machine's files and the user's, in the order in which they are read; the last that says something is heard.
const FILES: [&str; 2] = ["/etc/my.cnf", "/etc/mysql/my.cnf"];
const USERS_FILE: &str = ".my.cnf";
/// What every client program heeds, and the one that talks.
const GROUPS: [&str; 5] = ["client", "client-server", "client-mariadb", "mysql", "mariadb-client"];
/// What the program that dumps heeds beside the first three: where people put the password for their backups.
const DUMP_GROUPS: [&str; 2] = ["mysqldump", "mariadb-dump"];
/// An option file is a page at most; what is larger is none.
const FILE_MAX_BYTES: u64 = 1 << 20;
/// How deep files may include others, as the programs have it.
const DEPTH_MAX: usize = 10;

/// An option of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    group: String,
    name: String,
    value: Option<String>,
}

/// What stands around this process.
#[derive(Default)]
pub(super) struct Inherited {
    lines: Vec<Line>,
    variables: Vec<(&'static str, String)>,
}

impl Inherited {
    pub(super) fn of_this_process() -> Result<Self> {
        let users = std::env::home_dir().map(|home| home.join(USERS_FILE));
        let mut lines = Vec::new();
        for path in FILES.iter().map(PathBuf::from).chain(users) {
            read_file(&path, &mut lines, 0);
        }
        let names = ["MYSQL_HOST", "MYSQL_TCP_PORT", "MYSQL_UNIX_PORT", "MYSQL_PWD", "MYSQL_USER", "MYSQL_DATABASE"];
        let variable = |name| Some((name, std::env::var(name).ok().filter(|value| !value.is_empty())?));
        Ok(Inherited { lines, variables: names.into_iter().filter_map(variable).collect() })
    }

    /// The last value of an option in any of these groups.
    fn option(&self, groups: &[&str], name: &str) -> Option<&str> {
        let mut fitting = self.lines.iter().rev().filter(|line| groups.contains(&line.group.as_str()) && line.name == name);
        fitting.find_map(|line| line.value.as_deref())
    }

    fn of_files(&self, name: &str) -> Option<&str> {
        self.option(&GROUPS, name).or_else(|| self.option(&DUMP_GROUPS, name))
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

impl Address {
    pub(super) fn inherit(&mut self, around: Inherited) {
        // What says where the server is belongs together: a socket in a file is not the one of a port in the text.
        let says_port = self.options.contains_key("port");
        let says_socket = self.options.contains_key("socket");
        if !self.options.contains_key("protocol") {
            if says_socket {
                self.options.insert("protocol", "socket".to_owned());
            } else if says_port {
                self.options.insert("protocol", "tcp".to_owned());
            }
        }
        let variables = [("host", "MYSQL_HOST"), ("port", "MYSQL_TCP_PORT"), ("socket", "MYSQL_UNIX_PORT"), ("user", "MYSQL_USER")];
        for (name, option) in PARAMETERS.iter().filter(|(name, option)| name == option) {
            let variable = variables.iter().find(|(of, _)| of == name).and_then(|(_, variable)| around.variable(variable));
            if let Some(value) = around.of_files(name).or(variable)
                && *name != "database"
                && !self.options.contains_key(option)
                && !(*option == "host" && says_socket)
            {
                self.options.insert(option, value.to_owned());
            }
        }
        let password = || around.of_files("password").or_else(|| around.variable("MYSQL_PWD")).map(Secret::new);
        self.password = self.password.take().or_else(password);
        let database = || around.option(&GROUPS, "database").or_else(|| around.variable("MYSQL_DATABASE")).map(str::to_owned);
        self.database = self.database.take().or_else(database);
    }
}

fn read_file(path: &Path, out: &mut Vec<Line>, depth: usize) {
    use std::os::unix::fs::PermissionsExt;
    const OTHERS_MAY_WRITE: u32 = 0o002;
    let Ok(meta) = path.metadata() else { return };
    // As the programs: one that anybody can write is not heard.
    if depth > DEPTH_MAX || !meta.is_file() || meta.len() > FILE_MAX_BYTES || meta.permissions().mode() & OTHERS_MAY_WRITE != 0 {
        return;
    }
    let Ok(bytes) = std::fs::read(path) else { return };
    read_text(&String::from_utf8_lossy(&bytes), out, depth);
}

fn read_text(text: &str, out: &mut Vec<Line>, depth: usize) {
    let mut group = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', ';'])) {
        if let Some(folder) = line.strip_prefix("!includedir") {
            let mut found: Vec<PathBuf> =
                std::fs::read_dir(folder.trim()).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
            found.retain(|path| path.extension().is_some_and(|ending| ending == "cnf"));
            found.sort();
            found.iter().for_each(|path| read_file(path, out, depth + 1));
        } else if let Some(path) = line.strip_prefix("!include") {
            read_file(Path::new(path.trim()), out, depth + 1);
        } else if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            group = name.trim().to_owned();
        } else {
            out.push(option(&group, line));
        }
    }
}

fn option(group: &str, line: &str) -> Line {
    let (name, value) = line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value)));
    let name = name.split('#').next().unwrap_or_default().trim().replace('_', "-").to_ascii_lowercase();
    let name = name.strip_prefix("loose-").unwrap_or(&name).to_owned();
    // A switch is given by its name alone.
    let (name, value) = match (name.strip_prefix("skip-"), name.as_str(), value) {
        (Some(rest @ ("ssl" | "ssl-verify-server-cert")), _, None) => (rest.to_owned(), Some("0".to_owned())),
        (None, "ssl" | "ssl-verify-server-cert", None) => (name, Some("1".to_owned())),
        (_, _, value) => (name.clone(), value.map(read_value)),
    };
    Line { group: group.to_owned(), name, value }
}

/// Without quotes around it and a comment behind it, and with what backslashes stand for.
fn read_value(text: &str) -> String {
    let text = uncommented(text.trim()).trim_end();
    let bare = ['"', '\''].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(text);
    let mut out = String::with_capacity(bare.len());
    let mut chars = bare.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('s') => out.push(' '),
            Some(quote @ ('"' | '\'' | '\\')) => out.push(quote),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

fn uncommented(text: &str) -> &str {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        match (c, quote) {
            _ if is_escaped => is_escaped = false,
            ('\\', Some(_)) => is_escaped = true,
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('#', None) => return &text[..at],
            _ => {}
        }
    }
    text
}

#[cfg(test)]
impl Inherited {
    pub(super) fn of(text: &str, variables: &[(&'static str, &str)]) -> Self {
        let mut lines = Vec::new();
        read_text(text, &mut lines, 0);
        Inherited { lines, variables: variables.iter().map(|(name, value)| (*name, (*value).to_owned())).collect() }
    }
}
