use super::*;

#[test]
fn the_same_signal_once_more_says_nothing_new() {
    let now = Instant::now();
    assert!(is_echo(Some((SIGINT, now)), SIGINT));
    assert!(!is_echo(Some((SIGINT, now)), SIGTERM));
    assert!(!is_echo(now.checked_sub(REPEAT).map(|at| (SIGINT, at)), SIGINT));
    assert!(!is_echo(None, SIGINT));
}
