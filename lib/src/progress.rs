//! How far a long piece of work is, told to whoever shows it. The library does not know how that looks.

/// Takes the news of work under way. Called from the thread that does the work, often: it must be cheap.
pub trait Progress: Send + Sync {
    /// A stage begins, for instance `dump`; `total_bytes` is what it will come to, as far as that is known.
    fn begin(&self, stage: &str, total_bytes: Option<u64>);

    /// So many plain bytes of the stage are done. An estimated total may be passed.
    fn reached(&self, done_bytes: u64);

    /// So many files of the stage are done, where it is about files.
    fn reached_files(&self, _done_files: u64) {}

    /// The stage has ended, well or not.
    fn end(&self);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _stage: &str, _total_bytes: Option<u64>) {}
    fn reached(&self, _done_bytes: u64) {}
    fn end(&self) {}
}
