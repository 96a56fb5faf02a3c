//! Services: what `pg_service.conf` says of where a server is.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Address, PARAMETERS, inherited};
use crate::secret::Secret;

/// Where the packagers keep the machine's own service file, beside what `PGSYSCONFDIR` says.
const SYSTEM_FOLDERS: &[&str] = &["/etc/postgresql-common", "/etc", "/etc/sysconfig/pgsql", "/usr/local/etc", "/opt/homebrew/etc"];
/// A service file is a few lines; what is larger is none.
const FILE_MAX_BYTES: u64 = 1 << 20;

impl Address {
    /// The same place with its service's values in place of the service's name; as it is where it has none, or where the
    /// service cannot be found.
    pub(super) fn resolved(&self) -> Address {
        let Some(name) = self.service() else { return self.clone() };
        let file = self.vars.get("PGSERVICEFILE").cloned().or_else(|| inherited("PGSERVICEFILE"));
        let Some(values) = files(file).iter().find_map(|text| section(text, &name)) else { return self.clone() };
        let mut vars = BTreeMap::new();
        let mut password = self.password.clone();
        for (key, value) in values {
            if key == "password" {
                password = password.or_else(|| Some(Secret::new(value)));
            } else if let Some((_, variable)) = PARAMETERS.iter().find(|(parameter, _)| *parameter == key) {
                vars.entry(*variable).or_insert(value);
            }
        }
        let own = self.vars.iter().filter(|(name, _)| !matches!(**name, "PGSERVICE" | "PGSERVICEFILE"));
        vars.extend(own.map(|(name, value)| (*name, value.clone())));
        Address { vars, password, is_private: false }
    }
}

/// The texts of the files that may hold services: the user's first, as libpq reads them.
fn files(named: Option<String>) -> Vec<String> {
    let users = named.map(PathBuf::from).or_else(|| Some(std::env::home_dir()?.join(".pg_service.conf")));
    let system = match inherited("PGSYSCONFDIR") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => SYSTEM_FOLDERS.iter().map(PathBuf::from).collect(),
    };
    users
        .into_iter()
        .chain(system.into_iter().map(|folder| folder.join("pg_service.conf")))
        .filter(|path| path.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= FILE_MAX_BYTES))
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .collect()
}

fn section(text: &str, name: &str) -> Option<Vec<(String, String)>> {
    let heading = format!("[{name}]");
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.find(|line| *line == heading)?;
    let values = lines.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split_once('='));
    Some(values.map(|(key, value)| (key.to_owned(), value.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_read_and_its_values_stand_in_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("services");
        let text = "# ours\n[other]\nhost=wrong\n\n[books]\nhost=db.internal\n port=5433\ndbname=ledger\nuser=ann\npassword=hidden-4711\n\n[last]\n";
        std::fs::write(&file, text).expect("a file");
        let open = |text: &str| Address::parse(&format!("{text}&servicefile={}", file.display()), None).expect("a URL").resolved();
        let resolved = open("postgres:?service=books");
        let expected = [("PGDATABASE", "ledger"), ("PGHOST", "db.internal"), ("PGPORT", "5433"), ("PGUSER", "ann")];
        assert_eq!(resolved.vars, expected.map(|(name, value)| (name, value.to_owned())).into());
        assert_eq!(resolved.password, Some(Secret::new("hidden-4711")));
        assert_eq!(open("postgres:///more?service=books").vars["PGDATABASE"], "more");
        assert!(open("postgres:?service=unknown").vars.contains_key("PGSERVICE"));
    }
}
