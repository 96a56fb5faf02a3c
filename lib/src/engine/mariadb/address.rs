//! Where a server and a database are: from the text of a source to the arguments of a client program.

mod inherited;
mod named;
mod options;
mod reach;

use std::collections::BTreeMap;

use super::programs::{Flavour, Program};
use crate::engine::url::{self, encode};
use crate::error::{Error, Result};
use crate::exec::Call;
use crate::secret::Secret;
use inherited::Inherited;

/// The schemes of a source's text.
const SCHEMES: [&str; 2] = ["mariadb", "mysql"];
/// What a URL may say beside host, user and database: by the client programs' own names, and by what libraries call it.
const PARAMETERS: &[(&str, &str)] = &[
    ("host", "host"),
    ("port", "port"),
    ("user", "user"),
    ("database", "database"),
    ("socket", "socket"),
    ("unix-socket", "socket"),
    ("protocol", "protocol"),
    ("ssl", "ssl"),
    ("ssl-mode", "ssl-mode"),
    ("sslmode", "ssl-mode"),
    ("ssl-ca", "ssl-ca"),
    ("sslrootcert", "ssl-ca"),
    ("ssl-capath", "ssl-capath"),
    ("ssl-cert", "ssl-cert"),
    ("sslcert", "ssl-cert"),
    ("ssl-key", "ssl-key"),
    ("sslkey", "ssl-key"),
    ("ssl-cipher", "ssl-cipher"),
    ("ssl-crl", "ssl-crl"),
    ("ssl-crlpath", "ssl-crlpath"),
    ("ssl-verify-server-cert", "ssl-verify-server-cert"),
    ("tls-version", "tls-version"),
    ("default-auth", "default-auth"),
    ("plugin-dir", "plugin-dir"),
    ("connect-timeout", "connect-timeout"),
];
/// Parameters for libraries, which a client program that speaks utf8mb4 has no use for.
const FOR_LIBRARIES: [&str; 3] = ["charset", "collation", "charset-collation"];
/// Variables that a client program heeds. What they say is in its arguments already, or was not to be heard.
const VARIABLES: [&str; 6] = ["MYSQL_HOST", "MYSQL_TCP_PORT", "MYSQL_UNIX_PORT", "MYSQL_PWD", "MYSQL_GROUP_SUFFIX", "MARIADB_GROUP_SUFFIX"];
/// Where MySQL's programs are told to look for their obfuscated passwords where they must find none.
const NO_LOGIN_FILE: &str = "/nonexistent/holdfast";

/// How to reach one database. What the text does not name comes from where the client programs have it.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// By the names of the client programs' options.
    options: BTreeMap<&'static str, String>,
    database: Option<String>,
    password: Option<Secret>,
    /// What the scheme says the server is, for as long as nobody has asked it.
    scheme: Flavour,
    /// Whether nothing at all is inherited.
    is_private: bool,
}

impl Address {
    /// Reads `mariadb://user:password@host:port/database?parameter=value`, `mysql:?socket=…`, `mariadb:`. A password given
    /// here wins over one in the text, and that over an inherited one.
    pub(super) fn parse(text: &str, password: Option<Secret>) -> Result<Self> {
        let mut address = Self::read(text)?;
        address.password = password.or(address.password);
        address.inherit(Inherited::of_this_process()?);
        Ok(address)
    }

    /// What the text alone says.
    fn read(text: &str) -> Result<Self> {
        let (scheme, rest) =
            text.split_once(':').filter(|(scheme, _)| SCHEMES.contains(scheme)).ok_or_else(|| bad("it does not begin with mariadb:"))?;
        let scheme = if scheme == "mysql" { Flavour::Mysql } else { Flavour::Mariadb };
        let mut address = Address { options: BTreeMap::new(), database: None, password: None, scheme, is_private: false };
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
        Ok(address)
    }

    /// A database on a private server: its socket, nothing inherited that could lead elsewhere.
    pub(super) fn private(socket: &str, user: &str, database: &str) -> Self {
        let options = [("socket", socket), ("protocol", "socket"), ("user", user)];
        Address {
            options: options.map(|(name, value)| (name, value.to_owned())).into(),
            database: Some(database.to_owned()).filter(|name| !name.is_empty()),
            password: None,
            scheme: Flavour::Mariadb,
            is_private: true,
        }
    }

    fn authority_and_path(&mut self, rest: &str) -> Result<()> {
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        if !password.is_empty() {
            self.password = Some(Secret::new(decode(password)?));
        }
        if host.contains(',') {
            return Err(bad("it names several hosts, and a backup is made of one"));
        }
        let (name, port) = url::split_host(host).map_err(bad)?;
        self.set("user", decode(user)?)?;
        self.set("host", decode(name)?)?;
        self.set("port", port.to_owned())?;
        self.set("database", decode(path)?)
    }

    fn parameter(&mut self, name: &str, value: String) -> Result<()> {
        let plain = name.to_ascii_lowercase().replace('_', "-");
        if plain == "password" {
            self.password = Some(Secret::new(value));
            return Ok(());
        }
        if FOR_LIBRARIES.contains(&plain.as_str()) {
            return Ok(());
        }
        match PARAMETERS.iter().find(|(parameter, _)| *parameter == plain) {
            Some((_, option)) => self.set(option, value),
            None => {
                let nearest = PARAMETERS
                    .iter()
                    .map(|(known, _)| *known)
                    .max_by(|a, b| strsim::jaro_winkler(a, &plain).total_cmp(&strsim::jaro_winkler(b, &plain)));
                Err(Error::config(format!("the URL has a parameter {name:?}, which cannot be used here"))
                    .hint(format!("did you mean {}? others belong into an option file (~/.my.cnf)", nearest.unwrap_or("socket"))))
            }
        }
    }

    /// An empty value is no value.
    fn set(&mut self, option: &'static str, value: String) -> Result<()> {
        if value.contains(['\0', '\n']) {
            return Err(bad("it holds a zero byte or a line break"));
        }
        if option == "port" && !value.is_empty() && value.parse::<u16>().is_err() {
            return Err(bad("a port is no number"));
        }
        if value.is_empty() {
            return Ok(());
        }
        match option {
            "database" => self.database = Some(value),
            _ => {
                self.options.insert(option, value);
            }
        }
        Ok(())
    }

    /// The same server, another database.
    pub(super) fn with_database(&self, database: &str) -> Self {
        Address { database: Some(database.to_owned()), ..self.clone() }
    }

    /// The same server, and no database.
    pub(super) fn without_database(&self) -> Self {
        Address { database: None, ..self.clone() }
    }

    /// The same database, as another user.
    pub(super) fn with_user(&self, user: &str) -> Self {
        let mut other = self.clone();
        other.options.insert("user", user.to_owned());
        other
    }

    /// The database's name.
    pub(super) fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    /// What the server is taken for until it has been asked.
    pub(super) fn scheme(&self) -> Flavour {
        self.scheme
    }

    /// A call of `program` that will find this server. It reads no option file but ours: one that limits what is dumped, or
    /// changes what an answer looks like, is meant for people.
    pub(super) fn call(&self, program: &Program) -> Result<Call> {
        let call = Call::new(&program.path);
        let call = match &self.password {
            Some(password) => call.secret_file("--defaults-file=", &options::file(password))?,
            None => call.arg("--no-defaults"),
        };
        let call = VARIABLES.iter().fold(call.args(options::arguments(&self.way(), program)), |call, name| call.without_env(name));
        // MySQL's programs read this one last and whatever they are told.
        let knows_all = self.password.is_some() || self.is_private;
        Ok(if knows_all { call.env("MYSQL_TEST_LOGIN_FILE", NO_LOGIN_FILE) } else { call })
    }

    /// The options of the one way by which the server is reached: a program that is given a socket takes it whatever host
    /// it is given beside, and one that is given a port takes that.
    fn way(&self) -> BTreeMap<&'static str, String> {
        let (of_the_other, protocol) = if self.is_by_socket() { ("port", "socket") } else { ("socket", "tcp") };
        let mut way = self.options.clone();
        way.remove(of_the_other);
        way.insert("protocol", protocol.to_owned());
        way
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// The user by whose name we connect: without one the programs take that of the system's user.
    pub(super) fn user(&self) -> Option<String> {
        let of_system = || nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|user| user.name);
        self.option("user").map(str::to_owned).or_else(of_system)
    }

    /// Whether it is reached by a socket in the file system.
    fn is_by_socket(&self) -> bool {
        match self.option("protocol").map(str::to_ascii_lowercase).as_deref() {
            Some("tcp") => false,
            Some("socket") => true,
            _ => self.option("host").is_none_or(|host| host == "localhost"),
        }
    }

    /// Where it is, without any secret; `database` is its real name.
    pub(super) fn location(&self, database: &str) -> String {
        self.url_of(database, false)
    }

    /// `mariadb://USER:PASSWORD@HOST:PORT/DATABASE?socket=…`.
    fn url_of(&self, database: &str, with_password: bool) -> String {
        let password = self.password.as_ref().filter(|_| with_password).map(|password| format!(":{}", encode(password.expose())));
        let user = self.user().map(|user| format!("{}{}@", encode(&user), password.unwrap_or_default())).unwrap_or_default();
        let host = self.option("host").unwrap_or("localhost");
        let host = if host.contains(':') { format!("[{host}]") } else { encode(host) };
        let is_by_socket = self.is_by_socket();
        let port = self.option("port").filter(|_| !is_by_socket).map(|port| format!(":{port}")).unwrap_or_default();
        let socket = self.option("socket").filter(|_| is_by_socket).map(|socket| format!("?socket={}", encode(socket)));
        format!("{}://{user}{host}{port}/{}{}", self.scheme.scheme(), encode(database), socket.unwrap_or_default())
    }
}

fn bad(why: &str) -> Error {
    Error::config(format!("not a URL of MariaDB or MySQL: {why}"))
        .hint("write mariadb://USER@HOST:PORT/DATABASE, or mariadb://USER@localhost/DATABASE?socket=PATH; a special character in a part is written as %XX")
}

fn decode(text: &str) -> Result<String> {
    url::decode(text).map_err(bad)
}

#[cfg(test)]
mod tests;
