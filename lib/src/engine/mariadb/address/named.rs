//! Whether a text names the same database, in whatever form applications write it. Nothing is connected to.

use std::collections::BTreeMap;

use super::Address;
use super::reach::DEFAULT_PORT;
use crate::engine::named::{self, Machine};
use crate::engine::url::{decode, split_host};

/// The schemes by which libraries know these servers, before any `+DRIVER`.
const SCHEMES: &[&str] = &["mysql", "mariadb", "mysql2", "mysqli", "mysqlx", "mysqls", "trilogy", "ecto", "mysqlgis", "pdo-mysql"];
/// What a connection string calls its parts.
const KEYS: &[(&str, &str)] = &[
    ("host", "host"),
    ("server", "host"),
    ("data source", "host"),
    ("datasource", "host"),
    ("address", "host"),
    ("port", "port"),
    ("dbname", "database"),
    ("database", "database"),
    ("initial catalog", "database"),
    ("socket", "socket"),
    ("unix_socket", "socket"),
    ("unix-socket", "socket"),
    ("socketpath", "socket"),
    ("read_default_file", "file"),
];

/// What a text says of where a database is.
type Said = BTreeMap<&'static str, String>;

impl Address {
    /// Whether `value` names the database `database` at this address: by a URL of any usual scheme, or by a connection
    /// string. User, password and options do not count.
    pub(in crate::engine::mariadb) fn is_named_by(&self, database: &str, value: &str) -> bool {
        let Some(said) = read(value) else { return false };
        said.get("database").is_some_and(|name| name == database) && is_there(&self.machine(), &machines(&said))
    }

    fn machine(&self) -> (Machine, Option<String>) {
        if self.is_by_socket() {
            let socket = self.option("socket");
            return (socket.map_or(Machine::Here, Machine::of), None);
        }
        let port = self.option("port").unwrap_or(DEFAULT_PORT).to_owned();
        (Machine::of(self.option("host").unwrap_or_default()), Some(port))
    }
}

/// Which port a socket's server has beside it cannot be seen from outside.
fn is_there((machine, port): &(Machine, Option<String>), others: &[(Machine, Option<String>)]) -> bool {
    others.iter().any(|(other, at)| machine.is(other) && (port.is_none() || at.is_none() || port == at))
}

/// Each place that a text names; without any it is this machine, by the usual port or socket.
fn machines(said: &Said) -> Vec<(Machine, Option<String>)> {
    if let Some(socket) = said.get("socket") {
        return vec![(Machine::of(socket), None)];
    }
    let common = said.get("port").map_or(DEFAULT_PORT, String::as_str);
    let hosts = said.get("host").map_or("", String::as_str);
    let place = |host: &str| {
        let is_bare = host.starts_with('/') || host.parse::<std::net::Ipv6Addr>().is_ok();
        let (name, port) = if is_bare { (host, "") } else { split_host(host).unwrap_or((host, "")) };
        let machine = Machine::of(name);
        let is_local_without_port = machine == Machine::Here && port.is_empty() && !said.contains_key("port");
        let port = if port.is_empty() { common } else { port };
        (machine, (!is_local_without_port || name != "localhost" && !name.is_empty()).then(|| port.to_owned()))
    };
    hosts.split(',').map(place).collect()
}

/// What a text says, where it is one that names a database of these servers.
fn read(value: &str) -> Option<Said> {
    let value = value.trim().trim_matches(['"', '\'']);
    let text = value.strip_prefix("jdbc:").unwrap_or(value);
    let is_scheme = |scheme: &str| {
        let plain = scheme.split(['+', ':']).next().unwrap_or_default().to_lowercase();
        SCHEMES.contains(&plain.as_str())
    };
    match text.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => {
            // jdbc:mysql:loadbalance://…
            let rest = rest.split_once("//").filter(|(mode, _)| mode.is_empty() || mode.ends_with(':')).map_or(rest, |(_, rest)| rest);
            if rest.len() < text.len() - scheme.len() - 1 { url(rest) } else { words(rest) }
        }
        _ => go(text).or_else(|| words(value)),
    }
}

/// PHP's `mysql:host=…;dbname=…`, or `Server=…;Database=…`.
fn words(text: &str) -> Option<Said> {
    let mut said = Said::new();
    named::words(text)?.iter().for_each(|(key, value)| put(&mut said, key, value));
    said.contains_key("database").then_some(said)
}

fn put(said: &mut Said, key: &str, value: &str) {
    let key = key.trim().to_lowercase();
    if let Some((_, part)) = KEYS.iter().find(|(name, _)| *name == key)
        && !value.is_empty()
    {
        said.insert(part, value.to_owned());
    }
}

/// `user:password@host:port,host:port/database?parameters`, without what stands before the slashes.
fn url(rest: &str) -> Option<Said> {
    let rest = rest.split('#').next().unwrap_or_default();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    // A password may hold a slash that nobody has written as %2F.
    let at = rest.rfind('@').map_or(0, |at| at + 1);
    let (hosts, path) = rest[at..].split_once('/').unwrap_or((&rest[at..], ""));
    let mut said = Said::new();
    put(&mut said, "host", &decode(hosts).ok()?);
    put(&mut said, "database", &decode(path.trim_end_matches('/')).ok()?);
    for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        if let (Ok(key), Ok(value)) = (decode(key), decode(value)) {
            put(&mut said, &key, &value);
        }
    }
    Some(said)
}

/// Go's `user:password@tcp(host:port)/database?parameters`, `user@unix(/path)/database`.
fn go(text: &str) -> Option<Said> {
    let rest = &text[text.rfind('@').map_or(0, |at| at + 1)..];
    let (place, path) = rest.split_once(")/").map_or_else(|| Some((rest.strip_prefix('/').map(|_| "")?, &rest[1..])), Some)?;
    if place.is_empty() && !text.contains('@') {
        return None;
    }
    let mut said = Said::new();
    match place.split_once('(') {
        Some(("tcp" | "tcp6", host)) => put(&mut said, "host", host),
        Some(("unix", socket)) => put(&mut said, "socket", socket),
        Some(_) => return None,
        None if place.is_empty() => {}
        None => return None,
    }
    put(&mut said, "database", &decode(path.split('?').next().unwrap_or_default()).ok()?);
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(ours: &str, value: &str) -> bool {
        let address = Address::read(ours).expect("a URL");
        address.is_named_by(address.database().expect("a name"), value)
    }

    #[test]
    fn every_usual_form_names_the_database() {
        let ours = "mariadb://keeper:one@db.internal:3306/my%20ledger";
        for value in [
            "mysql://app:two@db.internal/my%20ledger",
            "mariadb://DB.internal.:3306/my%20ledger?ssl-mode=REQUIRED&whatever=1",
            "mysql+pymysql://app:p%zz@db.internal/my%20ledger?charset=utf8mb4",
            "mysql2://app:a/b@db.internal/my%20ledger#x",
            "mysql://app@other,db.internal:3306/my%20ledger",
            "jdbc:mysql://db.internal:3306/my%20ledger?user=app&password=two",
            "jdbc:mariadb:sequential://other:1,db.internal:3306/my%20ledger",
            "mysql:host=db.internal;port=3306;dbname=my ledger",
            "Server=db.internal;Port=3306;Database=my ledger;Uid=app;Pwd=a=b",
            "host=db.internal dbname='my ledger' user=app",
            "app:two@tcp(db.internal:3306)/my%20ledger?parseTime=true",
            "\"mysql://db.internal/my%20ledger\"",
        ] {
            assert!(is(ours, value), "{value}");
        }
        for value in [
            "mysql://db.internal/ledger",
            "mysql://db.internal:3307/my%20ledger",
            "mysql://elsewhere/my%20ledger",
            "postgres://db.internal/my%20ledger",
            "app@tcp(db.internal:3307)/my%20ledger",
            "app@udp(db.internal)/my%20ledger",
            "Server=elsewhere;Database=my ledger",
            "https://db.internal/my%20ledger",
            "user=ann",
            "my ledger",
            "/my ledger",
            "=",
            "",
        ] {
            assert!(!is(ours, value), "{value}");
        }
    }

    #[test]
    fn every_name_of_this_machine_is_this_machine() {
        let here = [
            "mariadb://localhost/d",
            "mysql://127.0.0.1:3306/d",
            "mysql://[::1]/d",
            "mysql:///d",
            "mysql://localhost/d?socket=/run/mysqld/mysqld.sock",
            "mysql://localhost/d?unix_socket=/run/mysqld/mysqld.sock",
            "mysql:unix_socket=/run/mysqld/mysqld.sock;dbname=d",
            "app@unix(/run/mysqld/mysqld.sock)/d",
            "app:x@/d",
        ];
        for ours in here.iter().filter(|text| text.contains("://")) {
            for value in here {
                assert!(is(ours, value), "{ours} {value}");
            }
            assert!(!is(ours, "mysql://10.0.0.1/d"), "{ours}");
        }
        assert!(!is("mariadb://localhost/d?socket=/a.sock", "mysql://localhost/d?socket=/b.sock"));
        assert!(!is("mysql://127.0.0.1:3307/d", "mysql://127.0.0.1/d"));
        // The clone has the name of the real one, and a socket of its own.
        let clone = Address::private("/var/tmp/holdfast-scratch-x/mariadb.sock", "root", "d").location("d");
        assert!(!is("mysql://localhost/d", &clone), "{clone}");
        assert!(!is("mysql://127.0.0.1/d", &clone), "{clone}");
    }
}
