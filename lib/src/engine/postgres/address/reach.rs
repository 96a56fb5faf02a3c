//! How a program that is not ours reaches an address: as a URL, and by variables.

use std::collections::BTreeMap;

use super::{Address, PARAMETERS};
use crate::engine::Reach;
use crate::engine::url::encode;

/// The port of a server that was given no other.
pub(super) const DEFAULT_PORT: &str = "5432";
/// What may be inherited although it was meant for another server: it leads nowhere.
const HARMLESS: &[&str] = &["PGOPTIONS", "PGAPPNAME", "PGCONNECT_TIMEOUT"];

impl Address {
    /// For a child program: with the password where this address has one, and with nothing inherited that leads elsewhere.
    pub(in crate::engine::postgres) fn reach(&self) -> Reach {
        // With a service's name in the environment a program that names no database is led to the service's own.
        let address = self.resolved();
        let mut places = BTreeMap::from([("url", address.url(true))]);
        let mut variables = BTreeMap::from([("DATABASE_URL".to_owned(), Some(address.url(true)))]);
        let host = address.value("PGHOST").or_else(|| address.value("PGHOSTADDR"));
        let port = address.value("PGPORT").unwrap_or_else(|| DEFAULT_PORT.to_owned());
        for (place, variable, value) in [
            ("host", "PGHOST", host),
            ("port", "PGPORT", Some(port)),
            ("user", "PGUSER", address.user()),
            ("database", "PGDATABASE", address.database()),
        ] {
            if let Some(value) = value {
                places.insert(place, value.clone());
                variables.insert(variable.to_owned(), Some(value));
            }
        }
        for (_, variable) in PARAMETERS {
            let value = address.vars.get(variable).cloned();
            let leads_elsewhere = match *variable {
                "PGSERVICE" | "PGSERVICEFILE" => true,
                "PGHOSTADDR" => address.vars.contains_key("PGHOST"),
                "PGPASSFILE" => address.password.is_some() || address.is_private,
                _ => address.is_private && !HARMLESS.contains(variable),
            };
            if (value.is_some() || leads_elsewhere) && !variables.contains_key(*variable) {
                variables.insert((*variable).to_owned(), value);
            }
        }
        if address.password.is_some() || address.is_private {
            variables.insert("PGPASSWORD".to_owned(), address.password.as_ref().map(|password| password.expose().to_owned()));
        }
        Reach { places, variables }
    }

    /// For a person to paste: `psql` gets the password where it got ours.
    pub(in crate::engine::postgres) fn url_without_password(&self) -> String {
        self.resolved().url(false)
    }

    /// `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?…`; a socket's folder stands behind the question mark, where every
    /// library reads it.
    pub(super) fn url(&self, with_password: bool) -> String {
        let database = encode(&self.database().unwrap_or_default());
        if let Some(service) = self.service() {
            // One that this machine's files do not have: a directory server's, or a file's that only libpq finds.
            return format!("postgresql:///{database}?service={}", encode(&service));
        }
        let password = self.password.as_ref().filter(|_| with_password).map(|password| format!(":{}", encode(password.expose())));
        let user = self.user().map(|user| format!("{}{}@", encode(&user), password.unwrap_or_default())).unwrap_or_default();
        let hosts = self.value("PGHOST").unwrap_or_default();
        let ports = self.value("PGPORT");
        let is_socket = hosts.starts_with(['/', '@']);
        let (place, mut query) = if is_socket || hosts.is_empty() {
            let port = ports.or_else(|| is_socket.then(|| DEFAULT_PORT.to_owned()));
            let parts = [("host", Some(hosts).filter(|hosts| !hosts.is_empty())), ("port", port)];
            (String::new(), parts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect::<Vec<_>>())
        } else {
            (self.hosts_and_ports(), Vec::new())
        };
        let placed = ["PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGAPPNAME"];
        let others = PARAMETERS.iter().filter(|(_, variable)| !placed.contains(variable));
        query.extend(others.filter_map(|(name, variable)| Some((*name, self.vars.get(variable)?.clone()))));
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("postgresql://{user}{place}/{database}{mark}{}", query.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_server_is_reached_by_its_socket_and_nothing_else() {
        let reach = Address::private("/var/tmp/hold fast", "postgres", "my db").reach();
        let url = "postgresql://postgres@/my%20db?host=%2Fvar%2Ftmp%2Fhold%20fast&port=5432";
        let expected = [("database", "my db"), ("host", "/var/tmp/hold fast"), ("port", "5432"), ("url", url), ("user", "postgres")];
        assert_eq!(reach.places, expected.map(|(place, value)| (place, value.to_owned())).into());
        for (name, value) in
            [("DATABASE_URL", url), ("PGHOST", "/var/tmp/hold fast"), ("PGPORT", "5432"), ("PGUSER", "postgres"), ("PGDATABASE", "my db")]
        {
            assert_eq!(reach.variables[name].as_deref(), Some(value));
        }
        for name in ["PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR", "PGPASSWORD", "PGPASSFILE", "PGSSLMODE", "PGREQUIREAUTH"] {
            assert_eq!(reach.variables.get(name), Some(&None), "{name}");
        }
        assert!(!reach.variables.contains_key("PGOPTIONS"));
    }

    #[test]
    fn a_server_of_the_users_is_reached_by_its_own_url_with_the_password() {
        let address = Address::parse("postgres://ann:p%2Fw-canary@db.internal:5433/x?sslmode=require", None).expect("a URL");
        let reach = address.with_database("scratch").reach();
        assert_eq!(reach.places["url"], "postgresql://ann:p%2Fw-canary@db.internal:5433/scratch?sslmode=require");
        assert_eq!(reach.variables["PGPASSWORD"].as_deref(), Some("p/w-canary"));
        assert_eq!(reach.variables["PGSSLMODE"].as_deref(), Some("require"));
        for name in ["PGSERVICE", "PGHOSTADDR", "PGPASSFILE"] {
            assert_eq!(reach.variables.get(name), Some(&None), "{name}");
        }
        assert!(!address.url(false).contains("canary"));
        // Where we were let in by what is inherited, so is the child.
        let reach = Address::parse("postgres://ann@db.internal/x", None).expect("a URL").reach();
        assert!(!reach.variables.contains_key("PGPASSWORD") && !reach.variables.contains_key("PGPASSFILE"));
        assert_eq!(reach.places["port"], "5432");
    }
}
