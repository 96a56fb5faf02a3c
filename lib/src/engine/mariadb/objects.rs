//! What stands around the tables of a database: views, routines, triggers and events. No statement renames them, so a swap takes
//! their text, as the dump program writes it, and makes them anew. And the sequences that give columns values: a default keeps the
//! database in which it found them, and is set anew.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::catalog::{self, Server};
use super::place::Place;
use super::programs::Flavour;
use super::session::Session;
use super::text::Scanner;
use super::text::split::Event;
use super::text::statement::{self, Statement};
use super::{dump, load, sql};
use crate::engine::Content;
use crate::error::{Error, Result};

/// The text of all of them, the dumps in two: a view may need a function, and a routine finds what it needs when it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Objects {
    #[serde(default)]
    defaults: String,
    programs: String,
    views: String,
}

/// What the server otherwise holds against a table that is changed: that it keeps its history, that another column's default is a
/// zero date.
const PERMISSIVE: &str = "SET SESSION sql_mode = '', SESSION system_versioning_alter_history = 'KEEP';\n";

#[derive(Deserialize)]
struct Row {
    name: String,
}

impl Objects {
    /// Those of the place's database.
    pub(super) fn read(place: &Place, session: &mut Session, database: &str) -> Result<Self> {
        let programs = ["--no-data", "--no-create-info", "--routines", "--events", "--triggers", "--add-drop-trigger"];
        let place = place.with_database(database);
        // The dump programs stop at a view of what is not there any more, and nobody could make it anew.
        let mut own = place.session()?;
        let server = catalog::server(&mut own)?;
        let relations = catalog::relations(&mut own, &server)?;
        let broken: Vec<&String> = relations.iter().filter(|relation| relation.is_broken_view()).map(|relation| &relation.name).collect();
        let mut views = names(session, "views", "table_name", "table_schema", database)?;
        views.retain(|view| !broken.contains(&view));
        let without: Vec<String> = broken.iter().map(|view| format!("--ignore-table={database}.{view}")).collect();
        let programs: Vec<&str> = programs.into_iter().chain(without.iter().map(String::as_str)).collect();
        Ok(Objects {
            defaults: defaults(&mut own, &server)?,
            programs: dump::text(&place, &programs, &[])?,
            views: if views.is_empty() { String::new() } else { dump::text(&place, &["--no-data", "--skip-triggers"], &views)? },
        })
    }

    /// Makes them in a database that has their tables. What is there under their names goes; of a routine, what is granted on it stays
    /// where the server can replace one.
    pub(super) fn make(&self, place: &Place, database: &str) -> Result<()> {
        let place = place.with_database(database);
        let replaces = catalog::server(&mut place.session()?)?.flavour() == Flavour::Mariadb;
        for text in [&self.defaults, &self.programs, &self.views].into_iter().filter(|text| !text.is_empty()) {
            match replaces {
                true => load::load_over(&place, &mut text.as_bytes())?,
                false => load::load(&place, Content::MariadbSql, &mut text.as_bytes(), |_| Ok(()))?,
            }
        }
        Ok(())
    }

    /// The functions and procedures among them, by kind and name.
    fn routines(&self) -> BTreeSet<(String, String)> {
        let mut routines = BTreeSet::new();
        Scanner::of_structure().write_past(self.programs.as_bytes(), |event, variables| {
            if let Event::Statement(text) = event
                && let (Statement::Create { class, name, .. }, _) = statement::read(text, variables.has_escapes())
                && class.is_routine()
            {
                routines.insert((class.word().to_uppercase(), name.to_lowercase()));
            }
        });
        routines
    }

    /// With these events as they were before they were put to sleep.
    pub(super) fn with_awake(mut self, events: &BTreeSet<String>) -> Self {
        self.programs = load::with_events_awake(&self.programs, events);
        self
    }
}

/// The statements that set the defaults which take values from a sequence of the same database, wherever they are run: those of a table
/// at once, since none of them can be opened while one leads nowhere. Their text is the table's: the list of columns loses characters.
fn defaults(session: &mut Session, server: &Server) -> Result<String> {
    if server.flavour() != Flavour::Mariadb {
        return Ok(String::new());
    }
    let tables: Vec<Row> = session.rows(&format!(
        "SELECT DISTINCT {} FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) \
         WHERE {} AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND c.column_default LIKE '%val(%' ORDER BY 1",
        sql::json(&[("name", "t.table_name")]),
        catalog::in_this(server, "t.table_schema")
    ))?;
    let mut out = String::new();
    for Row { name } in tables {
        let shown = session.text(&format!("SHOW CREATE TABLE {}", sql::ident(&name)))?;
        let text = shown.strip_prefix(&name).unwrap_or(&shown);
        let changes: Vec<String> = statement::defaults(text.as_bytes())
            .into_iter()
            .filter_map(|(column, default)| {
                let own = statement::with_sequences_at_home(default, &server.database, true);
                let change = || format!("ALTER COLUMN {} SET DEFAULT ({})", sql::ident(&column), String::from_utf8_lossy(&own));
                (own != default).then(change)
            })
            .collect();
        if !changes.is_empty() {
            out += &format!("ALTER TABLE {} {};\n", sql::ident(&name), changes.join(", "));
        }
    }
    Ok(if out.is_empty() { out } else { format!("{PERMISSIVE}{out}") })
}

/// The statements that remove what would act while tables are moved, or hinder that.
pub(super) fn without_triggers_and_events(session: &mut Session, database: &str) -> Result<Vec<String>> {
    let events = names(session, "events", "event_name", "event_schema", database)?;
    let triggers = names(session, "triggers", "trigger_name", "trigger_schema", database)?;
    let drop = |kind: &str, name: &String| format!("DROP {kind} IF EXISTS {}.{}", sql::ident(database), sql::ident(name));
    Ok(events.iter().map(|name| drop("EVENT", name)).chain(triggers.iter().map(|name| drop("TRIGGER", name))).collect())
}

/// The statements that remove all that is no table, but for routines of which these have others to take their place.
pub(super) fn without_any(session: &mut Session, database: &str, but_for: &Objects) -> Result<Vec<String>> {
    let replaced = but_for.routines();
    let mut out = without_triggers_and_events(session, database)?;
    for view in names(session, "views", "table_name", "table_schema", database)? {
        out.push(format!("DROP VIEW IF EXISTS {}.{}", sql::ident(database), sql::ident(&view)));
    }
    #[derive(Deserialize)]
    struct Routine {
        name: String,
        kind: String,
    }
    let query = format!(
        "SELECT {} FROM information_schema.routines WHERE routine_schema = {}",
        sql::json(&[("name", "routine_name"), ("kind", "routine_type")]),
        sql::literal(database)
    );
    for Routine { name, kind } in session.rows(&query)? {
        if replaced.contains(&(kind.clone(), name.to_lowercase())) {
            continue;
        }
        let routine = format!("{}.{}", sql::ident(database), sql::ident(&name));
        match kind.as_str() {
            // Only one of its modes knows them; a body goes with its package.
            "PACKAGE" => {
                out.push(format!("SET SESSION sql_mode = 'ORACLE';\nDROP PACKAGE IF EXISTS {routine};\nSET SESSION sql_mode = ''"));
                continue;
            }
            "PACKAGE BODY" => continue,
            _ => {}
        }
        if !kind.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b' ') {
            return Err(Error::failed(format!("{name} is of a kind that is not known: {kind}")));
        }
        out.push(format!("DROP {kind} IF EXISTS {routine}"));
    }
    Ok(out)
}

/// Names in one of the server's lists.
fn names(session: &mut Session, list: &str, column: &str, of: &str, database: &str) -> Result<Vec<String>> {
    let query = format!(
        "SELECT {} FROM information_schema.{list} WHERE {of} = {} ORDER BY {column}",
        sql::json(&[("name", column)]),
        sql::literal(database)
    );
    Ok(session.rows(&query)?.into_iter().map(|Row { name }| name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_that_was_put_to_sleep_is_awake_again_and_no_other() {
        let event = |name: &str, state: &str| {
            format!(
                "/*!50106 CREATE*/ /*!50117 DEFINER=`a`@`%`*/ /*!50106 EVENT {name} ON SCHEDULE EVERY '1:2' MINUTE_SECOND STARTS '2020-01-01' \
                 ON COMPLETION NOT PRESERVE {state} COMMENT 'PRESERVE DISABLE' DO select ' EVENT `d` ON SCHEDULE PRESERVE DISABLE ' */;;\n"
            )
        };
        let text =
            |events: [(&str, &str); 4]| format!("DELIMITER ;;\n{}DELIMITER ;\n", events.map(|(name, state)| event(name, state)).concat());
        let odd = "`n PRESERVE ENABLE ``m`";
        let programs = text([("`a`", "DISABLE"), ("`b``c`", "DISABLE"), (odd, "DISABLE"), ("`d`", "DISABLE")]);
        let events = ["b`c", "d", "gone", "n PRESERVE ENABLE `m"].map(str::to_owned).into();
        let objects = Objects { programs, ..Objects::default() }.with_awake(&events);
        assert_eq!(objects.programs, text([("`a`", "DISABLE"), ("`b``c`", "ENABLE"), (odd, "ENABLE"), ("`d`", "ENABLE")]));
    }
}
