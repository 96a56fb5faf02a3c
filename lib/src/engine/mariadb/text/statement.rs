//! What a statement of a dump does.

use std::ops::Range;

use super::tokens::{Token, Tokens, list, without_versions};

/// The kinds of object that a database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine::mariadb) enum Class {
    Table,
    View,
    Sequence,
    Trigger,
    Function,
    Procedure,
    Package,
    PackageBody,
    Event,
}

impl Class {
    /// Whether grants can be about a single one of them.
    pub(in crate::engine::mariadb) fn is_routine(self) -> bool {
        matches!(self, Class::Function | Class::Procedure)
    }

    /// Its name before an object's own.
    pub(in crate::engine::mariadb) fn word(self) -> &'static str {
        match self {
            Class::Table => "table",
            Class::View => "view",
            Class::Sequence => "sequence",
            Class::Trigger => "trigger",
            Class::Function => "function",
            Class::Procedure => "procedure",
            Class::Package => "package",
            Class::PackageBody => "package body",
            Class::Event => "event",
        }
    }

    /// The kind under which a fingerprint counts it; tables stand there one by one.
    pub(in crate::engine::mariadb) fn counted_as(self) -> Option<&'static str> {
        match self {
            Class::Table => None,
            Class::View => Some("views"),
            Class::Sequence => Some("sequences"),
            Class::Trigger => Some("triggers"),
            Class::Function | Class::Procedure | Class::Package | Class::PackageBody => Some("routines"),
            Class::Event => Some("events"),
        }
    }

    /// Whether a table and this cannot have the same name.
    pub(super) fn is_relation(self) -> bool {
        matches!(self, Class::Table | Class::View | Class::Sequence)
    }
}

/// An account as `DEFINER` names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::engine::mariadb) struct Account {
    /// The user's name.
    pub(in crate::engine::mariadb) user: String,
    /// Where it comes from; empty for a role.
    pub(in crate::engine::mariadb) host: String,
}

/// What a statement does, as far as it matters for the state that a dump holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::engine::mariadb) enum Statement {
    /// It makes an object.
    Create { class: Class, name: String, definer: Option<Account> },
    /// It drops what may be there.
    Drop { class: Class, names: Vec<String> },
    /// `DO SETVAL(name, value, …)`
    SetValue { name: String, value: i64 },
    /// It makes, drops or changes a database as a whole, and which.
    Database { verb: Verb, name: Option<String> },
    /// It does something for the load alone: variables, locks, keys off and on.
    Passing,
    /// It holds nothing.
    Empty,
    /// Something of somebody's own.
    Other,
}

/// What is done with a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine::mariadb) enum Verb {
    /// `CREATE DATABASE`
    Create,
    /// `DROP DATABASE`
    Drop,
    /// `ALTER DATABASE`: its character set, changed for the routines that follow, and back.
    Alter,
    /// `USE`
    Use,
}

/// What a statement does, and its text without the marks of versioned comments.
pub(in crate::engine::mariadb) fn read(text: &[u8], escapes: bool) -> (Statement, Vec<u8>) {
    let plain = without_versions(text, escapes);
    let statement = of(&mut Tokens::new(&plain, escapes)).unwrap_or(Statement::Other);
    (if plain.is_empty() { Statement::Empty } else { statement }, plain)
}

fn of(tokens: &mut Tokens<'_>) -> Option<Statement> {
    let Token::Word(verb) = tokens.next()? else { return None };
    Some(match verb.to_ascii_uppercase().as_slice() {
        b"CREATE" => return create(tokens),
        b"DROP" => return drop_of(tokens),
        b"USE" => Statement::Database { verb: Verb::Use, name: tokens.name() },
        b"ALTER" if is_database(tokens) => {
            // ALTER DATABASE CHARACTER SET … is about the present one.
            let is_named = !["CHARACTER", "CHARSET", "COLLATE", "DEFAULT", "COMMENT"]
                .iter()
                .any(|word| tokens.peek().is_some_and(|token| token.is_word(word)));
            Statement::Database { verb: Verb::Alter, name: if is_named { tokens.name() } else { None } }
        }
        b"ALTER" => {
            let is_keys = tokens.take_word("TABLE")
                && tokens.qualified().is_some()
                && (tokens.take_word("DISABLE") || tokens.take_word("ENABLE"))
                && tokens.take_word("KEYS");
            if is_keys { Statement::Passing } else { Statement::Other }
        }
        b"DO" => return set_value(tokens),
        b"SET" | b"LOCK" | b"UNLOCK" | b"COMMIT" | b"BEGIN" | b"START" | b"INSERT" | b"REPLACE" => Statement::Passing,
        _ => Statement::Other,
    })
}

fn is_database(tokens: &mut Tokens<'_>) -> bool {
    tokens.take_word("DATABASE") || tokens.take_word("SCHEMA")
}

/// Past `IF NOT EXISTS`, `IF EXISTS`.
fn skip_if(tokens: &mut Tokens<'_>) {
    if tokens.take_word("IF") {
        tokens.take_word("NOT");
        tokens.take_word("EXISTS");
    }
}

fn class(tokens: &mut Tokens<'_>) -> Option<Class> {
    let simple = [
        ("TABLE", Class::Table),
        ("VIEW", Class::View),
        ("SEQUENCE", Class::Sequence),
        ("TRIGGER", Class::Trigger),
        ("FUNCTION", Class::Function),
        ("PROCEDURE", Class::Procedure),
        ("EVENT", Class::Event),
    ];
    if let Some((_, class)) = simple.iter().find(|(word, _)| tokens.take_word(word)) {
        return Some(*class);
    }
    tokens.take_word("PACKAGE").then(|| if tokens.take_word("BODY") { Class::PackageBody } else { Class::Package })
}

/// `OR REPLACE`, `ALGORITHM = …`, `DEFINER = …`, `SQL SECURITY DEFINER`, `TEMPORARY`, `AGGREGATE` stand before what is made.
const WORDS_MAX: usize = 16;

fn create(tokens: &mut Tokens<'_>) -> Option<Statement> {
    let mut definer = None;
    for _ in 0..WORDS_MAX {
        if is_database(tokens) {
            skip_if(tokens);
            return Some(Statement::Database { verb: Verb::Create, name: tokens.name() });
        }
        if let Some(class) = class(tokens) {
            skip_if(tokens);
            let (_, name) = tokens.qualified()?;
            return Some(Statement::Create { class, name, definer });
        }
        if tokens.take_word("DEFINER") {
            // SQL SECURITY DEFINER names nobody.
            if !tokens.take_symbol(b'=') {
                continue;
            }
            let user = tokens.name()?;
            let host = if tokens.take_symbol(b'@') { tokens.name()? } else { String::new() };
            definer = Some(Account { user, host });
        } else {
            tokens.next()?;
        }
    }
    None
}

fn drop_of(tokens: &mut Tokens<'_>) -> Option<Statement> {
    if is_database(tokens) {
        skip_if(tokens);
        return Some(Statement::Database { verb: Verb::Drop, name: tokens.name() });
    }
    tokens.take_word("TEMPORARY");
    let class = class(tokens)?;
    skip_if(tokens);
    let mut names = vec![tokens.qualified()?.1];
    while tokens.take_symbol(b',') {
        names.push(tokens.qualified()?.1);
    }
    Some(Statement::Drop { class, names })
}

fn set_value(tokens: &mut Tokens<'_>) -> Option<Statement> {
    if !tokens.take_word("SETVAL") || !tokens.take_symbol(b'(') {
        return None;
    }
    let (_, name) = tokens.qualified()?;
    if !tokens.take_symbol(b',') {
        return None;
    }
    let sign = if tokens.take_symbol(b'-') { "-" } else { "" };
    let Token::Word(digits) = tokens.next()? else { return None };
    let value = format!("{sign}{}", String::from_utf8_lossy(digits)).parse().ok()?;
    Some(Statement::SetValue { name, value })
}

/// An `ALTER DATABASE` about another database than the one it names.
pub(in crate::engine::mariadb) fn alter_another(plain: &[u8], escapes: bool, quoted_name: &str) -> Vec<u8> {
    let mut tokens = Tokens::new(plain, escapes);
    let _ = (tokens.next(), tokens.next(), tokens.name());
    [format!("ALTER DATABASE {quoted_name}").as_bytes(), &plain[tokens.reached()..]].concat()
}

/// A `CREATE` as `CREATE OR REPLACE`.
pub(in crate::engine::mariadb) fn replacing(text: &[u8]) -> Vec<u8> {
    const VERB: &[u8] = b"CREATE";
    // Behind the mark of a versioned comment at most.
    let at = text.windows(VERB.len()).position(|window| window.eq_ignore_ascii_case(VERB)).map_or(0, |at| at + VERB.len());
    [&text[..at], b" OR REPLACE", &text[at..]].concat()
}

/// The text of a `CREATE` of anything but tables, without the database that it names as its own. The server writes a trigger down as it
/// was once said, `CREATE TRIGGER app.t BEFORE INSERT ON app.entry`: loaded beside the real database that would go into the real one.
pub(in crate::engine::mariadb) fn without_home(text: &[u8], escapes: bool) -> Vec<u8> {
    let mut tokens = Tokens::new(text, escapes);
    let mut homes = Vec::new();
    let Some(class) = (0..WORDS_MAX).find_map(|_| class(&mut tokens).or_else(|| tokens.next().and(None))) else { return text.to_vec() };
    skip_if(&mut tokens);
    homes.extend(home(&mut tokens, text));
    if class == Class::Trigger && (0..WORDS_MAX).any(|_| tokens.next().is_some_and(|token| token.is_word("ON"))) {
        homes.extend(home(&mut tokens, text));
    }
    without(text, homes)
}

fn without(text: &[u8], ranges: Vec<Range<usize>>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    for range in ranges {
        out.extend_from_slice(&text[at..range.start]);
        at = range.end;
    }
    out.extend_from_slice(&text[at..]);
    out
}

/// Where the name that comes next says its database, up to the name itself.
fn home(tokens: &mut Tokens<'_>, text: &[u8]) -> Option<Range<usize>> {
    database(tokens, text).map(|(range, _)| range)
}

/// The same, and which database that is.
fn database(tokens: &mut Tokens<'_>, text: &[u8]) -> Option<(Range<usize>, String)> {
    let blanks = text[tokens.reached()..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let begin = tokens.reached() + blanks;
    let database = tokens.name()?;
    if !tokens.take_symbol(b'.') {
        return None;
    }
    let end = tokens.reached();
    tokens.name().map(|_| (begin..end, database))
}

/// The text of a table, a view or a default without the database of the sequences that give it values, where that is this one: the
/// server writes `DEFAULT nextval(`app`.`s`)`, wherever the table goes.
pub(in crate::engine::mariadb) fn with_sequences_at_home(text: &[u8], own: &str, escapes: bool) -> Vec<u8> {
    let mut tokens = Tokens::new(text, escapes);
    let mut homes = Vec::new();
    while let Some(token) = tokens.next() {
        if ["nextval", "lastval", "setval"].iter().any(|word| token.is_word(word))
            && tokens.take_symbol(b'(')
            && let Some((range, database)) = database(&mut tokens, text)
            && database == own
        {
            homes.push(range);
        }
    }
    without(text, homes)
}

/// The columns of a table that have defaults, with the text of these, as the server shows them: what can stand behind one begins with
/// one of a few words.
pub(in crate::engine::mariadb) fn defaults(table: &[u8]) -> Vec<(String, &[u8])> {
    const BEHIND: [&str; 5] = ["ON", "AUTO_INCREMENT", "COMMENT", "CHECK", "INVISIBLE"];
    let parts = list(table, true).map(|list| list.parts).unwrap_or_default();
    let default = |part| -> Option<(String, &[u8])> {
        let mut tokens = Tokens::new(part, true);
        let Token::Quoted(b'`', name) = tokens.next()? else { return None };
        let (mut begin, mut depth, mut at) = (None, 0, tokens.reached());
        while let Some(token) = tokens.next() {
            match token {
                Token::Symbol(b'(') => depth += 1,
                Token::Symbol(b')') => depth -= 1,
                _ if depth > 0 => {}
                _ if begin.is_none() && token.is_word("DEFAULT") => begin = Some(tokens.reached()),
                _ if begin.is_some() && BEHIND.iter().any(|word| token.is_word(word)) => break,
                _ => {}
            }
            at = tokens.reached();
        }
        Some((String::from_utf8_lossy(&name).into_owned(), part[begin?..at].trim_ascii()))
    };
    parts.into_iter().filter_map(default).collect()
}

/// The table that an `INSERT` fills, of its text up to the rows.
pub(in crate::engine::mariadb) fn target(insert: &[u8]) -> Option<String> {
    const WORDS_MAX: usize = 6;
    let mut tokens = Tokens::new(insert, true);
    (0..WORDS_MAX).find(|_| tokens.next().is_some_and(|token| token.is_word("INTO")))?;
    tokens.qualified().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_of_a_column_is_found_whatever_stands_around_it() {
        let table = "\tCREATE TABLE `a(` (\n  `id` bigint(20) NOT NULL DEFAULT nextval(`d`.`s`) COMMENT 'DEFAULT 1, CHECK (',\n  `e` enum('DEFAULT','b') DEFAULT 'b',\n  \
            `DEFAULT` int(11) DEFAULT (nextval(`d`.`s`) + (1)) CHECK (`DEFAULT` > 0),\n  `c` text INVISIBLE DEFAULT concat('\u{1f600}), ON',nextval(`d`.`s`)),\n  \
            `t` timestamp NOT NULL DEFAULT current_timestamp() ON UPDATE current_timestamp(),\n  `n` int(11),\n  `g` int(11) GENERATED ALWAYS AS (default(`n`)) VIRTUAL,\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB";
        let found = defaults(table.as_bytes());
        let found: Vec<(&str, &str)> = found.iter().map(|(name, text)| (name.as_str(), std::str::from_utf8(text).expect("text"))).collect();
        assert_eq!(
            found,
            [
                ("id", "nextval(`d`.`s`)"),
                ("e", "'b'"),
                ("DEFAULT", "(nextval(`d`.`s`) + (1))"),
                ("c", "concat('\u{1f600}), ON',nextval(`d`.`s`))"),
                ("t", "current_timestamp()"),
            ]
        );
    }

    #[test]
    fn the_database_that_a_trigger_or_routine_names_as_its_own_goes() {
        let home = |text: &str| String::from_utf8(without_home(text.as_bytes(), true)).expect("text");
        for (text, wanted) in [
            (
                "/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`%`*/ /*!50003 TRIGGER `app` . tr AFTER INSERT ON app.`t` FOR EACH ROW insert into app.log select 1 on duplicate key update a=1 */",
                "/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`%`*/ /*!50003 TRIGGER  tr AFTER INSERT ON `t` FOR EACH ROW insert into app.log select 1 on duplicate key update a=1 */",
            ),
            ("CREATE DEFINER=`a`@`%` trigger if not exists tr before update on t for each row set @x = app.f()", ""),
            ("CREATE DEFINER=`a`@`b.c` PROCEDURE `x.y`.`p`() SELECT 1", "CREATE DEFINER=`a`@`b.c` PROCEDURE `p`() SELECT 1"),
            (
                "CREATE EVENT app.e ON SCHEDULE EVERY 1 DAY DO DELETE FROM app.t",
                "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM app.t",
            ),
            ("CREATE VIEW `v` AS select `other`.`t`.`a` AS `a` from `other`.`t`", ""),
        ] {
            assert_eq!(home(text), if wanted.is_empty() { text } else { wanted });
        }
    }

    #[test]
    fn what_a_dump_says_is_told_apart() {
        let of = |text: &str| read(text.as_bytes(), true).0;
        let create = |class, name: &str, definer: Option<(&str, &str)>| Statement::Create {
            class,
            name: name.to_owned(),
            definer: definer.map(|(user, host)| Account { user: user.to_owned(), host: host.to_owned() }),
        };
        assert_eq!(of("CREATE TABLE `a ``b),(` (\n  `view` int\n)"), create(Class::Table, "a `b),(", None));
        assert_eq!(
            of(
                "/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`o'b`@`%` SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select 1 */"
            ),
            create(Class::View, "v", Some(("o'b", "%")))
        );
        assert_eq!(
            of("/*!50003 CREATE*/ /*!50017 DEFINER=`table`@`view`*/ /*!50003 TRIGGER db.tr BEFORE INSERT ON t FOR EACH ROW SET @x=1 */"),
            create(Class::Trigger, "tr", Some(("table", "view")))
        );
        assert_eq!(of("CREATE DEFINER=\"r\"@\"l\" PACKAGE BODY \"pk\" AS END"), create(Class::PackageBody, "pk", Some(("r", "l"))));
        assert_eq!(
            of("CREATE OR REPLACE DEFINER=role AGGREGATE FUNCTION IF NOT EXISTS f() x"),
            create(Class::Function, "f", Some(("role", "")))
        );
        assert_eq!(of("DROP TABLE IF EXISTS `a`, `b`.`c`"), Statement::Drop { class: Class::Table, names: vec!["a".into(), "c".into()] });
        assert_eq!(of("DO SETVAL(`sq`, -5042, 0)"), Statement::SetValue { name: "sq".into(), value: -5042 });
        assert_eq!(of("/*!40000 ALTER TABLE `x` DISABLE KEYS */"), Statement::Passing);
        assert_eq!(of("ALTER TABLE `x` ADD KEY (a)"), Statement::Other);
        let database = |verb, name: Option<&str>| Statement::Database { verb, name: name.map(str::to_owned) };
        assert_eq!(
            of("CREATE DATABASE /*!32312 IF NOT EXISTS*/ `x y` /*!40100 DEFAULT CHARACTER SET utf8mb4 */"),
            database(Verb::Create, Some("x y"))
        );
        assert_eq!(of("ALTER DATABASE `x` CHARACTER SET latin1 COLLATE latin1_bin"), database(Verb::Alter, Some("x")));
        assert_eq!(of("ALTER DATABASE CHARACTER SET latin1"), database(Verb::Alter, None));
        assert_eq!(of("USE `x`"), database(Verb::Use, Some("x")));
        assert_eq!(of("/*!50112 */"), Statement::Empty);
        assert_eq!(target(b"INSERT IGNORE INTO `a``b` (`into`) VALUES\n"), Some("a`b".to_owned()));
        assert_eq!(target(b"replace into d.t values "), Some("t".to_owned()));
    }
}
