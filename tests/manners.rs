//! The command lines of all binaries, as clap understands them.

#[allow(dead_code)]
#[path = "../bins/backup-catalog/args.rs"]
mod backup_catalog;
#[allow(dead_code)]
#[path = "../bins/backup-db/args.rs"]
mod backup_db;
#[allow(dead_code)]
#[path = "../bins/backup-full/args.rs"]
mod backup_full;
#[allow(dead_code)]
#[path = "../bins/backup-guard/args.rs"]
mod backup_guard;
#[allow(dead_code)]
#[path = "../bins/file-versions/args.rs"]
mod file_versions;
#[allow(dead_code)]
#[path = "../bins/restore-db/args.rs"]
mod restore_db;

use clap::{CommandFactory, Parser};
use holdfast::exit;
use holdfast::manifest::Level;

fn commands() -> [clap::Command; 5] {
    [
        backup_db::Args::command(),
        backup_full::Args::command(),
        restore_db::Args::command(),
        backup_guard::Args::command(),
        backup_catalog::Args::command(),
    ]
}

#[test]
fn every_command_line_is_sound() {
    for command in commands() {
        command.debug_assert();
    }
    file_versions::Args::command().debug_assert();
}

#[test]
fn both_helps_end_with_every_status_and_two_examples() {
    for mut command in commands() {
        let name = command.get_name().to_owned();
        for help in [command.render_help().to_string(), command.render_long_help().to_string()] {
            let (_, end) = help.split_once("Exit status:").expect("a list of statuses");
            for row in exit::TABLE {
                assert!(end.contains(&format!("{:>3}  {}", row.code, row.meaning)), "{name} --help lacks status {}", row.code);
            }
            let (_, examples) = end.split_once("Examples:").expect("examples at the end");
            assert_eq!(examples.lines().filter(|line| line.starts_with(&format!("  {name}"))).count(), 2, "{name}");
        }
    }
}

#[test]
fn a_subcommand_has_the_manners_of_a_tool() {
    require_manners(&backup_guard::Args::command(), &backup_guard::SUBCOMMANDS);
    require_manners(&backup_catalog::Args::command(), &backup_catalog::SUBCOMMANDS);
    require_manners(&file_versions::Args::command(), &file_versions::SUBCOMMANDS);
}

fn require_manners(binary: &clap::Command, subcommands: &[(&str, [manners::Example; 2])]) {
    let tool = binary.get_name();
    let listed: Vec<&str> = subcommands.iter().map(|(name, _)| *name).collect();
    assert_eq!(binary.get_subcommands().map(clap::Command::get_name).collect::<Vec<_>>(), listed);
    for name in listed {
        let mut subcommand = binary.find_subcommand(name).expect("it is listed").clone();
        let help = subcommand.render_long_help().to_string();
        for row in exit::TABLE {
            assert!(help.contains(&format!("{:>3}  {}", row.code, row.meaning)), "{tool} {name} --help lacks status {}", row.code);
        }
        let begin = format!("  {tool} {name}");
        assert_eq!(help.lines().filter(|line| line.starts_with(&begin)).count(), 2, "{tool} {name} has two examples");
        let flags: Vec<char> = subcommand.get_arguments().filter_map(clap::Arg::get_short).collect();
        assert!(['e', 'c', 'q', 'v', 'n', 'h', 'V'].iter().all(|flag| flags.contains(flag)), "{tool} {name}: {flags:?}");
    }
}

#[test]
fn every_example_is_a_command_line_that_works() {
    for example in backup_db::EXAMPLES {
        backup_db::Args::try_parse_from(words(example.command)).expect(example.command);
    }
    for example in restore_db::EXAMPLES {
        restore_db::Args::try_parse_from(words(example.command)).expect(example.command);
    }
    let of_subcommands = backup_guard::SUBCOMMANDS.into_iter().flat_map(|(_, examples)| examples);
    for example in backup_guard::EXAMPLES.into_iter().chain(of_subcommands) {
        backup_guard::Args::try_parse_from(words(example.command)).expect(example.command);
    }
    let of_subcommands = file_versions::SUBCOMMANDS.into_iter().flat_map(|(_, examples)| examples);
    for example in file_versions::EXAMPLES.into_iter().chain(of_subcommands) {
        file_versions::Args::try_parse_from(words(example.command)).expect(example.command);
    }
    let of_subcommands = backup_catalog::SUBCOMMANDS.into_iter().flat_map(|(_, examples)| examples);
    for example in backup_catalog::EXAMPLES.into_iter().chain(of_subcommands) {
        backup_catalog::Args::try_parse_from(words(example.command)).expect(example.command);
    }
}

/// Words as a shell would split them, single quotes included.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in line.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

#[test]
fn the_common_flags_mean_the_same_everywhere() {
    let list = |command: &clap::Command| {
        let common = |arg: &&clap::Arg| arg.get_help_heading() == Some("Common options");
        command
            .get_arguments()
            .filter(common)
            .map(|arg| (arg.get_id().to_string(), arg.get_short(), arg.get_help().map(ToString::to_string)))
            .collect::<Vec<_>>()
    };
    let [first, second, third, fourth, catalog] = commands();
    assert_eq!(list(&first).iter().filter_map(|(_, short, _)| *short).collect::<String>(), "ecqvnhV");
    // This one is nothing without its subcommands, so they have the flags.
    for command in [second, third, fourth].into_iter().chain(catalog.get_subcommands().cloned()) {
        assert_eq!(list(&command), list(&first), "{}", command.get_name());
    }
}

#[test]
fn what_excludes_each_other_is_wrong_usage() {
    let refuses = |result: Result<(), clap::Error>, line: &str| {
        assert_eq!(result.expect_err(line).exit_code(), i32::from(exit::USAGE), "{line}");
    };
    for line in ["x --no-prune --keep-days 7", "x -q -v", "x --keep-days -1", "x --verify fully", "x y"] {
        refuses(backup_db::Args::try_parse_from(words(&format!("backup-db {line}"))).map(drop), line);
    }
    for line in [
        "",
        "latest -f x.sql",
        "latest --at 2026-11-21",
        "latest --undo",
        "--undo --discard",
        "--list latest",
        "--list --to sqlite:x",
        "-f x.sql --to sqlite:x -d other",
        "--list --no-safety-backup",
        "--list --files-to x",
        "latest --files-to x --to sqlite:x",
        "latest --overwrite",
        "latest --owner",
        "--undo --only x",
        "--discard --preview",
    ] {
        refuses(restore_db::Args::try_parse_from(words(&format!("restore-db {line}"))).map(drop), line);
    }
    for line in
        ["--json --format table", "--format xml", "--verify none", "audit --event x", "audit --event start --summary", "audit latest"]
    {
        refuses(backup_guard::Args::try_parse_from(words(&format!("backup-guard {line}"))).map(drop), line);
    }
    for line in ["", "save a", "tag a --delete", "tag a x latest --delete", "tag a x --delete --force", "gc --keep-last -1", "log a b"] {
        refuses(file_versions::Args::try_parse_from(words(&format!("file-versions {line}"))).map(drop), line);
    }
}

#[test]
fn what_the_catalog_does_not_understand_is_wrong_usage() {
    for line in [
        "",
        "list --bad --verified",
        "list --kind nightly",
        "tag latest",
        "delete",
        "diff latest",
        "diff a b --with-current",
        "diff a b --quick --content",
        "archive --after-days 0",
        "import --at 2026-11-21 x",
    ] {
        let error = backup_catalog::Args::try_parse_from(words(&format!("backup-catalog {line}"))).map(drop).expect_err(line);
        assert_eq!(error.exit_code(), i32::from(exit::USAGE), "{line}");
    }
}

#[test]
fn the_seed_projects_restore_line_is_understood() {
    let args = restore_db::Args::try_parse_from(words("restore-db -e prod -f path/to/backup.sql.gz -u ledger -d books")).expect("parses");
    assert_eq!((args.common.env.as_deref(), args.user.as_deref(), args.dbname.as_deref()), (Some("prod"), Some("ledger"), Some("books")));
}

#[test]
fn json_is_a_format() {
    let format = |line: &str| backup_guard::Args::try_parse_from(words(line)).expect("parses").format();
    assert_eq!(format("backup-guard"), backup_guard::Format::Table);
    assert_eq!(format("backup-guard --json"), backup_guard::Format::Json);
    assert_eq!(format("backup-guard --format json"), backup_guard::Format::Json);
    assert_eq!(format("backup-guard --format nagios"), backup_guard::Format::Nagios);
    let levels =
        Level::ALL.map(|level| backup_guard::Args::try_parse_from(["backup-guard", "--verify", level.name()]).expect("parses").verify);
    assert_eq!(levels, Level::ALL);
}
