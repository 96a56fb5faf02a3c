//! Whether a text names the same database, in whatever form applications write it. Nothing is connected to.

use std::collections::BTreeMap;

use super::reach::DEFAULT_PORT;
use super::{Address, decode, split_host};
use crate::engine::named::{self, Machine};

/// The schemes by which libraries know PostgreSQL, before any `+DRIVER`.
const SCHEMES: &[&str] = &["postgres", "postgresql", "postgis", "pgsql", "psql", "ecto", "timescale", "timescaledb", "timescalegis"];
/// What a connection string calls its parts, and what we call them.
const KEYS: &[(&str, &str)] = &[
    ("host", "PGHOST"),
    ("server", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("database", "PGDATABASE"),
    ("user", "PGUSER"),
    ("username", "PGUSER"),
    ("user id", "PGUSER"),
    ("service", "PGSERVICE"),
    ("servicefile", "PGSERVICEFILE"),
];

impl Address {
    /// Whether `value` names the database `database` at this address: by a URL of any usual scheme, or by a connection
    /// string. User, password and options do not count.
    pub(in crate::engine::postgres) fn is_named_by(&self, database: &str, value: &str) -> bool {
        let Some(other) = read(value).map(|address| address.resolved()) else { return false };
        let others = other.machines();
        other.database().as_deref() == Some(database)
            && self.resolved().machines().iter().any(|(machine, port)| others.iter().any(|(other, at)| port == at && machine.is(other)))
    }

    fn machines(&self) -> Vec<(Machine, String)> {
        let list = |variable| self.value(variable).map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>()).unwrap_or_default();
        // An address in the environment belongs to a host in the environment.
        let addresses = if self.vars.contains_key("PGHOST") && !self.vars.contains_key("PGHOSTADDR") { vec![] } else { list("PGHOSTADDR") };
        let (hosts, ports) = (list("PGHOST"), list("PGPORT"));
        let port = |index: usize| {
            let port = ports.get(index).or(ports.first()).filter(|port| !port.is_empty());
            port.map_or_else(|| DEFAULT_PORT.to_owned(), Clone::clone)
        };
        let both = hosts.iter().enumerate().chain(addresses.iter().enumerate());
        let mut machines: Vec<_> = both.map(|(index, host)| (Machine::of(host), port(index))).collect();
        if machines.is_empty() {
            machines.push((Machine::Here, port(0)));
        }
        machines
    }
}

/// The address in a text, where there is one.
fn read(value: &str) -> Option<Address> {
    let value = value.trim().trim_matches(['"', '\'']);
    let text = value.strip_prefix("jdbc:").unwrap_or(value);
    let is_scheme = |scheme: &str| SCHEMES.contains(&scheme.split('+').next().unwrap_or_default().to_lowercase().as_str());
    let vars = match text.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => match rest.strip_prefix("//") {
            Some(rest) => url(rest)?,
            // PHP's pgsql:host=…;dbname=…, and Java's jdbc:postgresql:DATABASE
            None if rest.split('?').next().is_some_and(|rest| rest.contains('=')) => words(rest)?,
            None => url(&format!("/{}", rest.trim_start_matches('/')))?,
        },
        _ => {
            let vars = words(value)?;
            let says_enough = ["PGHOST", "PGHOSTADDR", "PGDATABASE", "PGSERVICE"].iter().any(|name| vars.contains_key(name));
            says_enough.then_some(vars)?
        }
    };
    Some(Address { vars, password: None, is_private: false })
}

type Vars = BTreeMap<&'static str, String>;

fn put(vars: &mut Vars, key: &str, value: &str) {
    let key = key.trim().to_lowercase();
    if let Some((_, variable)) = KEYS.iter().find(|(name, _)| *name == key)
        && !value.is_empty()
    {
        vars.insert(variable, value.to_owned());
    }
}

/// `user:password@host:port,host:port/database?parameters`, without what stands before the slashes.
fn url(rest: &str) -> Option<Vars> {
    let rest = rest.split('#').next().unwrap_or_default();
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    let mut vars = Vars::new();
    put(&mut vars, "user", &decode(user.split(':').next()?).ok()?);
    put(&mut vars, "dbname", &decode(path.trim_end_matches('/')).ok()?);
    put_hosts(&mut vars, hosts.split(','))?;
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter_map(|(key, value)| Some((decode(key).ok()?, decode(value).ok()?)))
        .collect();
    for (key, value) in pairs.iter().filter(|(key, _)| key != "host") {
        put(&mut vars, key, value);
    }
    // SQLAlchemy gives several hosts in several parameters, each with its port.
    let hosts: Vec<&str> = pairs.iter().filter(|(key, _)| key == "host").flat_map(|(_, value)| value.split(',')).collect();
    if !hosts.is_empty() {
        put_hosts(&mut vars, hosts.into_iter())?;
    }
    Some(vars)
}

fn put_hosts<'a>(vars: &mut Vars, hosts: impl Iterator<Item = &'a str>) -> Option<()> {
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts {
        let (name, port) = match host {
            path if path.starts_with(['/', '@']) => (path, ""),
            address if address.parse::<std::net::Ipv6Addr>().is_ok() => (address, ""),
            other => split_host(other).ok()?,
        };
        names.push(decode(name).ok()?);
        ports.push(port);
    }
    put(vars, "host", &names.join(","));
    if ports.iter().any(|port| !port.is_empty()) {
        put(vars, "port", &ports.join(","));
    }
    Some(())
}

/// `host=… dbname='…'` as libpq writes it, or `Host=…;Database=…`.
fn words(text: &str) -> Option<Vars> {
    let mut vars = Vars::new();
    for (key, value) in named::words(text)? {
        put(&mut vars, &key, &value);
    }
    Some(vars)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(ours: &str, value: &str) -> bool {
        let address = Address::parse(ours, None).expect("a URL");
        address.is_named_by(&address.database().expect("a name"), value)
    }

    #[test]
    fn every_usual_form_names_the_database() {
        let ours = "postgres://keeper:one@db.internal:5432/my%20ledger";
        for value in [
            "postgres://app:two@db.internal/my%20ledger",
            "postgresql://DB.internal.:5432/my%20ledger?sslmode=require&whatever=1",
            "postgresql+psycopg2://app:p%zz@db.internal/my%20ledger",
            "postgis://app@db.internal/my%20ledger#x",
            "postgres://app@other,db.internal:5432/my%20ledger",
            "jdbc:postgresql://db.internal:5432/my%20ledger?user=app&password=two",
            "host=db.internal dbname='my ledger' user=app",
            "dbname = 'my ledger'   host = db.internal port=5432",
            "pgsql:host=db.internal;port=5432;dbname=my ledger",
            "Host=db.internal;Port=5432;Database=my ledger;User Id=app;Password=a=b",
            "\"postgres://db.internal/my%20ledger\"",
        ] {
            assert!(is(ours, value), "{value}");
        }
        for value in [
            "postgres://db.internal/ledger",
            "postgres://db.internal:5433/my%20ledger",
            "postgres://elsewhere/my%20ledger",
            "mysql://db.internal/my%20ledger",
            "host=elsewhere dbname='my ledger'",
            "dbname='my ledger",
            "https://db.internal/my%20ledger",
            "user=ann",
            "my ledger",
            "a=b c",
            "=",
            "",
        ] {
            assert!(!is(ours, value), "{value}");
        }
    }

    #[test]
    fn every_name_of_this_machine_is_this_machine() {
        let here = [
            "postgres://localhost/d",
            "postgres://127.0.0.1:5432/d",
            "postgres://[::1]/d",
            "postgres:///d",
            "postgres:///d?host=/tmp",
            "postgresql+asyncpg:///d?host=localhost:5432",
            "jdbc:postgresql:d",
            "host=/tmp dbname=d",
        ];
        for ours in here.iter().filter(|text| text.starts_with("postgres:")) {
            for value in here {
                assert!(is(ours, value), "{ours} {value}");
            }
            assert!(!is(ours, "postgres://10.0.0.1/d"), "{ours}");
        }
        assert!(!is("postgres:///d?host=/tmp", "postgres:///d?host=/var"));
        assert!(is("postgres://[::ffff:10.0.0.1]/d", "postgres://10.0.0.1/d"));
        // The clone has the name and the port of the real one.
        let clone = Address::private("/var/tmp/holdfast-scratch-x", "postgres", "d").url(true);
        assert!(!is("postgres://localhost/d", &clone), "{clone}");
    }
}
