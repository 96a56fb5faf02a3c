//! Questions, asked only where somebody can answer.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::os::fd::AsFd;

use holdfast::error::{Error, Result};
use holdfast::guardian::Typed;
use holdfast::interrupt;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::text::visible;

/// No name is longer; more is a paste that went wrong.
const ANSWER_MAX_BYTES: u64 = 1024;
/// How often a waiting prompt looks for a signal, in milliseconds.
const TICK_MS: u8 = 100;

/// Shows some lines to a person, and wants `name` typed. Where stdin or stderr is no terminal nothing is asked.
pub fn name_of(lines: &[String], name: &str) -> Result<Typed> {
    if !can_ask() {
        return Ok(Typed::NoTerminal);
    }
    ask(lines, name, &mut io::stderr(), || {
        wait_for_stdin()?;
        read_answer(&mut io::stdin().lock())
    })
}

/// Whether there is somebody to ask.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn ask(lines: &[String], name: &str, screen: &mut dyn Write, answer: impl FnOnce() -> Result<Option<String>>) -> Result<Typed> {
    let shown: String = lines.iter().map(|line| format!("{}\n", visible(line))).collect();
    write!(screen, "{shown}type {} to go on: ", visible(name))
        .and_then(|()| screen.flush())
        .map_err(|error| Error::from_io("cannot ask on stderr", error))?;
    Ok(match answer()? {
        Some(answer) if answer == name => Typed::Name,
        Some(_) => Typed::Else,
        // A terminal that was closed says nothing, neither yes nor no.
        None => Typed::NoTerminal,
    })
}

/// The line without its end; none at the end of the input.
fn read_answer(input: &mut dyn BufRead) -> Result<Option<String>> {
    let mut line = String::new();
    input.take(ANSWER_MAX_BYTES).read_line(&mut line).map_err(|error| Error::from_io("cannot read the answer from stdin", error))?;
    Ok((!line.is_empty()).then(|| line.trim_end_matches(['\n', '\r']).to_owned()))
}

/// Waits for a line without missing a stop: a plain read would sleep through the signal.
fn wait_for_stdin() -> Result<()> {
    let stdin = io::stdin();
    loop {
        interrupt::check()?;
        let mut waiting = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
        match poll(&mut waiting, PollTimeout::from(TICK_MS)) {
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) => return Ok(()),
            Err(error) => return Err(Error::failed("cannot wait for the answer").because(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(input: &str) -> (Typed, String) {
        let mut screen = Vec::new();
        let mut input = input.as_bytes();
        let lines = ["risk     high".to_owned(), "a\u{1b}[2Jb".to_owned()];
        let answer = ask(&lines, "prod", &mut screen, || read_answer(&mut input)).expect("asks");
        (answer, String::from_utf8(screen).expect("UTF-8"))
    }

    #[test]
    fn only_the_exact_name_agrees() {
        assert_eq!(typed("prod\n"), (Typed::Name, "risk     high\na\\u{1b}[2Jb\ntype prod to go on: ".to_owned()));
        assert_eq!(typed("").0, Typed::NoTerminal, "nobody is there any more");
        for other in ["\n", "y\n", "PROD\n", " prod\n", "prod2\n", "prod \n"] {
            assert_eq!(typed(other).0, Typed::Else, "{other:?} was taken for yes");
        }
    }

    #[test]
    fn an_endless_answer_is_cut() {
        let long = "p".repeat(5000);
        assert_eq!(read_answer(&mut long.as_bytes()).expect("reads").expect("a line").len() as u64, ANSWER_MAX_BYTES);
    }
}
