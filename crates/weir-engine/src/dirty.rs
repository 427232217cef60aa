//! What happens to records that cannot be decoded or evaluated; the policy is the job's.

use async_trait::async_trait;

/// A dirty record on its way to the policy.
#[derive(Debug, Clone)]
pub struct DirtyEntry {
    /// Why.
    pub reason: String,
    /// The record: its bytes as read, or the row as text.
    pub data: Vec<u8>,
    /// Where it stood, when that is known.
    pub place: Option<String>,
}

/// Applies the policy for dirty records.
#[async_trait]
pub trait DirtyPolicy: Send + Sync + 'static {
    /// Takes the dirty records of one batch. An error fails the job; its text says why.
    async fn handle(&self, stream: &str, entries: Vec<DirtyEntry>) -> Result<(), String>;

    /// Makes saved records durable; called before a checkpoint completes and at the end.
    async fn flush(&self) -> Result<(), String>;
}

/// Drops dirty records. They are counted all the same.
#[derive(Debug, Default, Clone, Copy)]
pub struct DropDirty;

#[async_trait]
impl DirtyPolicy for DropDirty {
    async fn handle(&self, _stream: &str, _entries: Vec<DirtyEntry>) -> Result<(), String> {
        Ok(())
    }

    async fn flush(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Fails the job on the first dirty record.
#[derive(Debug, Default, Clone, Copy)]
pub struct FailOnDirty;

#[async_trait]
impl DirtyPolicy for FailOnDirty {
    async fn handle(&self, stream: &str, entries: Vec<DirtyEntry>) -> Result<(), String> {
        let Some(entry) = entries.first() else { return Ok(()) };
        let place = entry.place.as_deref().map(|place| format!(" at {place}")).unwrap_or_default();
        Err(format!(
            "dirty record in `{stream}`{place}: {}; correct the data, or set `dirty_data_strategy` to 0 (drop) or 2:bucket/dir (save)",
            entry.reason
        ))
    }

    async fn flush(&self) -> Result<(), String> {
        Ok(())
    }
}
