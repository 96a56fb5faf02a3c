use std::sync::Arc;

use super::*;

pub(crate) const PIPE: Looks = Looks { terminal: false, colour: false, utf8: true };
const TERMINAL: Looks = Looks { terminal: true, colour: false, utf8: true };

/// A stream that keeps what is written.
#[derive(Clone, Default)]
pub(crate) struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("not poisoned").clone()).expect("UTF-8")
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Fails(i32);

impl Write for Fails {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::Error::from_raw_os_error(self.0))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn pages(voice: Voice, looks: Looks) -> (Out, Page, Page) {
    let (stdout, stderr) = (Page::default(), Page::default());
    let out = Out::over("backup-db", voice, (Box::new(stdout.clone()), looks), (Box::new(stderr.clone()), looks));
    (out, stdout, stderr)
}

#[test]
fn fm_b04_a_reader_that_went_away_is_no_error() {
    // A real pipe whose reading end is closed.
    let (reader, writer) = io::pipe().expect("pipe");
    drop(reader);
    let out = Out::over("backup-db", Voice::default(), (Box::new(writer), PIPE), (Box::new(Fails(nix::libc::EPIPE)), PIPE));
    out.line("20261121T130000Z-dev-db-7f3a").expect("EPIPE is quiet");
    out.line("again").expect("and stays so");
    out.warn("nobody hears this");
}

#[test]
fn fm_g12_a_terminal_that_went_away_is_no_error_and_a_broken_disk_is_one() {
    let fails = |looks| {
        Out::over("safe-migrate", Voice::default(), (Box::new(Fails(nix::libc::EIO)), looks), (Box::new(Fails(nix::libc::EIO)), looks))
    };
    let out = fails(TERMINAL);
    out.line("nobody sees this").expect("EIO of a terminal is quiet");
    out.document(&json!({})).expect("in every form");
    out.warn("nor this");
    assert_eq!(fails(PIPE).line("lost").expect_err("the result was lost").kind().status(), 1);
}

#[test]
fn a_full_disk_under_the_result_is_an_error() {
    let out = Out::over("backup-db", Voice::default(), (Box::new(Fails(nix::libc::ENOSPC)), PIPE), (Box::new(Page::default()), PIPE));
    let error = out.line("lost").expect_err("the result was lost");
    assert_eq!(error.kind().status(), 1);
    assert!(error.to_string().starts_with("cannot write the result to stdout: No space left"), "{error}");
}

#[test]
fn an_error_is_a_line_and_a_hint_with_everything_harmful_struck_out() {
    let (out, stdout, stderr) = pages(Voice::default(), PIPE);
    out.error(&Error::busy("prod is busy:\u{1b}[2J\nx://u:pw@h").hint("wait for it with --wait 10m"));
    assert_eq!(stderr.text(), "backup-db: prod is busy:\\u{1b}[2J\\nx://u:***@h\nhint: wait for it with --wait 10m\n");
    assert_eq!(stdout.text(), "");
}

#[test]
fn with_json_an_error_is_one_object_on_stdout_too() {
    let (out, stdout, stderr) = pages(Voice { json: true, ..Voice::default() }, PIPE);
    out.error(&Error::refused("prod is protected"));
    let object: serde_json::Value = serde_json::from_str(&stdout.text()).expect("one JSON document");
    assert_eq!(object, json!({ "error": { "what": "prod is protected", "hint": null, "status": 4 } }));
    assert_eq!(stderr.text(), "backup-db: prod is protected\n");
}

#[test]
fn fm_i05_under_cron_only_warnings_are_heard() {
    let (out, stdout, stderr) = pages(Voice::default(), PIPE);
    out.note("read 5 MB");
    out.warn("the backup is small");
    assert_eq!(stderr.text(), "backup-db: warning: the backup is small\n");
    assert_eq!(stdout.text(), "");
}

#[test]
fn notes_are_for_terminals_and_for_who_asks() {
    for (voice, looks, heard) in [
        (Voice::default(), TERMINAL, true),
        (Voice { quiet: true, ..Voice::default() }, TERMINAL, false),
        (Voice { verbose: 1, ..Voice::default() }, PIPE, true),
    ] {
        let (out, _, stderr) = pages(voice, looks);
        out.note("a note");
        assert_eq!(stderr.text(), if heard { "a note\n" } else { "" }, "{voice:?} {looks:?}");
    }
}

#[test]
fn fm_j06_a_result_is_escaped_on_a_terminal_and_exact_in_a_pipe() {
    let (out, stdout, _) = pages(Voice::default(), TERMINAL);
    out.line("dev/\u{1b}]0;x\u{7}").expect("prints");
    out.text("a\nb\u{7}\n").expect("prints");
    assert_eq!(stdout.text(), "dev/\\u{1b}]0;x\\u{7}\na\nb\\u{7}\n");
    let (out, stdout, _) = pages(Voice::default(), PIPE);
    out.line("dev/\u{1b}").expect("prints");
    out.text("a\nb\n").expect("prints");
    assert_eq!(stdout.text(), "dev/\u{1b}\na\nb\n");
}

#[test]
fn json_is_one_document_even_when_an_error_follows_the_result() {
    let (out, stdout, stderr) = pages(Voice { json: true, ..Voice::default() }, PIPE);
    out.document(&json!({ "id": "x" })).expect("prints");
    out.error(&Error::failed("the log could not be closed"));
    assert_eq!(stdout.text(), "{\"id\":\"x\"}\n");
    assert_eq!(stderr.text(), "backup-db: the log could not be closed\n");
}

#[test]
fn bytes_are_printed_as_they_are_and_never_act_on_a_terminal() {
    let bytes: Vec<u8> = (0..=255).cycle().take(2 * COPY_BYTES + 5).collect();
    let page = Page::default();
    let out = Out::over("file-versions", Voice::default(), (Box::new(page.clone()), PIPE), (Box::new(Page::default()), PIPE));
    out.copy(&mut &bytes[..]).expect("it prints");
    assert!(*page.0.lock().expect("not poisoned") == bytes);
    let (out, stdout, _) = pages(Voice::default(), TERMINAL);
    out.copy(&mut &b"one\x1b[2J\n\ntwo\xff"[..]).expect("it prints");
    assert_eq!(stdout.text(), "one\\u{1b}[2J\n\ntwo\u{fffd}\n");
}

#[test]
fn fm_b04_a_reader_that_went_away_ends_a_copy_and_a_source_that_fails_is_an_error() {
    let (reader, writer) = io::pipe().expect("pipe");
    drop(reader);
    let out = Out::over("file-versions", Voice::default(), (Box::new(writer), PIPE), (Box::new(Page::default()), PIPE));
    out.copy(&mut io::repeat(b'x')).expect("it ends");
    let (out, _, _) = pages(Voice::default(), PIPE);
    let inner: io::Error = Error::bad("object x is damaged").into();
    struct Source(Option<io::Error>);
    impl Read for Source {
        fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
            self.0.take().map_or(Ok(0), Err)
        }
    }
    let error = out.copy(&mut Source(Some(inner))).expect_err("the source fails");
    assert_eq!(error.to_string(), "object x is damaged");
}
