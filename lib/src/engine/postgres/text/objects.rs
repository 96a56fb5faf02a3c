//! A schema-only dump, object by object.

use std::collections::BTreeMap;

use super::cut_short;
use super::quotes::Quotes;
use super::schema::{Line, Schema as Lines};
use crate::engine::postgres::sql;
use crate::error::Result;
use crate::schema::Schema;

/// Types of object of more than one word, as a comment's or a grant's heading names what it is on.
const LONG_TYPES: &[&str] = &[
    "ACCESS METHOD",
    "EVENT TRIGGER",
    "FOREIGN DATA WRAPPER",
    "FOREIGN SERVER",
    "FOREIGN TABLE",
    "MATERIALIZED VIEW",
    "OPERATOR CLASS",
    "OPERATOR FAMILY",
    "TEXT SEARCH CONFIGURATION",
    "TEXT SEARCH DICTIONARY",
    "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE",
];

/// Splits the text of `pg_dump --schema-only` at its own headings, `-- Name: …; Type: …; Schema: …; Owner: …`.
///
/// What belongs to one object and is made by a statement of its own (a constraint, a default, a grant, a comment) is an
/// object of its own. Settings, which stand wherever the one before them changes, are left out.
#[derive(Default)]
pub struct Objects {
    quotes: Quotes,
    lines: Lines,
    name: Option<String>,
    text: Vec<u8>,
    // Several may have one name: default privileges of two owners.
    found: BTreeMap<String, Vec<String>>,
    has_trailer: bool,
}

impl Objects {
    /// Takes the next line, with its newline.
    pub fn line(&mut self, line: &[u8]) {
        let began_plain = self.quotes.is_plain();
        match self.lines.classify(line, began_plain) {
            Line::Comment => {
                self.has_trailer |= line.trim_ascii_end() == b"-- PostgreSQL database dump complete";
                if let Some(name) = heading(line) {
                    self.end_object();
                    self.name = Some(name);
                }
                return;
            }
            Line::Setting => return,
            _ if began_plain && line.starts_with(b"\\") => return,
            _ => {}
        }
        self.quotes.feed(line);
        self.text.extend_from_slice(line);
    }

    fn end_object(&mut self) {
        let text = std::mem::take(&mut self.text);
        let text = text.trim_ascii();
        if let Some(name) = self.name.take()
            && !text.is_empty()
        {
            self.found.entry(name).or_default().push(sql::decode(text.to_vec()));
        }
    }

    /// Every object; an error where the text is not whole.
    pub fn finish(mut self) -> Result<Schema> {
        self.end_object();
        if !self.has_trailer {
            return Err(cut_short("its last line, \"PostgreSQL database dump complete\", is missing"));
        }
        let joined = |mut texts: Vec<String>| {
            texts.sort_unstable();
            texts.join("\n\n")
        };
        Ok(Schema(self.found.into_iter().map(|(name, texts)| (name, joined(texts))).collect()))
    }
}

/// `table public.account` of `-- Name: account; Type: TABLE; Schema: public; Owner: ann`.
fn heading(line: &[u8]) -> Option<String> {
    let line = sql::decode(line.strip_prefix(b"-- Name: ")?.trim_ascii_end().to_vec());
    // The name is the only part that may hold anything, so the others are read from the end.
    let (rest, _owner) = line.rsplit_once("; Owner: ")?;
    let (rest, schema) = rest.rsplit_once("; Schema: ")?;
    let (name, kind) = rest.rsplit_once("; Type: ")?;
    let schema = Some(schema).filter(|schema| *schema != "-");
    Some(match kind {
        "COMMENT" => format!("comment on {}", on(name, schema)),
        "ACL" => format!("grants on {}", on(name, schema)),
        "SECURITY LABEL" => format!("security label on {}", on(name, schema)),
        "DEFAULT ACL" => {
            let place = schema.map(|schema| format!(" in {schema}")).unwrap_or_default();
            format!("default privileges for {}{place}", name.trim_start_matches("DEFAULT PRIVILEGES FOR ").to_lowercase())
        }
        _ => named(kind, name, schema),
    })
}

/// What a comment or a grant is on: its heading's name begins with the type.
fn on(name: &str, schema: Option<&str>) -> String {
    let long = LONG_TYPES.iter().find_map(|kind| name.strip_prefix(kind)?.strip_prefix(' ').map(|rest| (*kind, rest)));
    match long.or_else(|| name.split_once(' ')) {
        Some((kind, name)) => named(kind, name, schema),
        None => named("", name, schema),
    }
}

fn named(kind: &str, name: &str, schema: Option<&str>) -> String {
    let is_plain_name = matches!(kind, "TABLE" | "VIEW" | "MATERIALIZED VIEW" | "FOREIGN TABLE" | "SEQUENCE" | "INDEX" | "TYPE" | "DOMAIN");
    let name = match schema {
        // As fingerprints name tables.
        Some(schema) if is_plain_name => sql::table_name(schema, name),
        Some(schema) => format!("{schema}.{name}"),
        None => name.to_owned(),
    };
    format!("{} {name}", kind.to_lowercase()).trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Result<Schema> {
        let mut objects = Objects::default();
        text.split_inclusive('\n').for_each(|line| objects.line(line.as_bytes()));
        objects.finish()
    }

    #[test]
    fn every_object_has_its_own_text_and_nothing_volatile() {
        let heading = |line: &str| format!("--\n-- Name: {line}\n--\n\n");
        let body = "CREATE FUNCTION public.f() RETURNS text\n    AS $$\n--\n-- Name: no; Type: TABLE; Schema: public; Owner: x\n--\nSET x = 1;\n$$;\n";
        let text = [
            "--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\nSET statement_timeout = 0;\n\n",
            &heading("f(); Type: FUNCTION; Schema: public; Owner: ann"),
            body,
            "\n\nSET default_tablespace = '';\n\n",
            &heading("odd; Type: x; Type: TABLE; Schema: public; Owner: ann; Tablespace: fast"),
            "CREATE TABLE public.\"odd; Type: x\" (a integer);\n\n\n",
            &heading("public; Type: SCHEMA; Schema: -; Owner: ann"),
            "-- *not* creating schema, since initdb creates it\n\n\n",
            &heading("COLUMN account.id; Type: COMMENT; Schema: public; Owner: ann"),
            "COMMENT ON COLUMN public.account.id IS 'one\n-- Name: two; Type: TABLE; Schema: public; Owner: -\n';\n\n",
            &heading("MATERIALIZED VIEW totals; Type: ACL; Schema: public; Owner: ann"),
            "GRANT ALL;\n\n",
            "--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n\n",
        ]
        .concat();
        let schema = split(&text).expect("a whole dump").0;
        let names: Vec<&str> = schema.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "comment on column public.account.id",
                "function public.f()",
                "grants on materialized view public.totals",
                "table public.\"odd; Type: x\"",
            ]
        );
        assert_eq!(schema["function public.f()"], body.trim_end());
        assert!(schema["comment on column public.account.id"].ends_with("Owner: -\n';"));
        assert!(split(&text.replace("dump complete", "dump")).is_err());
    }

    #[test]
    fn default_privileges_of_two_owners_do_not_depend_on_their_order() {
        let one = |owner: &str| {
            format!(
                "-- Name: DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: app; Owner: {owner}\n\nALTER DEFAULT PRIVILEGES FOR ROLE {owner};\n\n"
            )
        };
        let end = "-- PostgreSQL database dump complete\n";
        let schema = split(&format!("{}{}{end}", one("bob"), one("ann"))).expect("whole");
        assert_eq!(schema, split(&format!("{}{}{end}", one("ann"), one("bob"))).expect("whole"));
        let text = &schema.0["default privileges for tables in app"];
        assert_eq!(text, "ALTER DEFAULT PRIVILEGES FOR ROLE ann;\n\nALTER DEFAULT PRIVILEGES FOR ROLE bob;");
    }
}
