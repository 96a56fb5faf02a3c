use super::*;

#[test]
fn an_event_becomes_one_line_without_secrets_or_escapes() {
    let _secret = holdfast::secret::Secret::new("canary-in-the-log");
    assert_eq!(clean("INFO said canary-in-the-log\nFORGED \u{1b}[2J\n"), "INFO said ***\\nFORGED \\u{1b}[2J\n");
}

#[test]
fn a_log_file_has_utc_stamps_and_what_v_would_show() {
    let folder = tempfile::tempdir().expect("folder");
    let daily = Arc::new(Daily::open("backup-db", folder.path(), clock::now().date_naive()).expect("opens"));
    let stamp = Stamp { tool: "backup-db", pid: 4121 };
    let file = layer(stamp, move || Lines(LogEnd::File(Arc::clone(&daily))), level(1));
    tracing::subscriber::with_default(tracing_subscriber::registry().with(vec![file]), || {
        tracing::info!(bytes = 5, "published");
        tracing::debug!("too much");
    });
    let name = std::fs::read_dir(folder.path()).expect("lists").next().expect("one file").expect("entry").path();
    let text = std::fs::read_to_string(name).expect("reads");
    let (stamp, rest) = text.split_once(' ').expect("a stamp");
    assert!(stamp.ends_with('Z') && stamp.len() == "2026-11-21T13:00:00.000Z".len(), "{text}");
    assert_eq!(rest, "backup-db[4121]  INFO manners::log::tests: published bytes=5\n");
}

#[test]
fn a_folder_that_cannot_be_is_told_and_nothing_fails() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "x").expect("write");
    let troubles = start("backup-db", Some(&file.join("logs")), 30, 0);
    assert_eq!(troubles.len(), 1);
    assert!(troubles[0].starts_with("this run is not logged: cannot create"), "{troubles:?}");
}
