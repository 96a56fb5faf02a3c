//! How a program that is not ours reaches an address: as a URL, and by variables.

use std::collections::BTreeMap;

use super::Address;
use crate::engine::Reach;

/// The port of a server that was given no other.
const DEFAULT_PORT: &str = "3306";

impl Address {
    /// For a child program: with the password where this address has one, and with nothing inherited that leads elsewhere.
    pub(in crate::engine::mariadb) fn reach(&self) -> Reach {
        let database = self.database().unwrap_or_default().to_owned();
        let url = self.url_of(&database, true);
        let is_by_socket = self.is_by_socket();
        let host = self.option("host").unwrap_or("localhost").to_owned();
        let port = (!is_by_socket).then(|| self.option("port").unwrap_or(DEFAULT_PORT).to_owned());
        let socket = self.option("socket").filter(|_| is_by_socket).map(str::to_owned);
        let password = self.password.as_ref().map(|password| password.expose().to_owned());
        let mut places = BTreeMap::from([("url", url.clone()), ("host", host.clone()), ("database", database.clone())]);
        places.extend(
            [("port", port.clone()), ("socket", socket.clone()), ("user", self.user())]
                .into_iter()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        // The first four are heeded by the client programs and their library, the others by applications and containers.
        let variables = [
            ("MYSQL_HOST", Some(host)),
            ("MYSQL_TCP_PORT", port.clone()),
            ("MYSQL_UNIX_PORT", socket),
            ("MYSQL_PWD", password.clone()),
            ("MYSQL_PORT", port),
            ("MYSQL_USER", self.user()),
            ("MYSQL_PASSWORD", password),
            ("MYSQL_DATABASE", Some(database)),
            ("DATABASE_URL", Some(url)),
        ];
        Reach { places, variables: variables.map(|(name, value)| (name.to_owned(), value)).into() }
    }

    /// For a person to paste: how the client program is called for this database, without any password.
    pub(in crate::engine::mariadb) fn client_words(&self) -> Vec<String> {
        let words = self.options.iter().map(|(name, value)| format!("--{name}={value}"));
        let ours = self.is_private.then(|| "--no-defaults".to_owned());
        ["mariadb".to_owned()].into_iter().chain(ours).chain(words).chain(self.database.clone()).collect()
    }
}
