//! Where a server and a database are: from the text of a source to the environment of a child program.

mod named;
mod reach;
mod service;

use std::collections::BTreeMap;

use super::sql;
use crate::engine::url::{self, encode};
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::secret::Secret;

/// The parameters a URL may carry, and the variable that hands each to libpq. What has no variable cannot be handed over
/// without an argument list.
const PARAMETERS: &[(&str, &str)] = &[
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("passfile", "PGPASSFILE"),
    ("service", "PGSERVICE"),
    ("servicefile", "PGSERVICEFILE"),
    ("options", "PGOPTIONS"),
    ("application_name", "PGAPPNAME"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslcompression", "PGSSLCOMPRESSION"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslcertmode", "PGSSLCERTMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslsni", "PGSSLSNI"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    ("requirepeer", "PGREQUIREPEER"),
    ("require_auth", "PGREQUIREAUTH"),
    ("gssencmode", "PGGSSENCMODE"),
    ("krbsrvname", "PGKRBSRVNAME"),
    ("gsslib", "PGGSSLIB"),
    ("gssdelegation", "PGGSSDELEGATION"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
];

/// How to reach one database. What the text does not name is inherited from the environment, as for `psql`.
#[derive(Debug, Clone)]
pub(super) struct Address {
    vars: BTreeMap<&'static str, String>,
    password: Option<Secret>,
    /// Whether nothing at all is inherited.
    is_private: bool,
}

impl Address {
    /// Reads `postgres://user:password@host:port/database?parameter=value`, `postgres:?service=…`, `postgres:`.
    pub(super) fn parse(text: &str, password: Option<Secret>) -> Result<Self> {
        let mut address = Address { vars: BTreeMap::new(), password: None, is_private: false };
        let rest = text
            .strip_prefix("postgresql:")
            .or_else(|| text.strip_prefix("postgres:"))
            .ok_or_else(|| bad("it does not begin with postgres:"))?;
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        match rest.strip_prefix("//") {
            Some(rest) => address.authority_and_path(rest)?,
            None if rest.is_empty() => {}
            None => return Err(bad("after the scheme comes // or ?")),
        }
        for pair in query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').ok_or_else(|| bad("a parameter has no ="))?;
            address.parameter(&decode(name)?, decode(value)?)?;
        }
        address.password = password.or(address.password);
        address.check()?;
        Ok(address)
    }

    /// A database on a private server: its socket's folder, nothing inherited that could lead elsewhere.
    pub(super) fn private(socket_folder: &str, user: &str, database: &str) -> Self {
        let vars = [("PGHOST", socket_folder), ("PGPORT", "5432"), ("PGUSER", user), ("PGDATABASE", database)];
        Address { vars: vars.map(|(name, value)| (name, value.to_owned())).into(), password: None, is_private: true }
    }

    fn authority_and_path(&mut self, rest: &str) -> Result<()> {
        let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, path)| (authority, path));
        let (user, hosts) = authority.rsplit_once('@').map_or(("", authority), |(user, hosts)| (user, hosts));
        let (user, password) = user.split_once(':').map_or((user, ""), |(user, password)| (user, password));
        if !password.is_empty() {
            self.password = Some(Secret::new(decode(password)?));
        }
        self.set("PGUSER", decode(user)?)?;
        self.set("PGDATABASE", decode(path)?)?;
        if hosts.is_empty() {
            return Ok(());
        }
        let mut names = Vec::new();
        let mut ports = Vec::new();
        for host in hosts.split(',') {
            let (name, port) = split_host(host)?;
            names.push(decode(name)?);
            if !port.is_empty() && port.parse::<u16>().is_err() {
                return Err(bad("a port is no number"));
            }
            ports.push(port.to_owned());
        }
        self.set("PGHOST", names.join(","))?;
        if ports.iter().any(|port| !port.is_empty()) {
            self.set("PGPORT", ports.join(","))?;
        }
        Ok(())
    }

    fn parameter(&mut self, name: &str, value: String) -> Result<()> {
        if name == "password" {
            self.password = Some(Secret::new(value));
            return Ok(());
        }
        if name == "ssl" && value == "true" {
            return self.set("PGSSLMODE", "require".into());
        }
        match PARAMETERS.iter().find(|(parameter, _)| *parameter == name) {
            Some((_, variable)) => self.set(variable, value),
            None => {
                let nearest = PARAMETERS
                    .iter()
                    .map(|(known, _)| *known)
                    .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
                Err(Error::config(format!("the PostgreSQL URL has a parameter {name:?}, which cannot be used here"))
                    .hint(format!("did you mean {}? others belong into a service (pg_service.conf)", nearest.unwrap_or("service"))))
            }
        }
    }

    /// An empty value is no value, as in libpq.
    fn set(&mut self, variable: &'static str, value: String) -> Result<()> {
        if value.contains('\0') {
            return Err(bad("it holds a zero byte"));
        }
        if !value.is_empty() {
            self.vars.insert(variable, value);
        }
        Ok(())
    }

    /// libpq lets a service's own values win over variables, so beside a service a URL can only choose the database.
    fn check(&self) -> Result<()> {
        let beside: Vec<&str> =
            ["PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER"].into_iter().filter(|name| self.vars.contains_key(name)).collect();
        if self.vars.contains_key("PGSERVICE") && !beside.is_empty() {
            return Err(Error::config("the PostgreSQL URL names a service, and also a host, port or user")
                .hint("put them into the service (pg_service.conf), or leave the service out"));
        }
        Ok(())
    }

    /// The same server, another database.
    pub(super) fn with_database(&self, database: &str) -> Self {
        let mut other = self.clone();
        other.vars.insert("PGDATABASE", database.to_owned());
        other
    }

    /// The same database, as another user.
    pub(super) fn with_user(&self, user: &str) -> Self {
        let mut other = self.clone();
        other.vars.insert("PGUSER", user.to_owned());
        other
    }

    /// A call of `program` that will find this server and database.
    pub(super) fn call(&self, program: impl Into<std::path::PathBuf>) -> Call {
        let mut call = Call::new(program).env("PGAPPNAME", format!("holdfast-{}", std::process::id()));
        if self.names_a_place() && self.service().is_none() {
            // A service in the environment would win over what the text says.
            call = call.without_env("PGSERVICE");
        }
        if self.vars.contains_key("PGHOST") && !self.vars.contains_key("PGHOSTADDR") {
            call = call.without_env("PGHOSTADDR");
        }
        if self.is_private {
            call = PARAMETERS
                .iter()
                .filter(|(_, name)| !self.vars.contains_key(name) && *name != "PGAPPNAME")
                .fold(call, |call, (_, name)| call.without_env(*name));
        }
        for (name, value) in &self.vars {
            call = call.env(*name, value);
        }
        // Text is dumped and compared in the database's own encoding.
        call = call.without_env("PGCLIENTENCODING").without_env("PGDATESTYLE").without_env("PGTZ");
        match &self.password {
            Some(password) => call.secret_env("PGPASSWORD", password),
            None => call,
        }
    }

    /// The `-d` that a service makes necessary, since its database would win over `PGDATABASE`.
    pub(super) fn database_arg(&self) -> Option<String> {
        (self.service().is_some())
            .then(|| self.vars.get("PGDATABASE"))
            .flatten()
            .map(|database| format!("--dbname={}", sql::conninfo(database)))
    }

    fn names_a_place(&self) -> bool {
        ["PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE"].iter().any(|name| self.vars.contains_key(name))
    }

    fn service(&self) -> Option<String> {
        match self.vars.get("PGSERVICE") {
            Some(service) => Some(service.clone()),
            // `with_database` adds a database to an address that takes all from the environment.
            None if self.vars.keys().all(|name| *name == "PGDATABASE") => inherited("PGSERVICE"),
            None => None,
        }
    }

    fn value(&self, name: &'static str) -> Option<String> {
        self.vars.get(name).cloned().or_else(|| if self.is_private { None } else { inherited(name) })
    }

    /// Options for the server that every program of this environment sends.
    pub(super) fn inherited_options() -> String {
        inherited("PGOPTIONS").unwrap_or_default()
    }

    /// The name by which every program of this environment makes itself known to the server.
    pub(super) fn inherited_application() -> String {
        inherited("PGAPPNAME").unwrap_or_default()
    }

    /// Options for the server that are set already, to which others may be added.
    pub(super) fn options(&self) -> String {
        self.value("PGOPTIONS").unwrap_or_default()
    }

    /// The database's name, as far as it is known without asking the server.
    pub(super) fn database(&self) -> Option<String> {
        match (self.vars.get("PGDATABASE"), self.service()) {
            (Some(name), _) => Some(name.clone()),
            (None, Some(_)) => None,
            (None, None) => inherited("PGDATABASE").or_else(|| self.user()),
        }
    }

    /// The database that its service names, as far as the service files of this machine say.
    pub(super) fn services_database(&self) -> Option<String> {
        self.resolved().vars.get("PGDATABASE").cloned()
    }

    fn user(&self) -> Option<String> {
        self.value("PGUSER").or_else(|| nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|user| user.name))
    }

    /// `host:port,host:port`, as far as they are known.
    fn hosts_and_ports(&self) -> String {
        let hosts = self.value("PGHOST").or_else(|| self.value("PGHOSTADDR")).unwrap_or_default();
        let ports = self.value("PGPORT").unwrap_or_default();
        let mut ports = ports.split(',');
        let first_port = ports.next().unwrap_or_default().to_owned();
        let places: Vec<String> = hosts
            .split(',')
            .enumerate()
            .map(|(index, host)| {
                let port = if index == 0 { first_port.as_str() } else { ports.next().unwrap_or(&first_port) };
                let host = if host.contains(':') { format!("[{host}]") } else { encode(host) };
                if port.is_empty() { host } else { format!("{host}:{port}") }
            })
            .collect();
        places.join(",")
    }

    /// Where it is, without any secret; `database` is its real name.
    pub(super) fn location(&self, database: &str) -> String {
        if let Some(service) = self.service() {
            return format!("postgres:///{}?service={}", encode(database), encode(&service));
        }
        let places = self.hosts_and_ports();
        let user = self.user().map(|user| format!("{}@", encode(&user))).unwrap_or_default();
        format!("postgres://{user}{places}/{}", encode(database))
    }
}

fn inherited(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn split_host(host: &str) -> Result<(&str, &str)> {
    url::split_host(host).map_err(bad)
}

fn bad(why: &str) -> Error {
    Error::config(format!("not a PostgreSQL URL: {why}"))
        .hint("write postgres://USER@HOST:PORT/DATABASE; a special character in a part is written as %XX")
}

fn decode(text: &str) -> Result<String> {
    url::decode(text).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(text: &str) -> Vec<(&'static str, String)> {
        Address::parse(text, None).expect("a URL").vars.into_iter().collect()
    }

    #[test]
    fn every_form_of_url_is_read() {
        assert_eq!(vars("postgres:"), []);
        assert_eq!(vars("postgresql://"), []);
        assert_eq!(vars("postgres:///ledger"), [("PGDATABASE", "ledger".to_owned())]);
        assert_eq!(vars("postgres:?service=ledger"), [("PGSERVICE", "ledger".to_owned())]);
        let full = Address::parse("postgres://a%40b:p%2Fw-secret@[::1]:5433/my%20db?sslmode=require", None).expect("a URL");
        assert_eq!(full.password, Some(Secret::new("p/w-secret")));
        assert_eq!(full.location("my db"), "postgres://a%40b@[::1]:5433/my%20db");
        assert_eq!(vars("postgres://h1:1,h2/d"), [("PGDATABASE", "d".into()), ("PGHOST", "h1,h2".into()), ("PGPORT", "1,".into())]);
        let socket = Address::parse("postgres://u@%2Frun%2Fpg:5433/d", None).expect("a URL").location("d");
        assert_eq!(socket, "postgres://u@%2Frun%2Fpg:5433/d");
        assert_eq!(
            vars("postgres://u@/d?host=/run/pg"),
            [("PGDATABASE", "d".into()), ("PGHOST", "/run/pg".into()), ("PGUSER", "u".into())]
        );
    }

    #[test]
    fn a_bad_url_says_what_is_bad_and_shows_no_password() {
        for text in
            ["postgres:x", "postgres://h:port/d", "postgres://u:topsecret@h/%zz", "postgres://[::1/d", "postgres:?a", "postgres:///d%00"]
        {
            let error = Address::parse(text, None).expect_err(text);
            assert_eq!(error.kind(), crate::error::Kind::Config);
            assert!(!error.to_string().contains("topsecret"), "{error}");
        }
        let error = Address::parse("postgres:?sslmod=x", None).expect_err("a slip");
        assert!(error.next_step().is_some_and(|hint| hint.contains("sslmode")), "{error:?}");
        assert!(Address::parse("postgres://h/d?service=x", None).is_err());
    }
}
