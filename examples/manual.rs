//! Writes the man pages into `man/` and the shell completions into `completions/`, from the clap definitions:
//! `cargo run --example manual [FOLDER]`.

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

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use holdfast::exit;
use manners::Example;

fn main() -> io::Result<()> {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    let (man, completions) = (folder.join("man"), folder.join("completions"));
    fs::create_dir_all(&man)?;
    fs::create_dir_all(&completions)?;
    let binaries = [
        (backup_db::Args::command(), &backup_db::EXAMPLES[..]),
        (backup_full::Args::command(), &backup_full::EXAMPLES),
        (restore_db::Args::command(), &restore_db::EXAMPLES),
        (backup_guard::Args::command(), &backup_guard::EXAMPLES),
        (backup_catalog::Args::command(), &backup_catalog::EXAMPLES),
        (file_versions::Args::command(), &file_versions::EXAMPLES),
    ];
    for (mut command, examples) in binaries {
        let name = command.get_name().to_owned();
        write_page(&man.join(format!("{name}.1")), command.clone(), examples)?;
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            clap_complete::generate_to(shell, &mut command, &name, &completions)?;
        }
    }
    write_subcommands(&man, &backup_guard::Args::command(), &backup_guard::SUBCOMMANDS)?;
    write_subcommands(&man, &backup_catalog::Args::command(), &backup_catalog::SUBCOMMANDS)?;
    write_subcommands(&man, &file_versions::Args::command(), &file_versions::SUBCOMMANDS)
}

/// A page for each subcommand of a binary.
fn write_subcommands(man: &Path, binary: &Command, subcommands: &[(&str, [Example; 2])]) -> io::Result<()> {
    let tool = binary.get_name();
    for (name, examples) in subcommands {
        let subcommand = binary.find_subcommand(name).cloned().ok_or_else(|| io::Error::other(format!("there is no {name}")))?;
        // clap takes names for the life of the process.
        let full: &'static str = format!("{tool}-{name}").leak();
        let command = subcommand.name(full).bin_name(format!("{tool} {name}"));
        write_page(&man.join(format!("{full}.1")), command, examples)?;
    }
    Ok(())
}

fn write_page(path: &Path, command: Command, examples: &[Example]) -> io::Result<()> {
    let mut page = File::create(path)?;
    let man = Man::new(command).section("1").manual("Holdfast");
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    // The end of --help would be run together into one paragraph; these two sections say the same.
    writeln!(page, ".SH \"EXIT STATUS\"")?;
    for row in exit::TABLE {
        writeln!(page, ".TP\n\\fB{}\\fR\n{}", row.code, roff(row.meaning))?;
    }
    writeln!(page, ".SH EXAMPLES")?;
    for example in examples {
        writeln!(page, ".TP\n\\fB{}\\fR\n{}", roff(example.command), roff(example.what))?;
    }
    man.render_version_section(&mut page)
}

/// A text as roff takes it literally.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq").replace('…', "\\&...");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}
