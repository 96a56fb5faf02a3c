use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::config::surroundings::Surroundings;
use crate::config::tests::Place;
use crate::error::Kind;

fn resolve(place: &Place, name: Option<&str>, overrides: Overrides) -> Result<Environment> {
    place.load()?.environment(name, overrides)
}

#[track_caller]
fn refused(place: &Place, name: Option<&str>, overrides: Overrides) -> (Kind, String) {
    let error = resolve(place, name, overrides).expect_err("refused");
    (error.kind(), error.to_string().replace(&format!("{}/", place.folder.path().display()), ""))
}

fn source(text: &str) -> Overrides {
    Overrides { source: Some(text.to_owned()), ..Overrides::default() }
}

#[test]
fn without_a_file_a_source_is_dev_and_the_store_is_at_hand() {
    let place = Place::without_file();
    let config = Config::load_in(None, place.surroundings.clone()).expect("none is fine");
    let environment = config.environment(None, source("app.db")).expect("resolves");
    assert_eq!(environment.name, "dev");
    assert_eq!(environment.store, place.path("elsewhere/backups"));
    assert_eq!(environment.base, place.path("elsewhere"));
    assert_eq!(environment.source().expect("given").text, "app.db");
    assert_eq!(environment.compression, Compression::Gzip(1));
    assert_eq!(environment.verify, Level::Structure);
    assert!(environment.retention.is_empty());
    assert_eq!(
        (environment.busy_timeout, environment.stall_timeout, environment.timeout),
        (Duration::from_secs(60), Duration::from_secs(900), Duration::from_secs(21_600))
    );
    assert_eq!((environment.wait, environment.min_verified, environment.protected), (Duration::ZERO, 3, false));
    assert_eq!(config.environment(Some("staging"), source("app.db")).expect("any good name").name, "staging");
    let error = config.environment(Some("Staging"), source("app.db")).expect_err("a bad name");
    assert_eq!(error.kind(), Kind::Usage);
    let error = config.environment(None, Overrides::default()).and_then(|environment| environment.source()).expect_err("no database");
    assert_eq!(error.to_string(), "environment dev has no database");
}

#[test]
fn fm_i02_an_unset_or_empty_variable_is_an_error_and_never_an_empty_text() {
    let text = "store = '${DATA}/backups'\n\n[env.dev]\ndatabase = 'postgres://${DB_HOST}/x'\nfiles = ['~/${MEDIA}']\n";
    let with = |pairs: &[(&str, &str)]| pairs.iter().fold(Place::new(text), |place, (name, value)| place.with(name, value));
    for (place, message) in [
        (with(&[]), "holdfast.toml:4: env.dev.database: the environment variable DB_HOST is not set"),
        (with(&[("DB_HOST", "")]), "holdfast.toml:4: env.dev.database: the environment variable DB_HOST is empty"),
        (with(&[("DB_HOST", "h")]), "holdfast.toml:1: store: the environment variable DATA is not set"),
        (with(&[("DB_HOST", "h"), ("DATA", "")]), "holdfast.toml:1: store: the environment variable DATA is empty"),
        (with(&[("DB_HOST", "h"), ("DATA", "/d")]), "holdfast.toml:5: env.dev.files: the environment variable MEDIA is not set"),
    ] {
        assert_eq!(refused(&place, None, Overrides::default()), (Kind::Config, message.to_owned()));
    }
    let place = with(&[("DB_HOST", "h"), ("DATA", "/d"), ("MEDIA", "m")]);
    let environment = resolve(&place, None, Overrides::default()).expect("resolves");
    assert_eq!(environment.source().expect("set").text, "postgres://h/x");
    assert_eq!(environment.store, PathBuf::from("/d/backups"));
    assert_eq!(environment.files, [place.path("home/m")]);
}

#[test]
fn fm_i02_what_is_no_variable_is_said_to_be_none() {
    for (text, message) in [
        ("${A:-b}", "holdfast.toml:1: store: ${A:-b} is no variable: only a name may stand between { and }"),
        ("${}", "holdfast.toml:1: store: ${} is no variable: only a name may stand between { and }"),
        ("x${A", "holdfast.toml:1: store: a ${ has no } after it"),
        ("", "holdfast.toml:1: store: it is empty"),
        ("~root/x", "holdfast.toml:1: store: \"~root/x\" names another user's home: write the path out"),
        ("s3://bucket/x", "holdfast.toml:1: store: s3:// is not a path on this machine"),
    ] {
        let place = Place::new(&format!("store = '{text}'\nenv.dev.database = 'x'\n"));
        assert_eq!(refused(&place, None, Overrides::default()), (Kind::Config, message.to_owned()));
    }
    let place = Place::new("store = 'a$b$${c}'\n");
    assert_eq!(resolve(&place, None, Overrides::default()).expect("resolves").store, place.path("a$b${c}"));
}

#[test]
fn fm_i03_a_password_file_that_others_can_read_is_refused() {
    let place = Place::new("[env.prod]\ndatabase = 'postgres://h/d'\npassword_file = 'prod.password'\n");
    let missing = refused(&place, None, Overrides::default());
    assert_eq!(missing.0, Kind::Config);
    assert!(missing.1.starts_with("holdfast.toml:3: cannot open prod.password: No such file"), "{}", missing.1);
    place.write("prod.password", "canary-pw\nsecond\n", 0o640);
    let error = resolve(&place, None, Overrides::default()).expect_err("refused");
    let file = place.path("prod.password").display().to_string();
    assert_eq!(error.kind(), Kind::Config);
    assert!(error.to_string().ends_with(&format!("holdfast.toml:3: {file} holds a password and is open to others (mode 0640)")), "{error}");
    assert_eq!(error.next_step(), Some(format!("chmod 600 {file}").as_str()));
    for (text, password) in [("canary-pw\nsecond\n", "canary-pw"), ("canary-pw\r\n", "canary-pw"), (" canary pw ", " canary pw ")] {
        place.write("prod.password", text, 0o600);
        let environment = resolve(&place, None, Overrides::default()).expect("a private one");
        assert_eq!(environment.password.as_ref().map(Secret::expose), Some(password));
        assert!(!format!("{environment:?}").contains("canary"));
    }
    place.write("prod.password", "\nx\n", 0o600);
    assert_eq!(refused(&place, None, Overrides::default()).1, "holdfast.toml:3: the first line of prod.password is empty");
}

#[test]
fn fm_i03_a_password_is_not_sent_to_a_server_named_on_the_command_line() {
    let place = Place::new("[env.prod]\ndatabase = 'postgres://h/d'\npassword_file = 'pw'\n");
    place.write("pw", "canary-pw", 0o600);
    let own = resolve(&place, Some("prod"), source("postgres://h/d")).expect("its own");
    assert!(own.password.is_some());
    let other = resolve(&place, Some("prod"), source("postgres://elsewhere/d")).expect("another");
    assert!(other.password.is_none());
}

#[test]
fn fm_i04_relative_paths_start_at_the_file_wherever_the_run_starts() {
    let mut place = Place::new(
        "store = 'backups'\nscratch_user = 'nobody'\npg_bin = ['pg/bin', '/usr/pg/bin']\n[env.dev]\ndatabase = 'sqlite:db/dev.db'\nconfig_files = ['.env']\n",
    );
    for working_dir in ["/", "/usr"] {
        place.surroundings.working_dir = Some(PathBuf::from(working_dir));
        let environment = resolve(&place, None, Overrides::default()).expect("resolves");
        assert_eq!(environment.store, place.path("backups"));
        assert_eq!(environment.base, place.path(""));
        assert_eq!(environment.source().expect("set").text, "sqlite:db/dev.db");
        assert_eq!(environment.program_dirs, [place.path("pg/bin"), PathBuf::from("/usr/pg/bin")]);
        assert_eq!(environment.config_files, [place.path(".env")]);
        let settings = environment.engine_settings(&StateDir::at(&place.path("state"))).expect("settings");
        assert_eq!((settings.cache, settings.scratch_dir), (place.path("state/cache"), place.path("backups")));
        // What the command line names starts where the user stands.
        let flags = Overrides { source: Some("app.db".into()), store: Some("b".into()), ..Overrides::default() };
        let environment = resolve(&place, Some("dev"), flags).expect("resolves");
        assert_eq!((environment.store, environment.base), (PathBuf::from(working_dir).join("b"), PathBuf::from(working_dir)));
    }
    place.surroundings.working_dir = None;
    resolve(&place, None, Overrides::default()).expect("not even a working directory is needed");
}

#[test]
fn fm_i05_the_home_directory_expands_and_its_absence_is_said() {
    let mut place = Place::new("store = '~/b'\nenv.dev.database = 'sqlite:~/app.db'\n");
    let environment = resolve(&place, None, Overrides::default()).expect("resolves");
    assert_eq!(environment.store, place.path("home/b"));
    assert_eq!(environment.source().expect("set").text, format!("sqlite:{}", place.path("home/app.db").display()));
    let flags = Overrides { store: Some("~/c".into()), ..Overrides::default() };
    assert_eq!(resolve(&place, None, flags).expect("resolves").store, place.path("home/c"));
    place.surroundings.home = None;
    assert_eq!(
        refused(&place, None, Overrides::default()).1,
        "holdfast.toml:2: env.dev.database: ~ is used and this user has no home directory"
    );
}

#[test]
fn an_environment_is_chosen_or_asked_for() {
    let two = Place::new("[env.dev]\ndatabase = 'dev.db'\n[env.prod]\ndatabase = 'postgres://h/d'\n");
    let usage = |message: &str| (Kind::Usage, message.to_owned());
    assert_eq!(refused(&two, None, Overrides::default()), usage("which environment? holdfast.toml has dev, prod"));
    assert_eq!(refused(&two, Some("prd"), Overrides::default()), usage("no environment \"prd\" in holdfast.toml, did you mean \"prod\"?"));
    assert_eq!(
        refused(&two, Some("Prod"), Overrides::default()),
        usage("no environment \"Prod\" in holdfast.toml, did you mean \"prod\"?")
    );
    assert_eq!(refused(&two, Some("zzz"), Overrides::default()), usage("no environment \"zzz\" in holdfast.toml"));
    assert_eq!(resolve(&two, Some("prod"), Overrides::default()).expect("named").name, "prod");
    let two = two.with("HOLDFAST_ENV", "dev");
    assert_eq!(resolve(&two, None, Overrides::default()).expect("by variable").name, "dev");
    assert_eq!(resolve(&two, Some("prod"), Overrides::default()).expect("a flag wins").name, "prod");
    assert_eq!(resolve(&Place::new("[env.only]\ndatabase = 'a.db'\n"), None, Overrides::default()).expect("the only one").name, "only");
    assert_eq!(resolve(&Place::new("store = 'x'\n"), None, Overrides::default()).expect("none described").name, "dev");
}

#[test]
fn a_source_belongs_to_the_environment_whose_database_it_is() {
    let place = Place::new("[env.dev]\ndatabase = 'dev.db'\n[env.prod]\ndatabase = 'postgres://h/d'\n");
    place.write("dev.db", "", 0o600);
    assert_eq!(resolve(&place, None, source("../dev.db")).expect("by file").name, "dev");
    assert_eq!(resolve(&place, None, source("postgres://h/d")).expect("by URL").name, "prod");
    // Another database's backup must not become prod's newest one by accident, even where prod is the only environment.
    let only = Place::new("[env.prod]\ndatabase = 'postgres://h/d'\n");
    let (kind, message) = refused(&only, None, source("postgres://u:canary-pw@h/other"));
    assert_eq!((kind, message.as_str()), (Kind::Usage, "postgres://u:***@h/other is the database of no environment in holdfast.toml"));
}

#[test]
fn the_environment_wins_over_the_top_and_a_flag_over_both() {
    let place = Place::new(concat!(
        "store = 'top'\ncompression = 'zstd:3'\nverify = 'quick'\nmax_age = '26h'\nmin_size = '10KB'\nwait = '10m'\nallow_empty = true\n",
        "[retention]\ndaily = 14\n",
        "[env.dev]\nstore = 'own'\ncompression = 'none'\nmax_age = '2h'\nallow_empty = false\n",
        "restart = ['systemctl', 'restart', 'app']\nassert = ['select 1', { query = 'select 2', expect = '2' }]\n",
        "[env.dev.retention]\nkeep_days = 7\n[env.prod]\nprotected = true\n"
    ));
    let dev = resolve(&place, Some("dev"), Overrides::default()).expect("resolves");
    assert_eq!((dev.store, dev.compression, dev.verify), (place.path("own"), Compression::None, Level::Quick));
    assert_eq!(
        (dev.max_age, dev.min_size, dev.wait, dev.allow_empty),
        (Some(Duration::from_secs(7_200)), Some(10_000), Duration::from_secs(600), false)
    );
    assert_eq!(dev.retention, Retention { keep_days: Some(7), ..Retention::default() }, "a policy is taken whole, never mixed");
    assert_eq!(dev.restart.as_deref(), Some(["systemctl", "restart", "app"].map(str::to_owned).as_slice()));
    assert_eq!(
        dev.asserts,
        [Assert { query: "select 1".into(), expect: None }, Assert { query: "select 2".into(), expect: Some("2".into()) }]
    );
    let prod = resolve(&place, Some("prod"), Overrides::default()).expect("resolves");
    assert_eq!((prod.store, prod.compression, prod.protected, prod.allow_empty), (place.path("top"), Compression::Zstd(3), true, true));
    assert_eq!(prod.retention, Retention { daily: Some(14), ..Retention::default() });

    let place = place.with("HOLDFAST_STORE", "/by/variable");
    let flags = Overrides {
        compression: Some(Compression::Gzip(6)),
        verify: Some(Level::Restore),
        wait: Some(Duration::ZERO),
        retention: Retention { keep_last: Some(5), ..Retention::default() },
        ..Overrides::default()
    };
    let dev = resolve(&place, Some("dev"), flags).expect("resolves");
    assert_eq!(
        (dev.store, dev.compression, dev.verify, dev.wait),
        (PathBuf::from("/by/variable"), Compression::Gzip(6), Level::Restore, Duration::ZERO)
    );
    assert_eq!(dev.retention, Retention { keep_days: Some(7), keep_last: Some(5), ..Retention::default() });
    let none = Overrides { retention: Retention { keep_last: Some(0), ..Retention::default() }, ..Overrides::default() };
    assert_eq!(
        refused(&place, Some("dev"), none),
        (Kind::Usage, "keep_last: 0 keeps nothing: write 1 or more, or take the key out".to_owned())
    );
}

#[test]
fn another_users_approval_needs_a_folder() {
    let place = Place::new("[approval]\nby = 'other'\nfolder = 'shared'\n[env.dev]\n[env.prod.approval]\nby = 'other'\n");
    let dev = resolve(&place, Some("dev"), Overrides::default()).expect("resolves").approval;
    assert_eq!((dev.by, dev.folder), (ApprovalBy::Other, Some(place.path("shared"))));
    let (kind, message) = refused(&place, Some("prod"), Overrides::default());
    assert_eq!(kind, Kind::Config);
    assert!(message.ends_with(r#"holdfast.toml:6: env.prod.approval.by: "other" needs a folder beside it"#), "{message}");
}

#[test]
fn this_process_has_surroundings() {
    let surroundings = Surroundings::of_this_process();
    assert!(surroundings.working_dir.is_some_and(|folder| folder.is_absolute()));
}
