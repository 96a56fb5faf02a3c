//! Questions, asked only where somebody can answer.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::os::fd::AsFd;

use holdfast::error::{Error, Result};
use holdfast::interrupt;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::text::visible;

/// No name is longer; more is a paste that went wrong.
const ANSWER_MAX_BYTES: u64 = 1024;
/// How often a waiting prompt looks for a signal, in milliseconds.
const TICK_MS: u8 = 100;

/// Asks a person to type `name`, and says whether exactly that was typed.
///
/// Where stdin or stderr is no terminal nothing is asked: the error is [`holdfast::error::Kind::Refused`], and its hint
/// names `flag` (for instance `--confirm prod`), which answers without a prompt.
pub fn confirm_by_name(question: &str, name: &str, flag: &str) -> Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(nobody_to_ask(question, flag));
    }
    ask(question, name, &mut io::stderr(), || {
        wait_for_stdin()?;
        read_answer(&mut io::stdin().lock())
    })
}

fn nobody_to_ask(question: &str, flag: &str) -> Error {
    Error::refused(format!("{question}: there is no terminal to ask at")).hint(format!("to confirm without being asked, add {flag}"))
}

fn ask(question: &str, name: &str, screen: &mut dyn Write, answer: impl FnOnce() -> Result<String>) -> Result<bool> {
    write!(screen, "{}\ntype {} to go on: ", visible(question), visible(name))
        .and_then(|()| screen.flush())
        .map_err(|error| Error::from_io("cannot ask on stderr", error))?;
    Ok(answer()? == name)
}

/// The line without its end; nothing at the end of the input.
fn read_answer(input: &mut dyn BufRead) -> Result<String> {
    let mut line = String::new();
    input.take(ANSWER_MAX_BYTES).read_line(&mut line).map_err(|error| Error::from_io("cannot read the answer from stdin", error))?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
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

    fn typed(input: &str) -> (bool, String) {
        let mut screen = Vec::new();
        let mut input = input.as_bytes();
        let agreed = ask("overwrite prod?", "prod", &mut screen, || read_answer(&mut input)).expect("asks");
        (agreed, String::from_utf8(screen).expect("UTF-8"))
    }

    #[test]
    fn only_the_exact_name_agrees() {
        assert_eq!(typed("prod\n"), (true, "overwrite prod?\ntype prod to go on: ".to_owned()));
        for other in ["", "\n", "y\n", "PROD\n", " prod\n", "prod2\n", "prod \n"] {
            assert!(!typed(other).0, "{other:?} was taken for yes");
        }
    }

    #[test]
    fn an_endless_answer_is_cut() {
        let long = "p".repeat(5000);
        assert_eq!(read_answer(&mut long.as_bytes()).expect("reads").len() as u64, ANSWER_MAX_BYTES);
    }

    #[test]
    fn without_a_terminal_it_refuses_and_names_the_flag() {
        let error = nobody_to_ask("prod is protected", "--confirm prod");
        assert_eq!(error.kind().status(), 4);
        assert_eq!(error.to_string(), "prod is protected: there is no terminal to ask at");
        assert!(error.next_step().is_some_and(|hint| hint.ends_with("add --confirm prod")));
    }
}
