//! `file-versions tag`: names for versions.

use holdfast::clock;
use holdfast::error::Result;
use holdfast::exit;
use holdfast::versions::{Name, Selector, Tag};
use manners::{Out, Shade, Table};
use serde_json::json;

use crate::args::tag;
use crate::report::{self, Document};
use crate::scope::{Place, Scope, audit_run, of_file};

pub(crate) fn run(args: &tag::Tag, out: &Out) -> Result<u8> {
    let scope = Scope::open(&args.common)?;
    let name = Name::of(&args.file)?;
    let selector = Selector::parse(&args.selector)?;
    let place = scope.to_change(&args.common, out)?;
    let Some(tag) = &args.tag else { return list(&place, &name, out) };
    Tag::require_name(tag)?;
    let in_file = |error| of_file(error, name.path());
    if args.common.dry_run {
        let history = place.versions.history(&name)?;
        let known = history.tags.iter().find(|known| known.name == *tag);
        let version = match args.delete {
            true => known.map(|known| known.version.clone()),
            false => Some(history.find(&selector).map_err(in_file)?.id.clone()),
        };
        let does = if args.delete { "take away" } else { "give" };
        let lines = [format!("{does} {tag}, {}", version.as_deref().unwrap_or("which is not there"))];
        out.plan(&json!({ "tag": tag, "version": version, "before": known.map(|known| &known.version), "deleted": args.delete }), &lines)?;
        return Ok(exit::DONE);
    }
    let request = scope.request(args.author.as_ref(), "")?;
    let audited = scope.setting.audited(out, Some(&place.store), audit_run("tag", name.path()), |trail| {
        let held = place.versions.hold(scope.wait(args.wait))?;
        let version = if args.delete {
            place.versions.untag(&held, &name, tag)?
        } else {
            place.versions.tag(&held, &name, &selector, tag, &request.author, args.force).map_err(in_file)?.id
        };
        trail.note(|facts| {
            facts.detail.insert("version".to_owned(), json!(version));
            facts.detail.insert("tag".to_owned(), json!(tag));
            facts.detail.insert("deleted".to_owned(), json!(args.delete));
        });
        Ok((exit::DONE, version))
    })?;
    if out.is_json() {
        let error = audited.audit_error.as_deref();
        out.document(&json!({ "tag": tag, "version": audited.value, "deleted": args.delete, "audit_error": error }))?;
    } else {
        out.line(&format!("{}\t{tag}\t{}", audited.value, report::shown(name.path())))?;
    }
    Ok(audited.status)
}

fn list(place: &Place, name: &Name, out: &Out) -> Result<u8> {
    let history = place.versions.history(name)?;
    let problems: Vec<String> = history.damaged.iter().map(|damaged| format!("{}: {}", damaged.path.display(), damaged.why)).collect();
    if out.is_json() {
        let tags: Vec<_> = history
            .tags
            .iter()
            .map(|tag| {
                let version = history.versions.iter().find(|version| version.id == tag.version);
                json!({ "tag": tag.name, "version": version.map(Document::of) })
            })
            .collect();
        out.document(&json!({ "tags": tags, "problems": problems }))?;
    } else {
        let mut table = Table::new(["tag", "version", "given at", "author"]);
        for tag in &history.tags {
            table.row(Shade::Plain, [&tag.name, &tag.version, &clock::readable(tag.created_at), &tag.author]);
        }
        out.table(&table)?;
    }
    report::warn_all(out, &problems);
    Ok(if problems.is_empty() { exit::DONE } else { exit::BAD })
}
