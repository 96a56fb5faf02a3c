use super::*;

fn sh(script: &str) -> Call {
    Call::new("/bin/sh").arg("-c").arg(script)
}

#[test]
fn the_stream_of_a_failing_child_fails_at_its_end() {
    let mut stream = sh("echo half; echo 'no such table' >&2; exit 7").stream().expect("a start");
    let mut text = String::new();
    let error = stream.read_to_string(&mut text).expect_err("the failure");
    assert_eq!(text, "half\n");
    assert!(error.to_string().contains("sh failed (status 7): no such table"), "{error}");
}

#[test]
fn a_stderr_flood_neither_blocks_nor_grows() {
    let answer = sh("head -c 50000000 /dev/zero | tr '\\0' x >&2; echo done").run().expect("an end");
    assert_eq!(answer.text(), "done");
    assert!(answer.stderr.len() <= stderr::TAIL_MAX_BYTES);
}

#[test]
fn a_silent_child_is_stopped_with_all_it_started() {
    let start = Instant::now();
    let error = sh("sleep 60 & sleep 60").silence_max(Duration::from_millis(200)).run().expect_err("a hang");
    assert!(error.to_string().contains("hangs"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_dropped_stream_leaves_no_child() {
    let stream = sh("exec sleep 60").stream().expect("a start");
    let pid = i32::try_from(stream.child().pid()).expect("a pid");
    drop(stream);
    assert_eq!(nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None), Err(nix::errno::Errno::ESRCH));
}

#[test]
fn a_missing_program_is_named() {
    let error = Call::new("/nonexistent/pg_dump").run().expect_err("nothing there");
    assert!(error.to_string().contains("/nonexistent/pg_dump: not found"), "{error}");
}

#[test]
fn what_a_sink_died_of_is_reported_instead_of_a_broken_pipe() {
    use std::io::Write;
    let mut sink = sh("echo 'ERROR: disk on fire' >&2; exit 3").sink().expect("a start");
    let block = vec![b'x'; 1 << 20];
    let error = (0..10).find_map(|_| sink.write_all(&block).err()).expect("an error in the end");
    assert!(error.to_string().contains("disk on fire"), "{error}");
}

#[test]
fn a_conversation_goes_back_and_forth() {
    let mut cat = Call::new("/bin/cat").talk().expect("a start");
    cat.say("one\ntwo\n").expect("said");
    assert_eq!(cat.hear(Duration::from_secs(5)).expect("a line"), b"one");
    assert_eq!(cat.hear(Duration::from_secs(5)).expect("a line"), b"two");
    assert!(cat.hear(Duration::from_millis(200)).is_err());
}

#[test]
fn children_inherit_no_descriptor_of_ours() {
    let _open = std::fs::File::open("/etc/passwd").expect("a file");
    let answer = Call::new("/bin/ls").arg("-l").arg("/proc/self/fd").run().expect("a list");
    assert!(!answer.text().contains("/etc/passwd"), "{}", answer.text());
}

#[test]
fn a_secret_file_is_read_by_this_child_alone_and_has_no_name() {
    let call = Call::new("/bin/cat").secret_file("", "hidden-4711").expect("a file");
    let path = call.args[0].clone();
    assert_eq!(call.run().expect("an end").text(), "hidden-4711");
    let other = sh(&format!("cat {} 2>&1; true", path.display())).run().expect("an end").text();
    assert!(!other.contains("hidden-4711"), "{other}");
}
