use super::*;

#[test]
fn the_same_signal_once_more_says_nothing_new() {
    let now = Instant::now();
    assert!(is_echo(Some((SIGINT, now)), SIGINT));
    assert!(!is_echo(Some((SIGINT, now)), SIGTERM));
    assert!(!is_echo(now.checked_sub(REPEAT).map(|at| (SIGINT, at)), SIGINT));
    assert!(!is_echo(None, SIGINT));
}

#[test]
fn a_deadline_can_be_replaced_and_taken_away() {
    set_deadline(Duration::ZERO);
    std::thread::sleep(Duration::from_millis(2));
    assert!(check().is_err());
    set_deadline(Duration::from_secs(60));
    assert!(check().is_err(), "the first one counts");
    replace_deadline(None);
    check().expect("without one");
    replace_deadline(Some(Duration::from_secs(60)));
    check().expect("a new one");
    replace_deadline(None);
}
