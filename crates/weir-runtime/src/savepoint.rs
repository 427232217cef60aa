//! Savepoints: checkpoints that were copied to a place where no retention removes them.

use weir_base::savepoint::SavepointPlace;
use weir_cloud::objects::{Objects, ObjectsError};
use weir_engine::checkpoint::{CheckpointStorage, Manifest};

/// Copies the newest checkpoint of a run, whose output is committed, to a savepoint.
pub(crate) async fn write(from: &CheckpointStorage, to: &CheckpointStorage) -> Result<(), String> {
    let newest = from.newest_complete().await.map_err(|error| error.to_string())?;
    let newest = newest.ok_or("the checkpoint that it is made of is gone")?;
    // What is committed must not be committed again by a run that starts much later.
    from.copy(&newest.committed(), to).await.map_err(|error| error.to_string())
}

/// Makes a savepoint the first checkpoint of a run.
pub(crate) async fn take_up(from: &CheckpointStorage, to: &CheckpointStorage) -> Result<Manifest, String> {
    let savepoint = newest(from).await?;
    from.copy(&savepoint, to).await.map_err(|error| format!("savepoint: {error}"))?;
    Ok(savepoint)
}

/// Returns the newest savepoint in a storage.
pub(crate) async fn newest(storage: &CheckpointStorage) -> Result<Manifest, String> {
    let savepoint = storage.newest_complete().await.map_err(|error| format!("savepoint: {error}"))?;
    savepoint.ok_or_else(|| "the savepoint that the job shall start from is gone".to_string())
}

/// Returns the storage of a savepoint in a bucket.
pub(crate) async fn in_bucket(
    objects: &Objects,
    bucket: &str,
    place: &SavepointPlace,
) -> Result<CheckpointStorage, ObjectsError> {
    Ok(CheckpointStorage::new(objects.bucket(bucket).await?, place.path.as_str()))
}

/// Why a place cannot be used as a savepoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSavepoint {
    /// There is none, or none that this release can read.
    #[error("{0}")]
    Missing(String),
    /// The object store failed.
    #[error("{0}")]
    Fault(String),
}

/// Looks for a complete savepoint in a bucket.
pub async fn find_savepoint(objects: &Objects, place: &SavepointPlace) -> Result<(), NoSavepoint> {
    let bucket = place.bucket.as_deref().unwrap_or_default();
    let shown = place.shown().unwrap_or_default();
    let storage = match in_bucket(objects, bucket, place).await {
        Ok(storage) => storage,
        Err(error @ (ObjectsError::NoBucket(_) | ObjectsError::InvalidName(_))) => {
            return Err(NoSavepoint::Missing(error.to_string()));
        }
        Err(error) => return Err(NoSavepoint::Fault(error.to_string())),
    };
    match storage.newest_complete().await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(NoSavepoint::Missing(format!("there is no complete savepoint in {shown}"))),
        Err(error @ weir_engine::checkpoint::CheckpointError::Unreadable { .. }) => {
            Err(NoSavepoint::Missing(error.to_string()))
        }
        Err(error) => Err(NoSavepoint::Fault(error.to_string())),
    }
}
