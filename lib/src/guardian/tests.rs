use std::os::unix::fs::{PermissionsExt, symlink};
use std::time::Duration;

use super::*;
use crate::clock;
use crate::manifest::Level;
use crate::marker::Marker;

/// A restore into a protected environment that has a good backup.
pub(super) fn planned() -> Request {
    let at = clock::now();
    Request {
        operation: Operation::Restore,
        risk: Risk::High,
        reasons: vec![Reason { risk: Risk::High, why: "prod is protected".to_owned() }],
        target: "sqlite:/srv/prod.db".to_owned(),
        environment: Some("prod".to_owned()),
        is_protected: true,
        subject: "B1".to_owned(),
        loses: None,
        state: State::default().with("found", "a database"),
        newest_backup: Some(Newest { id: "B1".to_owned(), level: Level::Structure, made_at: at, age_seconds: 0 }),
        marker: Some(Marker::real("prod")),
        user: "ann".to_owned(),
        uid: nix::unistd::getuid().as_raw(),
        host: "here".to_owned(),
        at,
    }
}

fn low() -> Request {
    Request { risk: Risk::Low, environment: Some("dev".to_owned()), is_protected: false, ..planned() }
}

struct Place {
    folder: tempfile::TempDir,
    state: StateDir,
    rules: ApprovalRules,
}

impl Place {
    fn new(rules: ApprovalRules) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let state = StateDir::at(&folder.path().join("state"));
        Place { folder, state, rules }
    }

    fn try_with(&self, request: &Request, confirmed: Option<&str>, typed: Typed) -> Result<Approval> {
        approve(request, &Means { rules: &self.rules, state: &self.state, confirmed, ask: &|_| Ok(typed) })
    }

    #[track_caller]
    fn refuses(&self, request: &Request, confirmed: Option<&str>, why: &str) -> Error {
        let error = self.try_with(request, confirmed, Typed::NoTerminal).expect_err(why);
        assert_eq!(error.kind(), Kind::Refused, "{error}");
        assert!(error.to_string().contains(why), "{error}");
        error
    }
}

fn command(script: &str) -> ApprovalRules {
    let words = ["sh", "-c", script].map(str::to_owned).to_vec();
    ApprovalRules { command: Some(words), timeout: Duration::from_millis(300), ..ApprovalRules::default() }
}

#[test]
fn a_low_risk_needs_nothing_and_a_wrong_name_is_wrong_all_the_same() {
    let place = Place::new(ApprovalRules { by: ApprovalBy::Other, ..command("exit 1") });
    for confirmed in [None, Some("dev"), Some("dev:k3f9-7a2c")] {
        let approval = place.try_with(&low(), confirmed, Typed::NoTerminal).expect("low");
        assert_eq!(approval.given(), &Given::NotNeeded);
    }
    place.refuses(&low(), Some("prod"), "--confirm says prod, but this is about dev");
}

#[test]
fn an_approval_is_for_its_operation_and_its_target() {
    let place = Place::new(ApprovalRules::default());
    let approval = place.try_with(&low(), None, Typed::NoTerminal).expect("low");
    approval.require(Operation::Restore, "sqlite:/srv/prod.db").expect("what it is for");
    approval.require(Operation::Undo, "sqlite:/srv/prod.db").expect_err("another operation");
    approval.require(Operation::Restore, "sqlite:/srv/dev.db").expect_err("another target");
}

#[test]
fn a_person_types_the_name_and_a_script_needs_the_code() {
    let place = Place::new(ApprovalRules::default());
    let given = |typed| place.try_with(&planned(), None, typed).map(|approval| approval.given().clone());
    assert_eq!(given(Typed::Name).expect("typed"), Given::Typed { user: "ann".to_owned() });
    assert_eq!(given(Typed::Else).expect_err("something else").kind(), Kind::Refused);
    let error = place.refuses(&planned(), None, "this needs an approval, the risk is high: prod is protected");
    assert!(error.next_step().is_some_and(|hint| hint.contains("-n")));
    place.refuses(&planned(), Some("prod"), "--confirm prod has no code");
    place.refuses(&planned(), Some("dev"), "--confirm says dev, but this is about prod");
    place.refuses(&planned(), Some("dev:k3f9-7a2c"), "--confirm says dev, but this is about prod");
    let usage = place.try_with(&planned(), Some("prod:nonsense"), Typed::NoTerminal).expect_err("no code");
    assert_eq!(usage.kind(), Kind::Usage);

    let offer = Offer::make(&planned(), &place.rules, &place.state).expect("an offer");
    let confirm = offer.confirm.expect("a code");
    // A name and a code that was typed wrong use nothing up.
    place.refuses(&Request { subject: "B2".to_owned(), ..planned() }, Some(&confirm), "the plan was for B1");
    let approval = place.try_with(&planned(), Some(&confirm), Typed::NoTerminal).expect("the code");
    assert!(matches!(approval.given(), Given::Code { .. }));
    place.refuses(&planned(), Some(&confirm), "was used already");
}

#[test]
fn a_database_of_no_environment_is_confirmed_by_its_own_name() {
    let nobodys = Request { environment: None, marker: None, ..planned() };
    assert_eq!(nobodys.name(), "prod.db");
    assert_eq!(Request { marker: Some(Marker::real("prod")), ..nobodys.clone() }.name(), "prod");
    let odd = Request { target: "sqlite:/srv/a:b.db".to_owned(), ..nobodys };
    let place = Place::new(ApprovalRules::default());
    let offer = Offer::make(&odd, &place.rules, &place.state).expect("an offer");
    place.try_with(&odd, offer.confirm.as_deref(), Typed::NoTerminal).expect("a colon in the name");
}

#[test]
fn a_command_decides_by_its_status() {
    let request = planned();
    let place = Place::new(command("cat > /dev/null; echo asked >&2; echo ticket 12 >&2"));
    let approval = place.try_with(&request, None, Typed::NoTerminal).expect("yes");
    assert_eq!(approval.given(), &Given::Command { program: "sh".to_owned(), said: Some("ticket 12".to_owned()) });
    // It need not read what it is asked.
    Place::new(command("exit 0")).try_with(&request, None, Typed::NoTerminal).expect("yes, unread");
    Place::new(command("echo not on a friday >&2; exit 3")).refuses(&request, None, "says no: not on a friday");
    Place::new(command("exit 3")).refuses(&request, None, "says no: sh failed with status 3");
    // Neither a code nor a typed name overrules it.
    Place::new(command("exit 1")).try_with(&request, None, Typed::Name).expect_err("typed");
    let missing = ApprovalRules { command: Some(vec!["holdfast-no-such-program".to_owned()]), ..ApprovalRules::default() };
    Place::new(missing).refuses(&request, None, "approval.command, holdfast-no-such-program, cannot be asked");
}

#[test]
fn a_command_that_hangs_is_stopped_with_what_it_started() {
    let folder = tempfile::tempdir().expect("a folder");
    let pid = folder.path().join("pid");
    let place = Place::new(command(&format!("sleep 60 & echo $! > '{}'; wait", pid.display())));
    let start = std::time::Instant::now();
    place.refuses(&planned(), None, "gave no answer within");
    assert!(start.elapsed() < Duration::from_secs(10));
    let sleeper: i32 = std::fs::read_to_string(&pid).expect("it started").trim().parse().expect("a pid");
    let is_gone = || std::fs::read_to_string(format!("/proc/{sleeper}/stat")).map_or(true, |stat| stat.contains(") Z "));
    for _ in 0..100 {
        if is_gone() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{sleeper} still runs");
}

#[test]
fn a_command_gets_the_request_as_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let seen = folder.path().join("seen");
    let place = Place::new(command(&format!("cat > '{}'", seen.display())));
    let request = planned();
    place.try_with(&request, None, Typed::NoTerminal).expect("yes");
    let found: Request = serde_json::from_slice(&std::fs::read(seen).expect("it was written")).expect("a request");
    assert_eq!(found, request);
    assert_eq!(found.digest().expect("a digest"), request.digest().expect("a digest"));
}

/// Everything here belongs to one user, so nothing may count; `two_persons…` among the scenarios has a second one.
#[test]
fn nothing_that_the_asking_user_can_make_is_an_approval() {
    let place = Place::new(ApprovalRules::default());
    let shared = place.folder.path().join("shared");
    std::fs::create_dir(&shared).expect("a folder");
    let rules = ApprovalRules { by: ApprovalBy::Other, folder: Some(shared.clone()), ..ApprovalRules::default() };
    let place = Place { rules, ..place };
    // The refused run puts the request there.
    let error = place.refuses(&planned(), None, "only another user may approve this");
    let hint = error.next_step().expect("a hint").to_owned();
    let confirm = hint.rsplit(' ').next().expect("a word");
    let code = confirm.strip_prefix("prod:").expect("the name first");
    assert!(shared.join(format!("{code}.request.json")).is_file(), "{hint}");
    place.try_with(&planned(), None, Typed::Name).expect_err("a typed name");
    place.refuses(&planned(), Some(confirm), "no other user has approved");

    let asked = Asked::open(&shared, &Code::parse(code).expect("a code")).expect("read").expect("there");
    assert!(asked.approve().expect_err("one's own").to_string().contains("cannot approve it too"));
    let approval = shared.join(format!("{code}.approval.json"));
    let digest = asked.note.request.digest().expect("a digest");
    let content = serde_json::json!({ "code": code, "digest": digest, "at": clock::readable(clock::now()) }).to_string();
    std::fs::write(&approval, &content).expect("forged");
    std::fs::set_permissions(&approval, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    place.refuses(&planned(), Some(confirm), "who asks");
    std::fs::rename(&approval, shared.join("elsewhere")).expect("moved");
    symlink(shared.join("elsewhere"), &approval).expect("a link");
    place.refuses(&planned(), Some(confirm), "is a link");
    std::fs::remove_file(&approval).expect("removed");
    std::fs::hard_link(shared.join("elsewhere"), &approval).expect("a second name");
    place.refuses(&planned(), Some(confirm), "several names");
    std::fs::remove_file(&approval).expect("removed");
    std::fs::create_dir(&approval).expect("a folder");
    place.refuses(&planned(), Some(confirm), "is no regular file");
}

#[test]
fn without_a_folder_another_user_cannot_be_asked() {
    let place = Place::new(ApprovalRules { by: ApprovalBy::Other, ..ApprovalRules::default() });
    let error = place.try_with(&planned(), None, Typed::NoTerminal).expect_err("no folder");
    assert_eq!(error.kind(), Kind::Config);
}
