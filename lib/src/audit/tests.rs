use super::*;
use crate::state_dir::StateDir;

fn place(folder: &std::path::Path) -> Place {
    Place::at(&folder.join("audit"), "s", &StateDir::at(&folder.join("state"))).expect("a place")
}

#[test]
fn a_run_leaves_its_lines_and_they_verify() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = place(folder.path());
    let trail = Trail::begin(place.clone(), Run { tool: "t".into(), operation: "backup".into(), ..Run::default() });
    trail.note(|facts| facts.backup = Some("b".into()));
    trail.end(Ok(0)).expect("written");
    let answer = read(&place, &[], &Query::default()).expect("read");
    assert!(answer.findings.are_none(), "{:?}", answer.findings);
    let said: Vec<_> = answer.lines.iter().map(|line| (line.event.as_str(), line.backup.as_deref(), line.status)).collect();
    assert_eq!(said, [("start", None, None), ("outcome", Some("b"), Some(0))]);
    assert_eq!(answer.lines[0].prev, BEGINNING);
}
