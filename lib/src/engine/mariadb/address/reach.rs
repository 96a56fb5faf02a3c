//! How a program that is not ours reaches an address: as a URL, and by variables.

use std::collections::BTreeMap;
use std::path::Path;

use super::Address;
use crate::engine::Reach;
use crate::shell;

/// The port of a server that was given no other.
pub(super) const DEFAULT_PORT: &str = "3306";

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
        // On many machines a file names the socket, and wins over the variables; one that these lead to wins over that.
        let folder =
            self.option("socket").filter(|_| self.is_private).and_then(|socket| Some(Path::new(socket).parent()?.display().to_string()));
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
            ("MYSQL_HOME", folder.clone()),
            ("MARIADB_HOME", folder),
        ];
        Reach { places, variables: variables.map(|(name, value)| (name.to_owned(), value)).into() }
    }

    /// For a person to paste: how the client program is called for this database, without any password.
    pub(in crate::engine::mariadb) fn client_command(&self) -> String {
        let way = self.way();
        let words = way.iter().map(|(name, value)| format!("--{name}={value}"));
        let ours = self.is_private.then(|| "--no-defaults".to_owned());
        let words: Vec<String> = ["mariadb".to_owned()].into_iter().chain(ours).chain(words).chain(self.database.clone()).collect();
        words.iter().map(|word| shell::word(word)).collect::<Vec<_>>().join(" ")
    }

    /// The URL for others to see.
    pub(in crate::engine::mariadb) fn url_without_password(&self) -> String {
        self.url_of(self.database().unwrap_or_default(), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_server_is_reached_by_its_socket_and_nothing_else() {
        let reach = Address::private("/var/tmp/hold fast/s", "root", "my db").reach();
        let url = "mariadb://root@localhost/my%20db?socket=%2Fvar%2Ftmp%2Fhold%20fast%2Fs";
        let expected = [("database", "my db"), ("host", "localhost"), ("socket", "/var/tmp/hold fast/s"), ("url", url), ("user", "root")];
        assert_eq!(reach.places, expected.map(|(place, value)| (place, value.to_owned())).into());
        assert_eq!(reach.variables["DATABASE_URL"].as_deref(), Some(url));
        assert_eq!(reach.variables["MYSQL_UNIX_PORT"].as_deref(), Some("/var/tmp/hold fast/s"));
        for name in ["MYSQL_PWD", "MYSQL_PASSWORD", "MYSQL_TCP_PORT", "MYSQL_PORT"] {
            assert_eq!(reach.variables[name], None, "{name}");
        }
    }

    #[test]
    fn a_server_of_the_users_is_reached_by_its_own_url_with_the_password() {
        let address = Address::read("mysql://ann:p%2Fw-canary@db.internal:3307/x?socket=/s").expect("a URL");
        let reach = address.with_database("scratch").reach();
        assert_eq!(reach.places["url"], "mysql://ann:p%2Fw-canary@db.internal:3307/scratch");
        assert_eq!(reach.variables["MYSQL_PWD"].as_deref(), Some("p/w-canary"));
        assert_eq!(reach.variables["MYSQL_UNIX_PORT"], None);
        assert!(!address.url_without_password().contains("canary"));
    }
}
