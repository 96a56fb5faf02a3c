//! What a backup is made of, and how it comes into the staging folder.

use std::collections::BTreeMap;
use std::time::Instant;

use crate::backup::Backup;
use crate::catalog::Catalog;
use crate::component::{self, Origin};
use crate::engine::{Dumped, Engine, Probe};
use crate::environment::Environment;
use crate::error::Result;
use crate::files::pack;
use crate::files::walk::{self, Selection};
use crate::manifest::{Manifest, Type, content};
use crate::progress::Progress;
use crate::store::Staging;
use crate::verbs::backup::emptied;
use crate::verbs::parent::Parent;
use crate::verbs::verify::elapsed_ms;

/// What one backup is made of.
#[derive(Clone, Copy, Default)]
pub(in crate::verbs) struct Sources<'a> {
    /// The database, and what was seen of it.
    pub(in crate::verbs) database: Option<(&'a dyn Engine, &'a Probe)>,
    /// Files, by the role of their component.
    pub(in crate::verbs) files: &'a [(&'static str, Selection)],
}

impl<'a> Sources<'a> {
    /// A database alone.
    pub(in crate::verbs) fn database(engine: &'a dyn Engine, probe: &'a Probe) -> Self {
        Sources { database: Some((engine, probe)), files: &[] }
    }

    /// What a backup of them is of, in the words of its manifest.
    pub(super) fn content(&self) -> String {
        let location = self.database.map(|(engine, _)| engine.location());
        let files = self.files.iter().map(|(role, selection)| (*role, selection.roots.as_slice(), selection.by_hand.as_slice()));
        content(location.as_deref(), files)
    }

    /// About how many bytes a backup of them stores, by what the last one stored. Where there is none yet, nobody knows.
    pub(super) fn expected_bytes(&self, catalog: &Catalog) -> u64 {
        let has = |backup: &Backup, is_archive: bool| {
            backup.manifest().components.iter().any(|component| component.files.is_some() == is_archive)
        };
        let stored = |is_archive: bool| {
            // As much as the last full, also where an increment is likely: nobody knows yet how much has changed.
            let last = catalog.newest(|backup| backup.manifest().backup_type == Type::Full && has(backup, is_archive))?;
            let own = last.manifest().components.iter().filter(|component| component.files.is_some() == is_archive);
            Some(own.map(|component| component.stored_bytes.saturating_add(component.index_bytes)).sum::<u64>())
        };
        let database = self.database.and_then(|_| stored(false)).unwrap_or(0);
        let files = if self.files.is_empty() { 0 } else { stored(true).unwrap_or(0) };
        database.saturating_add(files)
    }
}

/// What is packed, and how.
pub(super) struct Packing<'a> {
    pub(super) sources: Sources<'a>,
    pub(super) catalog: &'a Catalog,
    pub(super) environment: &'a Environment,
    pub(super) progress: &'a dyn Progress,
}

impl Packing<'_> {
    /// Packs everything into the staging folder, reads it back, and describes it in the manifest.
    pub(super) fn pack(
        &self,
        parent: Option<&Parent>,
        staging: &Staging,
        manifest: &mut Manifest,
        durations: &mut BTreeMap<String, u64>,
    ) -> Result<()> {
        let backup = parent.map(|parent| &parent.backup);
        if let Some((engine, probe)) = self.sources.database {
            self.pack_database(engine, probe, backup, staging, manifest, durations)?;
        }
        for (role, selection) in self.sources.files {
            self.pack_files(role, selection, backup, staging, manifest, durations)?;
        }
        if let Some(parent) = parent.filter(|_| manifest.components.iter().any(|component| !component.sources.is_empty())) {
            manifest.backup_type = parent.makes;
            manifest.parent = Some(parent.backup.id().to_owned());
        }
        Ok(())
    }

    /// Dumps the database into the staging folder, and reads the dump back.
    fn pack_database(
        &self,
        engine: &dyn Engine,
        probe: &Probe,
        parent: Option<&Backup>,
        staging: &Staging,
        manifest: &mut Manifest,
        durations: &mut BTreeMap<String, u64>,
    ) -> Result<()> {
        let (compression, progress) = (self.environment.compression, self.progress);
        let start = Instant::now();
        progress.begin("dump", Some(probe.estimated_bytes));
        tracing::info!(id = staging.backup_id(), "backing {} up", engine.location());
        let packed = component::pack_database(&Origin::Live(engine), staging.path(), compression, parent, progress)?;
        progress.end();
        durations.insert("dump".to_owned(), elapsed_ms(start));

        let start = Instant::now();
        progress.begin("read back", None);
        let (dumped, components) = packed.prove(staging, compression)?;
        progress.end();
        durations.insert("read_back".to_owned(), elapsed_ms(start));
        let Dumped { fingerprint, database, warnings, problems, .. } = dumped;
        manifest.problems = problems;
        manifest.warnings = [probe.warnings.clone(), warnings].concat();
        manifest.database = Some(database);
        manifest.fingerprint = Some(fingerprint);
        manifest.components.extend(components);
        Ok(())
    }

    /// Packs files into the staging folder, and reads the archive back.
    fn pack_files(
        &self,
        role: &'static str,
        selection: &Selection,
        parent: Option<&Backup>,
        staging: &Staging,
        manifest: &mut Manifest,
        durations: &mut BTreeMap<String, u64>,
    ) -> Result<()> {
        let (compression, progress) = (self.environment.compression, self.progress);
        let start = Instant::now();
        let last = self.catalog.newest(|backup| backup.manifest().component(role).is_some());
        let known = last.and_then(|backup| backup.manifest().component(role)?.files.as_ref()).map(|files| files.bytes);
        // Only the first time nobody knows how much there is: then it is counted, so that the time left can be told.
        let expected = match known {
            Some(bytes) => bytes,
            None => walk::estimate(selection)?.1,
        };
        progress.begin(role, Some(expected));
        tracing::info!(id = staging.backup_id(), "packing {role}");
        let packed = pack::pack(role, selection, staging.path(), compression, parent, progress)?;
        progress.end();
        *durations.entry("files".to_owned()).or_default() += elapsed_ms(start);

        let start = Instant::now();
        progress.begin("read back", None);
        let mut component = packed.prove(staging, compression)?;
        emptied::note(self.environment, self.catalog, manifest.kind, &mut component);
        manifest.components.push(component);
        progress.end();
        *durations.entry("read_back".to_owned()).or_default() += elapsed_ms(start);
        Ok(())
    }
}
