use super::*;

fn sample() -> Manifest {
    let time = "2026-11-21T13:00:00Z".parse().expect("a time");
    Manifest {
        format: 1,
        id: "20261121T130000Z-dev-db-7f3a".into(),
        store_id: "5".into(),
        environment: "dev".into(),
        protected: true,
        kind: Kind::Db,
        backup_type: Type::Full,
        parent: None,
        created_at: time,
        finished_at: time,
        host: "h".into(),
        tool: "holdfast 0.1.0".into(),
        reason: None,
        tags: vec![],
        verification: Some(Verification { level: Level::Structure, at: time }),
        problems: vec![],
        warnings: vec![],
        database: None,
        fingerprint: None,
        components: vec![],
        durations_ms: BTreeMap::new(),
        audit_head: None,
    }
}

fn component(file: &str) -> Component {
    Component {
        role: "database".into(),
        file: file.into(),
        content: "sqlite".into(),
        compression: "gzip".into(),
        stored_bytes: 1,
        plain_bytes: 1,
        stored_sha256: String::new(),
        frames: 1,
        chunks: 1,
        index: "database.index".into(),
        index_bytes: 1,
        index_sha256: String::new(),
        sources: Vec::new(),
        files: None,
    }
}

#[test]
fn what_was_written_is_read_again() {
    let mut manifest = sample();
    assert_eq!(Manifest::parse(&manifest.to_bytes().expect("bytes")).expect("a manifest"), manifest);
    manifest.audit_head = Some(AuditHead { sha256: "00".repeat(32), at: manifest.created_at });
    assert_eq!(Manifest::parse(&manifest.to_bytes().expect("bytes")).expect("a manifest"), manifest);
}

#[test]
fn fm_c07_a_manifest_cannot_name_a_file_outside_its_backup() {
    for name in ["../x", "/etc/passwd", "a/b", ".hidden", "", "a\0b", "manifest.json", "database.index"] {
        let mut manifest = sample();
        manifest.components.push(component(name));
        let error = Manifest::parse(&manifest.to_bytes().expect("bytes")).expect_err(name);
        assert_eq!(error.kind(), crate::error::Kind::Bad, "{name:?}");
    }
}

#[test]
fn fm_c08_a_newer_format_is_refused_by_name() {
    let mut manifest = sample();
    manifest.format = 2;
    let error = Manifest::parse(&manifest.to_bytes().expect("bytes")).expect_err("a newer format");
    assert!(error.to_string().contains("format 2"), "{error}");
}

#[test]
fn unknown_fields_are_ignored() {
    let text = String::from_utf8(sample().to_bytes().expect("bytes")).expect("utf-8");
    let text = text.replacen("{", "{\"later_invention\": [1, 2],", 1);
    Manifest::parse(text.as_bytes()).expect("a manifest");
}

#[test]
fn fm_j05_deep_or_broken_json_is_an_error_and_no_panic() {
    for text in ["", "{", "[]", "null", &"[".repeat(200_000), "{\"format\": -1}", "{\"format\": 1e99}"] {
        Manifest::parse(text.as_bytes()).expect_err("not a manifest");
    }
}
