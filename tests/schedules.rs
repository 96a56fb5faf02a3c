//! The schedules in `cron/` and their installer: every flag they use exists, every file is well formed, and installing is
//! repeatable. The stories that run the installer are the scripts in `tests/schedules/`.

#![allow(clippy::print_stderr)] // what a test could not run has to be said

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const BINARIES: [(&str, &str); 3] = [
    ("backup-db", env!("CARGO_BIN_EXE_backup-db")),
    ("backup-guard", env!("CARGO_BIN_EXE_backup-guard")),
    ("restore-db", env!("CARGO_BIN_EXE_restore-db")),
];

fn repo() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn binaries() -> &'static Path {
    Path::new(BINARIES[0].1).parent().expect("a binary lies in a folder")
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every (binary, flag) that a text calls: the words beginning with `-` after a binary's name, up to the end of the command.
/// The elements of a plist's argument list count as the words of one command.
fn flags_used(text: &str) -> BTreeSet<(&'static str, String)> {
    let words_only = text.replace("</string>\n", " ").replace("<string>", " ").replace("\\\n", " ");
    let mut used = BTreeSet::new();
    for line in words_only.lines() {
        let mut binary = None;
        for word in line.split([' ', '\t', '"', '\'', '`', '(']).filter(|word| !word.is_empty()) {
            let bare = word.trim_end_matches([')', ',', ';', ':', '.', '|', '&']);
            let name = Path::new(bare).file_name().and_then(OsStr::to_str).unwrap_or_default();
            if let Some((known, _)) = BINARIES.iter().find(|(known, _)| *known == name) {
                binary = Some(*known);
            } else if let Some(binary) = binary.filter(|_| bare.starts_with('-') && bare.len() > 1) {
                used.insert((binary, bare.split('=').next().unwrap_or_default().to_owned()));
            }
            if bare != word || word.contains(['>', '<', '|', '#', ';', '&']) || word == "--" {
                binary = None;
            }
        }
    }
    used
}

/// Whether a help text describes the flag itself, and not just a longer one that begins alike.
fn describes(help: &str, flag: &str) -> bool {
    help.lines().map(str::trim_start).filter(|line| line.starts_with('-')).any(|line| {
        line.split([' ', ',', '=', '[', '<']).take_while(|word| word.is_empty() || word.starts_with('-')).any(|word| word == flag)
    })
}

#[test]
fn flags_are_found_in_commands_and_help_texts() {
    let text = "17 * * * * X=y /usr/bin/backup-db -q -e dev --wait=10m >/dev/null; rm -f x\n\
                out=$(backup-guard -e dev 2>&1) || exit -1\n\
                <string>/a/restore-db</string>\n    <string>--list</string>\n</array>\n\
                run `backup-db -n`, then sudo -i\n";
    let expected = [
        ("backup-db", "--wait"),
        ("backup-db", "-e"),
        ("backup-db", "-n"),
        ("backup-db", "-q"),
        ("backup-guard", "-e"),
        ("restore-db", "--list"),
    ];
    assert_eq!(flags_used(text), expected.map(|(binary, flag)| (binary, flag.to_owned())).into());

    let help = "Options:\n  -e, --env <ENV>    as --environment\n      --waiting\n  -q\n";
    for (flag, there) in [("-e", true), ("--env", true), ("-q", true), ("--wait", false), ("--environment", false), ("-E", false)] {
        assert_eq!(describes(help, flag), there, "{flag}");
    }
}

#[test]
fn every_flag_of_the_schedules_and_scripts_exists() {
    let mut used = BTreeSet::new();
    let mut files = files_below(&repo().join("cron"));
    files.extend(["install-schedule", "demo"].map(|script| repo().join("scripts").join(script)));
    for file in files {
        let found = flags_used(&read(&file));
        let calls = !file.ends_with("scripts/install-schedule") && file.extension() != Some(OsStr::new("timer"));
        assert!(!calls || !found.is_empty(), "{} calls no binary with a flag", file.display());
        used.extend(found.into_iter().map(|(binary, flag)| (binary, flag, file.clone())));
    }
    for (name, program) in BINARIES {
        let output = Command::new(program).arg("--help").env_clear().output().expect("run --help");
        assert!(output.status.success(), "{name} --help: {}", output.status);
        let help = String::from_utf8(output.stdout).expect("help is text");
        for (_, flag, file) in used.iter().filter(|(binary, ..)| *binary == name) {
            assert!(describes(&help, flag), "{} calls {name} with {flag}, which its --help does not describe:\n{help}", file.display());
        }
    }
}

/// Why a line is none that cron would run as it was meant, if so. Comments and empty lines are fine.
fn fault_of_crontab_line(line: &str) -> Option<String> {
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let words: Vec<&str> = line.splitn(6, ' ').collect();
    let [minute, hour, day, month, weekday, command] = words[..] else {
        return Some("fewer than five times and a command".to_owned());
    };
    for (field, lowest, highest) in [(minute, 0, 59), (hour, 0, 23), (day, 1, 31), (month, 1, 12), (weekday, 0, 7)] {
        let number = |text: &str| text.parse::<u32>().is_ok_and(|number| (lowest..=highest).contains(&number));
        let fine = field.split(',').all(|part| {
            let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
            (range == "*" || range.split('-').all(number)) && step.is_none_or(|step| step.parse::<u32>().is_ok_and(|step| step > 0))
        });
        if !fine {
            return Some(format!("{field:?} is not within {lowest}-{highest}"));
        }
    }
    // cron cuts a command at % and gives the rest to it as input; and it takes no longer line.
    if command.replace("\\%", "").contains('%') {
        return Some("an unescaped %".to_owned());
    }
    (line.len() > 998).then(|| "longer than 998 bytes".to_owned())
}

#[test]
fn the_crontab_is_one_that_cron_takes() {
    for (line, fine) in [
        ("0,30 */2 1-15 * 7 true", true),
        ("60 * * * * true", false),
        ("* * * * true", false),
        ("1 1 0 * * true", false),
        ("1 1 * * * date +%s", false),
        ("1 1 * * * date +\\%s", true),
    ] {
        assert_eq!(fault_of_crontab_line(line).is_none(), fine, "{line}");
    }
    let crontab = read(&repo().join("cron/crontab"));
    assert!(crontab.ends_with('\n'), "cron ignores a last line without a line break");
    let jobs = crontab.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
    assert_eq!(jobs, 2, "an hourly backup and a daily check");
    for line in crontab.lines() {
        assert_eq!(fault_of_crontab_line(line), None, "{line}");
    }
}

/// Why a text is not well-formed XML of the plain kind that property lists are, if so.
fn fault_of_xml(text: &str) -> Option<String> {
    let mut open: Vec<&str> = Vec::new();
    let mut elements = 0;
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let between = &rest[..start];
        let entities_fine =
            between.split('&').skip(1).all(|part| ["amp;", "lt;", "gt;", "quot;", "apos;"].iter().any(|name| part.starts_with(name)));
        if !entities_fine || between.contains('>') {
            return Some(format!("a bare & or > in {between:?}"));
        }
        rest = &rest[start..];
        let (tag, after) = if let Some(comment) = rest.strip_prefix("<!--") {
            let Some((comment, after)) = comment.split_once("--") else { return Some("a comment without an end".to_owned()) };
            let Some(after) = after.strip_prefix('>') else { return Some(format!("two hyphens in the comment {comment:?}")) };
            ("", after)
        } else {
            let Some((tag, after)) = rest[1..].split_once('>') else { return Some("a tag without an end".to_owned()) };
            (tag, after)
        };
        rest = after;
        let name = tag.split_whitespace().next().unwrap_or_default();
        if let Some(closed) = name.strip_prefix('/') {
            if open.pop() != Some(closed) {
                return Some(format!("</{closed}> closes nothing"));
            }
        } else if !tag.is_empty() && !tag.starts_with(['?', '!']) && !tag.ends_with('/') {
            elements += 1;
            open.push(name);
        }
    }
    if let Some(left) = open.first() {
        return Some(format!("<{left}> is never closed"));
    }
    (elements == 0 || !rest.trim().is_empty()).then(|| "no element, or text after the last".to_owned())
}

#[test]
fn the_agents_are_well_formed_property_lists() {
    for (text, fine) in [
        ("<?xml version=\"1.0\"?><a><!-- b --><c/>d &amp; e</a>", true),
        ("<a><b></a></b>", false),
        ("<a>", false),
        ("<a><!-- one --wait --></a>", false),
        ("<a>b & c</a>", false),
        ("nothing", false),
    ] {
        assert_eq!(fault_of_xml(text).is_none(), fine, "{text}");
    }
    for file in files_below(&repo().join("cron/launchd")) {
        let text = read(&file);
        assert_eq!(fault_of_xml(&text), None, "{}", file.display());
        let label = file.file_stem().and_then(OsStr::to_str).expect("a name");
        assert!(text.contains(&format!("<string>{label}</string>")), "{} is not named after its label", file.display());
        for key in ["ProgramArguments", "StartCalendarInterval", "StandardErrorPath"] {
            assert!(text.contains(&format!("<key>{key}</key>")), "{} has no {key}", file.display());
        }
    }
}

#[test]
fn systemd_takes_the_units() {
    let Ok(found) = Command::new("systemd-analyze").arg("--version").output() else {
        eprintln!("NOT RUN: systemd-analyze is not here, so no unit was verified");
        return;
    };
    assert!(found.status.success());
    let folder = tempfile::tempdir().expect("folder");
    let mut verify = Command::new("systemd-analyze");
    verify.args(["verify", "--man=no"]);
    for template in files_below(&repo().join("cron/systemd")) {
        let name = template.file_name().and_then(OsStr::to_str).expect("a name").replace('@', "@dev");
        let unit = folder.path().join(&name);
        let text = read(&template).replace("/usr/local/bin/backup-", &format!("{}/backup-", binaries().display()));
        fs::write(&unit, text).expect("write");
        verify.arg(unit);
    }
    let output = verify.output().expect("systemd-analyze");
    let said = String::from_utf8_lossy(&output.stderr);
    // It reads the machine's own units too, and may complain about those.
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("holdfast")).collect();
    assert!(output.status.success() && ours.is_empty(), "systemd-analyze verify: {}\n{said}", output.status);
}

fn tell(story: &str) {
    let home = tempfile::tempdir().expect("home");
    let folder = tempfile::tempdir().expect("folder");
    let programs = repo().join("tests/schedules/programs");
    let output = Command::new("sh")
        .arg(repo().join("tests/schedules").join(story))
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
        .env("HOME", home.path())
        .env("REPO", repo())
        .env("BINARIES", binaries())
        .output()
        .expect("sh");
    assert!(output.status.success(), "{story}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_story_of_the_installer_holds() {
    let stories: Vec<_> = files_below(&repo().join("tests/schedules"))
        .iter()
        .filter(|path| path.extension() == Some(OsStr::new("sh")))
        .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
        .filter(|name| name != "story.sh")
        .collect();
    assert!(stories.len() >= 7, "stories are missing: {stories:?}");
    stories.iter().for_each(|story| tell(story));
}

/// The lines of a crontab as cron runs them: with a bare environment, no home, no terminal and from a folder of no project.
fn run_as_cron(line: &str, state: &Path) -> Output {
    let command = line.splitn(6, ' ').nth(5).expect("five times and a command").replace("\\%", "%");
    Command::new("/bin/sh")
        .args(["-c", &command])
        .current_dir("/")
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("SHELL", "/bin/sh")
        .env("HOLDFAST_STATE_DIR", state)
        .stdin(std::process::Stdio::null())
        .output()
        .expect("sh")
}

#[test]
fn fm_i05_the_installed_cron_lines_work_in_crons_bare_environment() {
    let folder = tempfile::tempdir().expect("folder");
    let project = folder.path().join("my project");
    fs::create_dir(&project).expect("project");
    let database = rusqlite::Connection::open(project.join("app.db")).expect("open");
    database.execute_batch("CREATE TABLE entry (id INTEGER PRIMARY KEY, cents INTEGER); INSERT INTO entry VALUES (1, 250)").expect("fill");
    drop(database);
    // Relative paths: they are relative to this file, wherever cron starts the job.
    fs::write(project.join("holdfast.toml"), "store = \"backups\"\n\n[env.dev]\ndatabase = \"sqlite:app.db\"\n").expect("config");

    let installed = Command::new(repo().join("scripts/install-schedule"))
        .args(["cron", "--env", "dev", "--config", "holdfast.toml", "--bin-dir"])
        .arg(binaries())
        .current_dir(&project)
        .env("PATH", format!("{}:/usr/bin:/bin", repo().join("tests/schedules/programs").display()))
        .env("FAKES", folder.path())
        .env("HOME", folder.path())
        .output()
        .expect("install-schedule");
    assert!(installed.status.success(), "{installed:?}");
    let crontab = read(&folder.path().join("crontab"));
    let [backup, guard] = crontab.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>()[..] else {
        panic!("not two jobs:\n{crontab}");
    };

    let state = folder.path().join("state");
    for line in [backup, guard] {
        let output = run_as_cron(line, &state);
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success() && said.is_empty(), "{line}: {}\n{}", output.status, String::from_utf8_lossy(&said));
    }
    let stored = files_below(&project.join("backups/dev"));
    let components: Vec<_> = stored.iter().filter(|path| path.ends_with("database.sqlite.gz")).collect();
    let [component] = components[..] else { panic!("not one backup: {stored:?}") };

    // A bad backup is told, with its name and its status.
    fs::write(component, b"").expect("damage");
    let output = run_as_cron(guard, &state);
    let id = component.parent().and_then(Path::file_name).and_then(OsStr::to_str).expect("an id");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains(id), "the mail does not name {id}:\n{said}");
}
