//! Rules of the house that no compiler checks: layers, file sizes, fault rows, and that what the pages say is so.

#[allow(dead_code)]
#[path = "support/postgres.rs"]
mod postgres;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file above this has a type in it that should be split.
const SOURCE_LINES_MAX: usize = 500;
const TOOLS: [&str; 6] = ["backup-db", "backup-full", "restore-db", "backup-guard", "backup-catalog", "file-versions"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below a folder of the repository, sorted.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a listing") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "rs")
}

#[test]
fn every_source_file_is_small() {
    let sources = ["lib/src", "bins", "examples", "scripts"].into_iter().flat_map(files);
    let long: Vec<String> = sources
        .map(|path| (read(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > SOURCE_LINES_MAX)
        .map(|(lines, path)| format!("{}: {lines} lines", shown(&path)))
        .collect();
    assert!(long.is_empty(), "more than {SOURCE_LINES_MAX} lines: {long:#?}");
}

/// The modules that a source uses through `crate::`, outside of comments and of the tests at its end.
fn crate_uses(text: &str) -> BTreeSet<String> {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect();
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let list = match rest.strip_prefix('{') {
            Some(list) => list.split_once('}').map_or(list, |(list, _)| list),
            None => rest.split(|after: char| !(after.is_alphanumeric() || after == '_')).next().unwrap_or_default(),
        };
        for name in list.split(',') {
            let name = name.trim().split("::").next().unwrap_or_default();
            // `Error` and `Result` are re-exported at the root.
            used.insert(if name.starts_with(char::is_uppercase) { "error".to_owned() } else { name.to_owned() });
        }
    }
    used.remove("");
    used
}

#[test]
fn a_use_of_the_crate_is_found_wherever_it_stands() {
    let text = "use crate::fsx;\nuse crate::{exec::Call, lock};\n// crate::verbs\nfn f() -> crate::Result<()> { crate::id::new() }\n#[cfg(test)]\nmod tests { use crate::store; }\n";
    assert_eq!(crate_uses(text).into_iter().collect::<Vec<_>>(), ["error", "exec", "fsx", "id", "lock"]);
}

#[test]
fn a_module_of_the_library_uses_only_modules_declared_above_it() {
    let text = read(&root().join("lib/src/lib.rs"));
    let modules: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';')).collect();
    assert!(modules.len() > 20, "{modules:?}");
    let rank = |name: &str| modules.iter().position(|module| *module == name);
    let mut upward = Vec::new();
    for path in files("lib/src").into_iter().filter(|path| is_rust(path)) {
        let inside = shown(&path).trim_start_matches("lib/src/").to_owned();
        let is_test = inside.ends_with("/tests.rs") || inside.contains("/tests/");
        if inside == "lib.rs" || is_test {
            continue;
        }
        let module = inside.split(['/', '.']).next().unwrap_or_default();
        let own = rank(module).unwrap_or_else(|| panic!("{inside} belongs to no module of lib.rs"));
        for used in crate_uses(&read(&path)) {
            if rank(&used).is_none_or(|rank| rank > own) {
                upward.push(format!("{inside} uses {used}, which is not declared above {module}"));
            }
        }
    }
    assert!(upward.is_empty(), "{upward:#?}");
}

/// Row ids in a test's name: `fm_a22_fm_a23_missing_roles` has A22 and A23.
fn rows_in(name: &str) -> Vec<String> {
    let is_row =
        |text: &&str| text.len() >= 3 && text.as_bytes()[0].is_ascii_lowercase() && text[1..].bytes().all(|byte| byte.is_ascii_digit());
    let mut words = name.split(['_', '-', '.']).peekable();
    let mut rows = Vec::new();
    while let Some(word) = words.next() {
        if word == "fm"
            && let Some(row) = words.peek().filter(|word| is_row(word))
        {
            rows.push(row.to_uppercase());
        }
    }
    rows
}

/// Every test named after a fault row, by row: functions, and scenarios by their file's name.
fn fault_tests() -> BTreeMap<String, Vec<String>> {
    let mut tests: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in ["lib/src", "bins", "tests"].into_iter().flat_map(files) {
        let mut names = Vec::new();
        if is_rust(&path) {
            let text = read(&path);
            names.extend(text.lines().filter_map(|line| {
                let name = line.trim_start().strip_prefix("fn fm_")?.split('(').next()?;
                Some(format!("fm_{name}"))
            }));
        } else if let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|name| name.starts_with("fm")) {
            names.push(name.to_owned());
        }
        for name in names {
            for row in rows_in(&name) {
                tests.entry(row).or_default().push(format!("`{name}` in {}", shown(&path)));
            }
        }
    }
    tests
}

#[test]
fn every_fault_row_has_its_tests_and_the_table_of_them_is_true() {
    assert_eq!(rows_in("fm_a22_fm_a23_missing_roles"), ["A22", "A23"]);
    let tests = fault_tests();
    let list = read(&root().join("docs/faults-covered.md"));
    let mut table = String::from(
        "# Fault rows and their tests\n\nMade from the tests' names by `HOLDFAST_BLESS=1 cargo test --test house`; the rows are those of [faults-covered.md](faults-covered.md).\n\n| id | fault | tests |\n| --- | --- | --- |\n",
    );
    let (mut listed, mut missing) = (BTreeSet::new(), Vec::new());
    for line in list.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, fault, _, test] = cells[..] else { continue };
        if !id.starts_with(char::is_uppercase) || id.len() < 3 {
            continue;
        }
        assert!(listed.insert(id.to_owned()), "{id} is listed twice");
        assert!(matches!(test, "required" | "later"), "{line}");
        let found = tests.get(id);
        if test == "required" && found.is_none() {
            missing.push(id);
        }
        let _ = writeln!(table, "| {id} | {fault} | {} |", found.map_or("none yet".to_owned(), |tests| tests.join("<br>")));
    }
    let covered = listed.iter().filter(|id| tests.contains_key(*id)).count();
    let _ = writeln!(table, "\n{covered} of {} rows have a test.", listed.len());
    assert!(missing.is_empty(), "no test is named after these required rows: {missing:?}");
    let unknown: Vec<_> = tests.keys().filter(|id| !listed.contains(*id)).collect();
    assert!(unknown.is_empty(), "these rows have a test and are not in docs/faults-covered.md: {unknown:?}");
    let path = root().join("docs/fault-tests.md");
    if std::env::var_os("HOLDFAST_BLESS").is_some() {
        fs::write(&path, &table).expect("written");
    }
    assert!(read(&path) == table, "docs/fault-tests.md is out of date: HOLDFAST_BLESS=1 cargo test --test house");
}

fn tool(name: &str) -> PathBuf {
    match name {
        "backup-db" => env!("CARGO_BIN_EXE_backup-db"),
        "backup-full" => env!("CARGO_BIN_EXE_backup-full"),
        "restore-db" => env!("CARGO_BIN_EXE_restore-db"),
        "file-versions" => env!("CARGO_BIN_EXE_file-versions"),
        "backup-catalog" => env!("CARGO_BIN_EXE_backup-catalog"),
        _ => env!("CARGO_BIN_EXE_backup-guard"),
    }
    .into()
}

/// A tool's help, and that of each of its subcommands.
fn help_of(name: &str) -> String {
    let help = |words: &[&str]| {
        let output = Command::new(tool(name)).args(words).arg("--help").output().expect("it runs");
        String::from_utf8(output.stdout).expect("text")
    };
    let own = help(&[]);
    let listed = own.split_once("\nCommands:\n").map(|(_, rest)| rest.split("\n\n").next().unwrap_or_default()).unwrap_or_default();
    let subcommands = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next().filter(|word| !word.is_empty()));
    let rest: String = subcommands.map(|subcommand| help(&[subcommand])).collect();
    own + &rest
}

/// The flags of a tool's `--help`, short and long, with those of its subcommands.
fn flags_of(name: &str) -> BTreeSet<String> {
    let help = help_of(name);
    let options = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    options
        .flat_map(|line| line.split([' ', ',', '[', '=']).take_while(|word| word.is_empty() || word.starts_with('-')))
        .map(|word| word.trim_end_matches("...").to_owned())
        .filter(|word| word.len() > 1)
        .collect()
}

/// The command lines of a text that begin with a tool's name, up to where a shell, or a code span, ends them.
fn calls<'a>(text: &'a str, tool: &str) -> Vec<&'a str> {
    text.match_indices(tool)
        .filter(|(at, _)| !text[..*at].ends_with(|before: char| before.is_alphanumeric() || matches!(before, '-' | '.' | '_' | '@')))
        .map(|(at, _)| {
            let rest = &text[at + tool.len()..];
            rest.split(['\n', '`', '|', ';', ')', '>', '#', ',', '"']).next().unwrap_or_default()
        })
        .filter(|rest| rest.starts_with(' '))
        .collect()
}

#[test]
fn every_flag_that_a_page_shows_exists() {
    let mut pages = files("docs");
    pages.extend(files("cron"));
    pages.extend(
        ["README.md", "CHANGELOG.md", "holdfast.example.toml", "scripts/demo", "scripts/install-schedule"].map(|name| root().join(name)),
    );
    let mut seen = 0;
    for name in TOOLS {
        let known = flags_of(name);
        assert!(known.contains("-e") && known.contains("--dry-run"), "{known:?}");
        for page in &pages {
            for call in calls(&read(page), name) {
                let words = call.split_whitespace().take_while(|word| !matches!(*word, "&&" | "||" | "--"));
                for flag in words.filter(|word| word.starts_with('-') && word.len() > 1) {
                    let flag = flag.split('=').next().unwrap_or(flag).trim_end_matches(['.', ':', ']', '*', '\'']);
                    // `--keep-…` stands for several.
                    let is_known = known.contains(flag)
                        || flag.strip_suffix('…').is_some_and(|begin| known.iter().any(|flag| flag.starts_with(begin)));
                    assert!(is_known, "{}: {name}{call}: there is no {flag}", shown(page));
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 30, "only {seen} flags were found: is the search still right?");
}

/// The lines of README.md's code blocks that are marked with exactly this.
fn tour(mark: &str) -> String {
    let (mut lines, mut is_inside) = (String::new(), false);
    for line in read(&root().join("README.md")).lines() {
        if line.starts_with("```") {
            is_inside = !is_inside && line == mark;
        } else if is_inside {
            lines.push_str(line);
            lines.push('\n');
        }
    }
    assert!(!lines.is_empty(), "README.md has no {mark}");
    lines
}

/// Runs lines of the tour as a newcomer would, in an empty folder with nothing of this user's; what they printed.
fn take(tour: &str, connection: &[(String, String)]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let work = folder.path().join("tour");
    fs::create_dir(&work).expect("a folder");
    let bin = tool("backup-db").parent().expect("a folder").to_owned();
    let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())));
    let output = Command::new("sh")
        .args(["-eu", "-c", tour])
        .current_dir(&work)
        .env("PATH", path.expect("a PATH"))
        .env("HOME", folder.path())
        .env("HOLDFAST_STATE_DIR", folder.path().join("state"))
        .env("XDG_CONFIG_HOME", folder.path().join("none"))
        .env_remove("HOLDFAST_CONFIG")
        .env_remove("HOLDFAST_ENV")
        .env_remove("HOLDFAST_STORE")
        .envs(connection.iter().cloned())
        .output()
        .expect("sh runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}: {said}{}", output.status, String::from_utf8_lossy(&output.stderr));
    said
}

fn require_in_order(said: &str, wanted: &[&str]) {
    let mut rest = said;
    for text in wanted {
        let (_, after) = rest.split_once(text).unwrap_or_else(|| panic!("{text:?} does not stand where it should in: {said}"));
        rest = after;
    }
}

#[test]
fn the_tour_of_the_readme_runs_as_it_stands() {
    let said = take(&tour("```sh tour"), &[]);
    require_in_order(
        &said,
        &[
            "-dev-db-",
            "made at",
            "restore passed",
            "FAILED",
            "status 3",
            "checksum passed",
            "safety backup",
            "swap",
            "\n20000\n",
            "undone",
            "undone",
            "discarded",
            "-vat = 19",
            "+vat = 7",
            "before ",
            "the rates of 2026",
            "marked\tprod",
            "status 4",
            "status 4",
            "prod is protected, and a restore replaces its database",
            "--confirm prod:",
            "-prod-db-",
            "\nok\n20000\n",
        ],
    );
}

#[test]
fn the_tour_of_the_readme_runs_on_postgresql() {
    let settings = postgres::server().command("psql", "postgres", "postgres");
    let connection: Vec<(String, String)> =
        settings.get_envs().filter_map(|(name, value)| Some((name.to_str()?.to_owned(), value?.to_str()?.to_owned()))).collect();
    let said = take(&tour("```sh tour postgres"), &connection);
    require_in_order(&said, &["-ledger-db-", "restore passed", "\n1000\n", "undone", "discarded"]);
}

/// Every field's name in a document; what a manifest holds is described elsewhere.
fn fields(document: &serde_json::Value, found: &mut BTreeSet<String>) {
    match document {
        serde_json::Value::Object(map) => {
            for (name, value) in map {
                found.insert(name.clone());
                // What a detail holds is no interface, and counts have operations and users for names.
                if !["manifest", "detail", "operations", "users"].contains(&name.as_str()) {
                    fields(value, found);
                }
            }
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| fields(value, found)),
        _ => {}
    }
}

#[test]
fn every_field_of_a_json_document_is_described() {
    let said = take(
        "sqlite3 app.db 'CREATE TABLE t (a); INSERT INTO t VALUES (1)'
         backup-db app.db -n --json; backup-db app.db --json --keep-last 3; restore-db --list --json; restore-db latest -n --json
         restore-db latest --json; restore-db --undo -n --json; restore-db --undo --json; backup-db app.db --json
         restore-db --discard --json; backup-guard --json; backup-guard mark-env dev app.db --json; restore-db latest -n --json
         backup-guard audit --json
         echo a > file; backup-full -e dev file --database app.db -n --json; backup-full -e dev file --json; restore-db latest --preview --json
         restore-db latest --files-to back --json
         backup-guard mark-env prod app.db -n --json; backup-guard mark-env dev app.db -n --json; backup-db missing.db --json || true
         echo 1 > a; file-versions save a -m one -n --json; file-versions save a -m one --json; echo 2 > a; file-versions diff a --json
         file-versions tag a x --json; file-versions tag a --json; file-versions tag a x --delete -n --json; file-versions cat a --json
         file-versions restore a -n --json; file-versions restore a --json; file-versions log a --json; file-versions log --json
         file-versions stats --json; file-versions gc --keep-last 1 --json
         printf '%s\\n' 'env.dev.database = \"app.db\"' '[env.dev.retention]' 'keep_last = 1' 'archive_after_days = 9' > holdfast.toml
         backup-db -q -e dev >made; backup-catalog list --json; backup-catalog tag latest a --json; backup-catalog pin latest --json; backup-catalog show latest --json
         backup-catalog stats --json; backup-guard -q >checked; backup-catalog checks --json; backup-catalog diff latest --with-current --json
         backup-catalog prune -n --json; backup-catalog prune --json; backup-catalog cleanup --json; backup-catalog archive --json
         backup-catalog export latest -n --json; backup-catalog export latest -o x.tar.gz --json; backup-catalog import x.tar.gz --json
         backup-catalog import x.tar.gz -n --json; cp app.db copy; backup-catalog import --as db -e dev copy -n --json
         id=$(backup-catalog import --as db -e dev copy --at 2020-11-01 2>said | cut -f1); backup-catalog delete $id -n --json; backup-catalog delete $id --json
         id=$(backup-db -q -e dev | cut -f1); rm -r backups/dev/$id; backup-catalog forget $id -n --json; backup-catalog forget $id --json",
        &[],
    );
    let mut found = BTreeSet::new();
    let documents: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(documents.len(), 53, "{said}");
    documents.iter().for_each(|document| fields(document, &mut found));
    let page = read(&root().join("docs/json.md")) + &read(&root().join("docs/audit.md"));
    let is_described = |name: &&String| {
        ["`", ".", "\""].iter().any(|before| page.contains(&format!("{before}{name}`")) || page.contains(&format!("{before}{name}.")))
    };
    let missing: Vec<_> = found.iter().filter(|name| !is_described(name)).collect();
    assert!(found.len() > 40 && missing.is_empty(), "docs/json.md does not describe {missing:?}");
}
