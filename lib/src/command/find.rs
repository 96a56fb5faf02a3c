//! Where a shell would find a program, and whether it could be executed, without executing it.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::unistd::{AccessFlags, faccessat};

use crate::error::{Error, Kind, Result};
use crate::exit;

/// Where `execvp` looks if there is no PATH.
const DEFAULT_PATH: &str = "/bin:/usr/bin";
/// The longest first line of a script that the kernel reads.
const FIRST_LINE_MAX_BYTES: u64 = 256;

/// The file that `argv` names.
pub(super) fn program(argv: &[OsString]) -> Result<PathBuf> {
    let Some(name) = argv.first().filter(|name| !name.is_empty()) else {
        return Err(Error::new(Kind::Wrapper(exit::NOT_FOUND), "there is no command to run").hint("put it after --"));
    };
    let found = if name.as_bytes().contains(&b'/') {
        executable(PathBuf::from(name))
    } else {
        on_path(name, &std::env::var_os("PATH").unwrap_or_else(|| DEFAULT_PATH.into()))
    };
    found.map_err(|why| {
        let (status, why) = match why {
            Unfit::Missing => (exit::NOT_FOUND, "not found".to_owned()),
            Unfit::NotRunnable(why) => (exit::NOT_RUNNABLE, why),
        };
        let error = Error::new(Kind::Wrapper(status), format!("cannot run {}: {why}", name.display()));
        if status == exit::NOT_FOUND { error.hint("is it installed, and is its folder on PATH? nothing was touched") } else { error }
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Unfit {
    Missing,
    NotRunnable(String),
}

/// The first folder that has it decides, but one where it cannot be executed is passed over, as `execvp` does.
fn on_path(name: &OsStr, path: &OsStr) -> Result<PathBuf, Unfit> {
    let mut worst = Unfit::Missing;
    for folder in path.as_bytes().split(|byte| *byte == b':') {
        // An empty entry is the working directory.
        let folder = if folder.is_empty() { Path::new(".") } else { Path::new(OsStr::from_bytes(folder)) };
        match executable(folder.join(name)) {
            Ok(found) => return Ok(found),
            Err(Unfit::Missing) => {}
            Err(unfit) if worst == Unfit::Missing => worst = unfit,
            Err(_) => {}
        }
    }
    Err(worst)
}

fn executable(file: PathBuf) -> Result<PathBuf, Unfit> {
    match file.metadata() {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Err(Unfit::Missing),
        Err(error) => return Err(Unfit::NotRunnable(error.to_string())),
        Ok(metadata) if metadata.is_dir() => return Err(Unfit::NotRunnable(format!("{} is a directory", file.display()))),
        Ok(metadata) if !metadata.is_file() => return Err(Unfit::NotRunnable(format!("{} is no file", file.display()))),
        Ok(_) => {}
    }
    faccessat(AT_FDCWD, &file, AccessFlags::X_OK, AtFlags::AT_EACCESS)
        .map_err(|error| Unfit::NotRunnable(format!("{}: {}", file.display(), error.desc())))?;
    match interpreter(&file) {
        Some(interpreter) if !interpreter.exists() => {
            Err(Unfit::NotRunnable(format!("the interpreter in its first line, {}, does not exist", interpreter.display())))
        }
        _ => Ok(file),
    }
}

/// The program that a script's first line asks for, where it is one that can be read.
fn interpreter(file: &Path) -> Option<PathBuf> {
    let mut begin = Vec::new();
    std::fs::File::open(file).ok()?.take(FIRST_LINE_MAX_BYTES).read_to_end(&mut begin).ok()?;
    let line = begin.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let word = line.split(|byte| matches!(byte, b' ' | b'\t')).find(|word| !word.is_empty())?;
    Some(PathBuf::from(OsString::from_vec(word.to_vec())))
}
