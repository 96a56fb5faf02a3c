use std::os::unix::fs::PermissionsExt;

use super::*;

/// A folder with a `holdfast.toml`, and surroundings that know nothing else.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) surroundings: Surroundings,
}

impl Place {
    pub(crate) fn new(text: &str) -> Self {
        let place = Self::without_file();
        place.write(FILE, text, 0o600);
        place
    }

    pub(crate) fn without_file() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("elsewhere")).expect("a working directory");
        let surroundings = Surroundings {
            variables: Default::default(),
            working_dir: Some(folder.path().join("elsewhere")),
            home: Some(folder.path().join("home")),
            system: folder.path().join("etc"),
        };
        Place { folder, surroundings }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        std::fs::write(&path, text).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("mode set");
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.surroundings.variables.insert(name.into(), value.into());
        self
    }

    pub(crate) fn load(&self) -> Result<Config> {
        Config::load_in(Some(&self.path(FILE)), self.surroundings.clone())
    }

    pub(crate) fn found(&self) -> Option<PathBuf> {
        Config::load_in(None, self.surroundings.clone()).expect("loads").path().map(Path::to_owned)
    }
}

/// The error that a file gives, with the folder taken out of it, and its hint.
#[track_caller]
fn refused(text: &str) -> (String, String) {
    let place = Place::new(text);
    let error = place.load().expect_err(text);
    assert_eq!(error.kind(), Kind::Config, "{error}");
    let folder = format!("{}/", place.folder.path().display());
    (error.to_string().replace(&folder, ""), error.next_step().unwrap_or_default().replace(&folder, ""))
}

#[test]
fn fm_i01_an_unknown_key_names_its_line_and_the_nearest_known_one() {
    for (text, message) in [
        ("\nstroe = 'x'\n", r#"holdfast.toml:2: unknown key "stroe", did you mean "store"?"#),
        ("[envs.prod]\n", r#"holdfast.toml:1: unknown key "envs", did you mean "env"?"#),
        (
            "store = 'x'\n\n[env.prod]\ndatabase = 'a.db'\nretenton = 3\n",
            r#"holdfast.toml:5: unknown key "retenton" in [env.prod], did you mean "retention"?"#,
        ),
        (
            "[env.prod]\n[env.prod.retenton]\nkeep_days = 7\n",
            r#"holdfast.toml:2: unknown key "retenton" in [env.prod], did you mean "retention"?"#,
        ),
        (
            "[env.prod.retention]\n# seven\nkeep-days = 7\n",
            r#"holdfast.toml:3: unknown key "keep-days" in [env.prod.retention], did you mean "keep_days"?"#,
        ),
        ("[retention]\ndayly = 7\n", r#"holdfast.toml:2: unknown key "dayly" in [retention], did you mean "daily"?"#),
        ("env.dev.compress = 'gzip'\n", r#"holdfast.toml:1: unknown key "compress" in [env.dev], did you mean "compression"?"#),
        (
            "[env.dev]\nassert = [\n  'select 1',\n  { query = 'select 1', expects = '1' },\n]\n",
            r#"holdfast.toml:4: unknown key "expects" in [env.dev.assert], did you mean "expect"?"#,
        ),
    ] {
        assert_eq!(refused(text), (message.to_owned(), String::new()));
    }
    let (message, hint) = refused("[retention]\nkeep_days = 1\nzzz = 1\n");
    assert_eq!(message, r#"holdfast.toml:3: unknown key "zzz" in [retention]"#);
    assert_eq!(hint, "the keys there are keep_days, keep_last, keep_min, hourly, daily, weekly, monthly, yearly, archive_after_days");
}

#[test]
fn fm_i01_a_wrong_value_names_its_line_and_key() {
    for (text, message) in [
        (
            "[env.prod]\nmax_age = '90'\n",
            r#"holdfast.toml:2: env.prod.max_age: "90" is not a duration: 90 has no unit, write 90s, 90m, 90h or 90d"#,
        ),
        ("\nmax_age = 90\n", r#"holdfast.toml:2: max_age: invalid type: integer `90`, expected a duration in quotes, such as "15m""#),
        (
            "min_size = '10K'",
            r#"holdfast.toml:1: min_size: "10K" is not a size: "K" is no unit, use B, KB, MB, GB, TB, KiB, MiB, GiB or TiB"#,
        ),
        ("compression = 'gzip:13'", r#"holdfast.toml:1: compression: "gzip:13" is not a compression: gzip has the levels 1 to 12"#),
        ("verify = 'full'", r#"holdfast.toml:1: verify: "full" is no verification level: use quick, checksum, structure, restore, exact"#),
        ("[env.a]\nprotected = 'yes'\n", r#"holdfast.toml:2: env.a.protected: invalid type: string "yes", expected true or false"#),
        (
            "[retention]\nkeep_days = 'seven'\n",
            r#"holdfast.toml:2: retention.keep_days: invalid type: string "seven", expected a whole number, 0 or more"#,
        ),
        (
            "[retention]\nkeep_days = -1\n",
            "holdfast.toml:2: retention.keep_days: invalid value: integer `-1`, expected a whole number, 0 or more",
        ),
        ("retention = 7", "holdfast.toml:1: retention: invalid type: integer `7`, expected a table"),
        ("[env]\nprod = 'a.db'\n", r#"holdfast.toml:2: env.prod: invalid type: string "a.db", expected a table"#),
        ("env.a.files = 'media'", r#"holdfast.toml:1: env.a.files: invalid type: string "media", expected a list"#),
        ("pg_bin = 3", "holdfast.toml:1: pg_bin: invalid type: integer `3`, expected a string or a list of strings"),
        (
            "env.a.restart = 'systemctl restart app'",
            r#"holdfast.toml:1: env.a.restart: invalid type: string "systemctl restart app", expected a list of words, such as ["systemctl", "restart", "app"]"#,
        ),
        ("env.a.restart = []", "holdfast.toml:1: env.a.restart: the command is empty"),
        ("timeout = '0'", "holdfast.toml:1: timeout: must be longer than nothing"),
        ("[env.a]\nmax_age = '0s'", "holdfast.toml:2: env.a.max_age: must be longer than nothing"),
        ("min_verified = 0", "holdfast.toml:1: min_verified: must be at least 1: the last good backup is never deleted"),
        ("[env.a]\nmin_verified = 0", "holdfast.toml:2: env.a.min_verified: must be at least 1: the last good backup is never deleted"),
        ("log = 'stor'", r#"holdfast.toml:1: log: "stor" is neither state nor store, nor a path with a / in it"#),
        ("[env.a]\nassert = [{ expect = '1' }]", "holdfast.toml:2: env.a.assert: missing field `query`"),
        ("store = 'a'\nstore = 'b'\n", "holdfast.toml:2: duplicate key"),
    ] {
        assert_eq!(refused(text).0, message);
    }
}

#[test]
fn fm_i01_broken_toml_names_its_line() {
    let (message, _) = refused("store = 'a'\n[env.prod\ndatabase = 'x'\n");
    assert_eq!(message, "holdfast.toml:2: unclosed table, expected `]`");
    let place = Place::without_file();
    std::fs::write(place.path(FILE), b"store = 'a'\n# \xff\n").expect("written");
    assert!(place.load().expect_err("not UTF-8").to_string().ends_with("holdfast.toml:2: not UTF-8"));
    std::fs::write(place.path(FILE), vec![b'#'; (MAX_BYTES + 1) as usize]).expect("written");
    assert!(place.load().expect_err("too large").to_string().contains("is larger than 1048576 bytes"));
}

#[test]
fn fm_e07_a_policy_nobody_can_have_meant_is_refused() {
    for (text, message) in [
        (
            "[env.prod.retention]\n",
            "holdfast.toml:1: env.prod.retention: no rule says what to keep: write one such as keep_days = 7, or take the table out to keep everything",
        ),
        (
            "[retention]\nkeep_min = 3\n",
            "holdfast.toml:1: retention: no rule says what to keep: write one such as keep_days = 7, or take the table out to keep everything",
        ),
        (
            "[retention]\nkeep_days = 7\ndaily = 0\n",
            "holdfast.toml:3: retention.daily: 0 keeps nothing: write 1 or more, or take the key out",
        ),
    ] {
        assert_eq!(refused(text).0, message);
    }
    let config = Place::new("[retention]\nkeep_days = 0\n").load().expect("0 days is for ever");
    assert_eq!(config.file.retention.and_then(|policy| policy.keep_days), Some(0));
}

#[test]
fn fm_c20_names_that_a_mac_would_mix_up_are_refused_with_a_better_one() {
    let rule = "cannot name an environment: use a-z, 0-9 and -, at most 40 characters";
    for (text, message) in [
        ("[env.prod]\n[env.Prod]\n", format!(r#"holdfast.toml:2: "Prod" {rule}, such as "prod""#)),
        ("[env.\"my app\"]\n", format!(r#"holdfast.toml:1: "my app" {rule}, such as "my-app""#)),
        ("[env.\"../x\"]\n", format!(r#"holdfast.toml:1: "../x" {rule}, such as "x""#)),
        ("[env.\"\"]\n", format!(r#"holdfast.toml:1: "" {rule}"#)),
        ("[env.logs]\n", r#"holdfast.toml:1: "logs" cannot name an environment: it is a folder of the store's own"#.to_owned()),
    ] {
        assert_eq!(refused(text).0, message);
    }
    assert_eq!(check_name(&"a".repeat(40)), Ok(()));
    assert!(check_name(&"a".repeat(41)).is_err());
    assert!(check_name("-a").is_err());
    for name in RESERVED {
        assert!(check_name(name).is_err(), "{name}");
    }
}

#[test]
fn fm_i03_a_password_in_a_file_that_others_can_read_is_refused() {
    let text = "[env.prod]\ndatabase = 'postgres://u:canary-pw@h/d'\n";
    for mode in [0o644, 0o640, 0o604, 0o660] {
        let place = Place::new("");
        place.write(FILE, text, mode);
        let error = place.load().expect_err("refused");
        let file = place.path(FILE).display().to_string();
        assert_eq!(error.kind(), Kind::Config);
        assert_eq!(
            error.to_string(),
            format!("{file}:2: env.prod.database: holds a password, and the file is open to others (mode {mode:04o})")
        );
        assert_eq!(error.next_step(), Some(format!("chmod 600 {file}, or keep the password in a password_file").as_str()));
    }
    Place::new(text).load().expect("a private file may hold one");
    let place = Place::new("");
    place.write(FILE, "[env.prod]\ndatabase = 'postgres://u:${PW}@h/d'\n", 0o644);
    place.load().expect("a variable is no password");
    place.write(FILE, "scratch_server = 'postgres://u:canary-pw@h/d'\n", 0o644);
    assert!(place.load().is_err());
}

#[test]
fn a_message_never_shows_a_password() {
    let (message, _) = refused("env.a.files = 'postgres://u:canary-pw@h/d'");
    assert_eq!(message, r#"holdfast.toml:1: env.a.files: invalid type: string "postgres://u:***@h/d", expected a list"#);
    let config = Place::new("env.a.database = 'postgres://u:canary-pw@h/d'").load().expect("loads");
    assert!(!format!("{config:?}").contains("canary"));
}

#[test]
fn the_file_is_looked_for_from_near_to_far() {
    let mut place = Place::without_file();
    assert_eq!(place.found(), None);
    for name in [
        "etc/holdfast.toml",
        "home/.config/holdfast/holdfast.toml",
        "xdg/holdfast/holdfast.toml",
        "holdfast.toml",
        "elsewhere/holdfast.toml",
        "named.toml",
    ] {
        place.write(name, "", 0o600);
        match name {
            "xdg/holdfast/holdfast.toml" => {
                place = {
                    let xdg = place.path("xdg").display().to_string();
                    place.with("XDG_CONFIG_HOME", &xdg)
                }
            }
            "named.toml" => place = place.with("HOLDFAST_CONFIG", "../named.toml"),
            _ => {}
        }
        let found = place.found().map(|path| path.canonicalize().expect("there"));
        assert_eq!(found, Some(place.path(name).canonicalize().expect("there")), "{name}");
    }
    let place = place.with("HOLDFAST_CONFIG", "");
    assert_eq!(place.found(), Some(place.path("elsewhere/holdfast.toml")), "an empty variable is an unset one");
}

#[test]
fn a_file_that_was_named_and_is_not_there_is_an_error() {
    let place = Place::without_file();
    let error = place.load().expect_err("missing");
    assert_eq!(error.kind(), Kind::Config);
    assert!(error.to_string().starts_with(&format!("cannot open {}: No such file", place.path(FILE).display())), "{error}");
    std::os::unix::fs::symlink("gone", place.path("elsewhere/holdfast.toml")).expect("a link");
    assert!(Config::load_in(None, place.surroundings.clone()).is_err(), "a dangling link is not the same as no file");
}

#[test]
fn the_log_and_its_days() {
    let place = Place::new("");
    assert_eq!(place.load().and_then(|config| config.log()).expect("a log"), Log::State);
    assert_eq!(place.load().expect("loads").log_keep_days(), Some(30));
    let place = Place::new("log = 'store'\nlog_keep_days = 0\n");
    assert_eq!(place.load().and_then(|config| config.log()).expect("a log"), Log::Store);
    assert_eq!(place.load().expect("loads").log_keep_days(), None);
    let place = Place::new("log = './logs'\nstate_dir = 'state'\n");
    assert_eq!(place.load().and_then(|config| config.log()).expect("a log"), Log::Folder(place.path("logs")));
    let state = place.load().and_then(|config| config.open_state_dir()).expect("a state directory");
    assert_eq!(state.path(), place.path("state"));
    assert_eq!(fsx::mode_of(&place.path("state")).expect("made"), 0o700);
}

fn in_repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// Every key of the schema, of whatever table.
fn every_key(schema: &serde_json::Value, out: &mut std::collections::BTreeSet<String>) {
    match schema {
        serde_json::Value::Object(fields) => {
            if let Some(serde_json::Value::Object(properties)) = fields.get("properties") {
                out.extend(properties.keys().cloned());
            }
            fields.values().for_each(|value| every_key(value, out));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| every_key(item, out)),
        _ => {}
    }
}

#[test]
fn the_schema_that_is_checked_in_is_the_one_of_the_code() {
    let path = in_repository("docs/holdfast.schema.json");
    if std::env::var_os("HOLDFAST_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, schema::text()).expect("written");
    }
    let there = std::fs::read_to_string(&path).expect("docs/holdfast.schema.json");
    assert!(there == schema::text(), "docs/holdfast.schema.json is not up to date: run the tests once with HOLDFAST_BLESS=1");
}

#[test]
fn the_example_and_the_reference_name_every_key_and_the_example_is_valid() {
    let mut keys = std::collections::BTreeSet::new();
    every_key(&serde_json::from_str(&schema::text()).expect("JSON"), &mut keys);
    assert!(keys.len() > 35 && keys.contains("expect") && keys.contains("archive_after_days"), "{keys:?}");
    let example = std::fs::read_to_string(in_repository("holdfast.example.toml")).expect("the example");
    let reference = std::fs::read_to_string(in_repository("docs/config.md")).expect("the reference");
    // A key that is commented out has no blank after its #, prose has one.
    let is_key = |rest: &&str| rest.starts_with(|c: char| c.is_ascii_lowercase());
    let all: String =
        example.lines().map(|line| line.strip_prefix('#').filter(is_key).unwrap_or(line)).map(|line| format!("{line}\n")).collect();
    for key in &keys {
        let forms = [
            format!("\n{key} = "),
            format!("\n[{key}."),
            format!("\n[{key}]"),
            format!(".{key}]\n"),
            format!("{{ {key} = "),
            format!(", {key} = "),
        ];
        assert!(forms.iter().any(|form| all.contains(form)), "holdfast.example.toml does not show {key}");
        assert!(reference.contains(&format!("`{key}`")), "docs/config.md does not explain {key}");
    }
    for text in [&example, &all] {
        let place = Place::new(text).with("DATA", "/srv/data");
        place.write("secrets/prod.password", "pw-of-the-example\n", 0o600);
        let config = place.load().expect("the example is valid");
        for name in ["dev", "prod"] {
            config.environment(Some(name), Default::default()).expect("the example resolves");
        }
    }
}

#[test]
fn two_words_are_alike_from_a_threshold_on() {
    for (a, b, percent) in [("retenton", "retention", 98), ("compress", "compression", 95), ("media", "max_age", 56)] {
        assert_eq!((strsim::jaro_winkler(a, b) * 100.0).round() as u32, percent, "{a} {b}");
    }
    assert_eq!(place::nearest("media", ["max_age", "files"].into_iter()), None);
}
