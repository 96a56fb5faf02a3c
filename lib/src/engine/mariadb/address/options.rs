//! From what an address says to the arguments of a client program, and to the file that only it reads.

use std::collections::BTreeMap;

use crate::engine::mariadb::programs::{Flavour, Program, Tool};
use crate::secret::Secret;

/// The option file with the password, as the programs read it.
pub(super) fn file(password: &Secret) -> String {
    format!("[client]\npassword=\"{}\"\n", quoted(password.expose()))
}

fn quoted(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' => out.push_str("\\\""),
            other => out.push(other),
        }
        out
    })
}

/// Everything but the password.
pub(super) fn arguments(options: &BTreeMap<&'static str, String>, program: &Program) -> Vec<String> {
    let mut out = Vec::new();
    for (name, value) in options {
        match (*name, program.flavour) {
            ("ssl" | "ssl-mode" | "ssl-verify-server-cert", _) => {}
            // Only the client knows it, and the session is the first that connects.
            ("connect-timeout", _) if program.tool != Tool::Client => {}
            (name, _) => out.push(format!("--{name}={value}")),
        }
    }
    out.extend(encryption(options, program.flavour));
    out
}

/// How the two families say whether a connection is encrypted, and whether the server must prove who it is.
fn encryption(options: &BTreeMap<&'static str, String>, flavour: Flavour) -> Vec<String> {
    let said = |name: &str| options.get(name).map(|value| is_on(value));
    let mode = options.get("ssl-mode").map(|mode| mode.to_ascii_uppercase().replace('-', "_"));
    let mode = mode.as_deref().map(|mode| match mode {
        "DISABLE" => "DISABLED",
        "PREFER" | "ALLOW" => "PREFERRED",
        "REQUIRE" => "REQUIRED",
        "VERIFY_FULL" => "VERIFY_IDENTITY",
        other => other,
    });
    let mode = mode.map(str::to_owned).or_else(|| match (said("ssl"), said("ssl-verify-server-cert")) {
        (Some(false), _) => Some("DISABLED".to_owned()),
        (_, Some(true)) => Some("VERIFY_IDENTITY".to_owned()),
        (Some(true), _) => Some("REQUIRED".to_owned()),
        _ => None,
    });
    let mut out = match (flavour, mode) {
        (_, None) => Vec::new(),
        (Flavour::Mysql, Some(mode)) => vec![format!("--ssl-mode={mode}")],
        (Flavour::Mariadb, Some(mode)) => match mode.as_str() {
            "DISABLED" => vec!["--skip-ssl".to_owned()],
            // Newer ones do it unasked, and older ones know no way between.
            "PREFERRED" => Vec::new(),
            "REQUIRED" => vec!["--ssl".to_owned()],
            _ => vec!["--ssl".to_owned(), "--ssl-verify-server-cert".to_owned()],
        },
    };
    if flavour == Flavour::Mariadb && said("ssl-verify-server-cert") == Some(false) {
        out.push("--skip-ssl-verify-server-cert".to_owned());
    }
    out
}

fn is_on(value: &str) -> bool {
    !matches!(value.to_ascii_lowercase().as_str(), "0" | "false" | "off" | "no")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(flavour: Flavour, options: &[(&'static str, &str)]) -> Vec<String> {
        let options = options.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let program = Program { path: "/x".into(), tool: Tool::Dump, flavour, version: 0, text: String::new() };
        arguments(&options, &program)
    }

    #[test]
    fn each_family_gets_encryption_in_its_own_words() {
        assert_eq!(args(Flavour::Mysql, &[("ssl", "1"), ("host", "h")]), ["--host=h", "--ssl-mode=REQUIRED"]);
        assert_eq!(args(Flavour::Mariadb, &[("ssl-mode", "REQUIRED")]), ["--ssl"]);
        assert_eq!(args(Flavour::Mariadb, &[("ssl-mode", "verify-full")]), ["--ssl", "--ssl-verify-server-cert"]);
        assert_eq!(args(Flavour::Mysql, &[("ssl-verify-server-cert", "1")]), ["--ssl-mode=VERIFY_IDENTITY"]);
        assert_eq!(args(Flavour::Mariadb, &[("ssl", "off")]), ["--skip-ssl"]);
        assert_eq!(args(Flavour::Mariadb, &[("ssl-mode", "PREFERRED"), ("connect-timeout", "3")]), Vec::<String>::new());
    }

    #[test]
    fn a_password_is_written_as_the_programs_read_it() {
        assert_eq!(file(&Secret::new("a\"b\\c#d e")), "[client]\npassword=\"a\\\"b\\\\c#d e\"\n");
    }
}
