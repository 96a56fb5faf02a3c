//! What is written, and what becomes of a write that fails.

use super::*;

#[test]
fn a_run_leaves_its_lines_and_they_verify() {
    let log = Log::new();
    let trail = Trail::begin(log.place.clone(), Run { tool: "t".into(), operation: "backup".into(), ..Run::default() });
    trail.plan(serde_json::json!({ "steps": 3 }));
    trail.approval("granted", serde_json::json!("by hand"));
    trail.note(|facts| facts.backup = Some("b".into()));
    trail.command_begins(serde_json::Value::Null);
    trail.command_ended("failed", Some(3), std::time::Duration::from_millis(1_500), serde_json::Value::Null);
    let id = trail.id().to_owned();
    trail.end(Ok(0), 7).expect("written");
    let lines = log.is_whole().lines;
    let said: Vec<_> =
        lines.iter().map(|line| (line.event.as_str(), line.backup.as_deref(), line.result.as_deref(), line.status)).collect();
    assert_eq!(
        said,
        [
            ("start", None, None, None),
            ("plan", None, None, None),
            ("approval", None, Some("granted"), None),
            ("command", Some("b"), Some("begun"), None),
            ("command", Some("b"), Some("failed"), Some(3)),
            ("outcome", Some("b"), Some("done"), Some(0)),
        ]
    );
    assert!(lines.iter().all(|line| line.run == id && line.pid == std::process::id() && !line.user.is_empty() && !line.host.is_empty()));
    assert_eq!((lines[0].prev.as_str(), lines[4].duration_ms), (BEGINNING, Some(1_500)));
    assert_eq!((&lines[1].detail["steps"], &lines[2].detail["detail"]), (&3.into(), &"by hand".into()));
    assert_eq!(fsx::mode_of(log.place.folder()).expect("a mode"), 0o700);
    assert_eq!(fsx::mode_of(&log.path(&log.files()[0].0)).expect("a mode"), 0o600);
}

#[test]
fn a_run_that_is_dropped_counts_as_failed_and_one_that_only_planned_has_no_outcome() {
    let log = Log::new();
    drop(Trail::begin(log.place.clone(), Run::default()));
    let dry = Trail::open(log.place.clone(), Run::default());
    dry.plan(serde_json::Value::Null);
    drop(dry);
    let said: Vec<_> = log.is_whole().lines.into_iter().map(|line| (line.event, line.result)).collect();
    assert_eq!(said, [("start".to_owned(), None), ("outcome".to_owned(), Some("failed".to_owned())), ("plan".to_owned(), None)]);
}

#[test]
fn a_line_that_could_not_be_written_makes_a_run_partial_and_says_so_at_its_end() {
    let log = Log::new();
    fs::write(log.place.folder(), "no folder").expect("written");
    let trail = Trail::begin(log.place.clone(), Run::default());
    assert!(trail.trouble().is_some_and(|why| why.contains("audit")));
    fs::remove_file(log.place.folder()).expect("removed");
    let error = trail.end(Ok(0), 7).expect_err("the start is missing");
    assert_eq!(error.kind(), crate::error::Kind::Partial);
    let lines = log.is_whole().lines;
    assert_eq!((lines.len(), lines[0].status, lines[0].result.as_deref()), (1, Some(7), Some("partial")));
    assert!(lines[0].error.as_deref().is_some_and(|why| why.starts_with("the audit trail lacks a line of this run")), "{lines:?}");
}

#[test]
fn the_file_is_that_of_the_day_but_never_older_than_the_newest() {
    let log = Log::new();
    for (at, file, line) in [
        ("2026-11-21T23:59:59.999Z", "audit_2026-11-21.jsonl", 1),
        ("2026-11-22T00:00:00Z", "audit_2026-11-22.jsonl", 1),
        // The clock went back a year, and is right again after a while.
        ("2025-11-22T00:00:00Z", "audit_2026-11-22.jsonl", 2),
        ("2026-11-22T10:00:00Z", "audit_2026-11-22.jsonl", 3),
        ("2026-11-24T10:00:00Z", "audit_2026-11-24.jsonl", 1),
    ] {
        let head = log.append(at, Event::Start, "r");
        assert_eq!((head.file.as_str(), head.line, head.at), (file, line, time(at)));
    }
    assert_eq!(log.is_whole().lines.len(), 5);
}

/// Leaves the first bytes of one more line at the end of the newest file, as a power cut does.
fn tear(log: &Log, bytes: &[u8]) -> String {
    let (name, mut content) = log.files().pop().expect("a file");
    content.extend_from_slice(bytes);
    fs::write(log.path(&name), content).expect("torn");
    fsx::sha256_hex(bytes)
}

#[test]
fn fm_j07_a_torn_last_line_is_cut_off_and_told() {
    let whole = log_line_of_later();
    for (at, has_memory) in (1..whole.len()).step_by(7).flat_map(|at| [(at, true), (at, false)]) {
        let log = Log::of_three_days();
        let hash = tear(&log, &whole[..at]);
        if !has_memory {
            fs::remove_dir_all(log.place.state().path()).expect("another machine");
        }
        let before = log.answer().findings;
        assert_eq!((before.broken.is_empty(), before.notes.is_empty()), (has_memory, !has_memory), "{before:?}");
        log.append("2026-11-23T20:00:00Z", Event::Start, "next");
        let lines = log.is_whole().lines;
        let [.., repaired, next] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!((lines.len(), repaired.event.as_str(), next.run.as_str()), (32, "repaired", "next"));
        assert_eq!(repaired.detail["cut_bytes"], at as u64);
        assert_eq!(repaired.detail["cut_sha256"], hash);
        assert_eq!(repaired.detail["file"], "audit_2026-11-23.jsonl");
    }
}

fn log_line_of_later() -> Vec<u8> {
    let log = Log::of_three_days();
    log.append("2026-11-23T19:00:00Z", Event::Start, "later");
    let content = log.files().pop().expect("a file").1;
    content.split_inclusive(|byte| *byte == b'\n').next_back().expect("a line").to_vec()
}

#[test]
fn a_torn_first_line_of_a_day_is_repaired_too() {
    let log = Log::of_three_days();
    fs::write(log.path("audit_2026-11-24.jsonl"), b"{\"at\":").expect("written");
    log.append("2026-11-24T20:00:00Z", Event::Start, "next");
    assert_eq!(log.is_whole().lines.len(), 32);
    // A run that was killed before it had written anything into its new file.
    fs::write(log.path("audit_2026-11-25.jsonl"), b"").expect("written");
    log.append("2026-11-25T20:00:00Z", Event::Start, "next");
    assert_eq!(log.is_whole().lines.len(), 33);
}

#[test]
fn a_memory_that_is_older_or_lost_or_nonsense_does_no_harm() {
    let log = Log::of_three_days();
    let path = log.place.state().path().join("audit-heads/s.json");
    let old = fs::read(&path).expect("remembered");
    log.append("2026-11-23T20:00:00Z", Event::Start, "one");
    for memory in [old.as_slice(), b"", b"{", b"{\"head\":null}"] {
        fs::write(&path, memory).expect("written");
        let head = log.append("2026-11-23T20:00:00Z", Event::Start, "more");
        assert_eq!(Memory::recall(&log.place).head.as_ref(), Some(&head));
        assert_eq!(head.line, log.is_whole().lines.len() as u64 - 20);
    }
    // Another machine went on into a new day.
    fs::write(&path, &old).expect("written");
    assert_eq!(log.append("2026-11-25T20:00:00Z", Event::Start, "more").line, 1);
    log.is_whole();
}

#[test]
fn fm_j07_no_secret_and_no_control_character_is_written() {
    let _secret = crate::secret::Secret::new("canary-4711");
    let log = Log::new();
    let mut entry = Entry::new(Event::Outcome, "r", "t", "o");
    let text = || Some("a canary-4711 postgres://u:hunter22@h/d \u{1b}[2J\n".to_owned());
    (entry.target, entry.error, entry.backup, entry.environment, entry.result) = (text(), text(), text(), text(), text());
    let deep = serde_json::json!({ "canary-4711": ["canary-4711", { "x": "postgres://u:hunter22@h/d" }] });
    entry.detail.insert("canary-4711".to_owned(), deep);
    append(&log.place, &entry).expect("written");
    let (_, bytes) = log.files().pop().expect("a file");
    let written = String::from_utf8(bytes).expect("UTF-8");
    assert!(!written.contains("canary-4711") && !written.contains("hunter22") && written.contains("***"), "{written}");
    assert!(!written.trim_end_matches('\n').contains(char::is_control), "{written:?}");
    assert_eq!(log.is_whole().lines[0].error.as_deref(), Some("a *** postgres://u:***@h/d \u{1b}[2J\n"));
}

#[test]
fn a_flood_is_cut_to_one_line_of_bounded_length() {
    let log = Log::new();
    let mut entry = Entry::new(Event::Outcome, "r", "t", "o");
    let flood = "\u{1}".repeat(1 << 20);
    entry.detail.insert("steps".to_owned(), vec!["x".repeat(3_000); 100].into());
    (entry.error, entry.target, entry.environment, entry.result) =
        (Some(flood.clone()), Some(flood.clone()), Some(flood.clone()), Some(flood));
    append(&log.place, &entry).expect("written");
    log.append("2026-11-23T20:00:00Z", Event::Start, "next");
    let lines = log.is_whole().lines;
    assert_eq!(lines.len(), 2);
    assert!(lines[0].detail["left_out_bytes"].as_u64().is_some_and(|bytes| bytes > 300_000));
    assert!(log.files().iter().all(|(_, bytes)| bytes.len() < 64 << 10));
}

#[test]
fn fm_j01_a_link_in_place_of_the_trail_is_not_followed() {
    let log = Log::new();
    let elsewhere = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(elsewhere.path(), log.place.folder()).expect("a link");
    append(&log.place, &entry(Event::Start, "r")).expect_err("a link for a folder");
    fs::remove_file(log.place.folder()).expect("removed");
    let precious = elsewhere.path().join("precious");
    fs::write(&precious, "x\n").expect("written");
    fs::create_dir(log.place.folder()).expect("a folder");
    std::os::unix::fs::symlink(&precious, log.path("audit_2026-11-23.jsonl")).expect("a link");
    append_by(|| time("2026-11-23T20:00:00Z"), &log.place, &entry(Event::Start, "r")).expect_err("a link for a file");
    assert_eq!(fs::read_to_string(precious).expect("read"), "x\n");
    assert_eq!(names(elsewhere.path()), ["precious"]);
    assert!(!log.answer().findings.are_none(), "the link is told");
}

#[test]
fn a_file_that_is_only_in_the_cloud_is_not_begun_anew() {
    let log = Log::of_three_days();
    let evicted = log.path(".audit_2026-11-23.jsonl.icloud");
    let away = log.path("away");
    fs::rename(log.path("audit_2026-11-23.jsonl"), &away).expect("evicted");
    fs::write(&evicted, "").expect("a placeholder");
    let error = append_by(|| time("2026-11-23T20:00:00Z"), &log.place, &entry(Event::Start, "r")).expect_err("today's file");
    assert!(error.to_string().contains("audit_2026-11-23.jsonl is only in the cloud"), "{error}");
    // On the next day it goes on from the line that is remembered, and the file fits in when it comes down.
    log.append("2026-11-24T20:00:00Z", Event::Start, "r");
    assert!(log.answer().findings.broken[0].what.starts_with(".audit_2026-11-23.jsonl.icloud"));
    fs::remove_file(&evicted).expect("removed");
    fs::rename(&away, log.path("audit_2026-11-23.jsonl")).expect("downloaded");
    assert_eq!(log.is_whole().lines.len(), 31);
}

#[test]
fn what_is_appended_costs_the_same_however_long_the_log_is() {
    let log = Log::new();
    log.append("2026-11-23T10:00:00Z", Event::Start, "r");
    let path = log.path("audit_2026-11-23.jsonl");
    // 64 sparse GiB before the last line: whoever read more than the tail would take very long.
    let line = log.files().pop().expect("a file").1;
    let file = fs::OpenOptions::new().write(true).open(&path).expect("open");
    let begin = (1 << 36) - 1;
    std::os::unix::fs::FileExt::write_all_at(&file, &[b"\n".as_slice(), &line].concat(), begin).expect("written");
    let newest =
        Head { file: "audit_2026-11-23.jsonl".into(), line: 9, offset: begin + 1 + line.len() as u64, ..head(&log.place).expect("a head") };
    Memory { head: Some(newest), torn: None }.keep(&log.place).expect("remembered");
    assert_eq!(log.append("2026-11-23T10:00:00Z", Event::Start, "r").line, 10);
}

#[test]
fn queries_choose_and_the_summary_counts() {
    let log = Log::of_three_days();
    log.append("2026-11-24T10:00:00Z", Event::Start, "killed");
    let count = |query: Query| read(&log.place, &[], &query).expect("read").matched;
    assert_eq!(count(Query { event: Some("outcome".into()), ..Query::default() }), 15);
    assert_eq!(count(Query { run: Some("run4".into()), ..Query::default() }), 6);
    assert_eq!(count(Query { environment: Some("dev".into()), ..Query::default() }), 0);
    assert_eq!(count(Query { operation: Some("backup-db".into()), ..Query::default() }), 31);
    assert_eq!(count(Query { user: Some(nix::unistd::geteuid().to_string()), ..Query::default() }), 31);
    let day = |text: &str, is_end: bool| Some(moment(text, is_end).expect("a time"));
    assert_eq!(count(Query { since: day("2026-11-21", false), until: day("2026-11-21", true), ..Query::default() }), 10);
    assert_eq!(count(Query { since: day("2026-11-21T17:00:00Z", false), ..Query::default() }), 12);
    let newest = read(&log.place, &[], &Query { limit: Some(2), ..Query::default() }).expect("read");
    assert_eq!(newest.lines.iter().map(|line| line.run.as_str()).collect::<Vec<_>>(), ["run4", "killed"]);
    assert!(moment("yesterday", false).is_err());
    // This process wrote them, and it runs.
    let summary = newest.summary;
    assert_eq!((summary.lines, summary.operations["backup"]["done"], summary.running), (31, 15, 1));
    assert_eq!(summary.unfinished, []);
}

#[test]
fn a_run_whose_process_is_gone_is_unfinished() {
    let log = Log::new();
    let gone = std::process::Command::new("true").spawn().and_then(|mut child| child.wait().map(|_| child.id())).expect("a process");
    log.append("2026-11-23T10:00:00Z", Event::Start, "r");
    let (name, bytes) = log.files().pop().expect("a file");
    let line = String::from_utf8(bytes).expect("text").replace(&format!("\"pid\":{}", std::process::id()), &format!("\"pid\":{gone}"));
    fs::write(log.path(&name), line).expect("written");
    fs::remove_dir_all(log.place.state().path()).expect("another machine");
    let summary = log.is_whole().summary;
    assert_eq!(summary.unfinished.len(), 1);
    assert_eq!((summary.unfinished[0].pid, summary.unfinished[0].process), (gone, Process::Gone));
}
