//! What the operations share: the buckets, and the two stores beside them.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use s3s::dto::{ETag, Timestamp, TimestampFormat};
use s3s::{S3Result, s3_error};
use weir_cloud::objects::Objects;
use weir_control::Buckets;

use super::attributes::AttributeStore;
use super::conditional::Turns;
use super::fault;
use super::multipart::Uploads;

/// Folders beside the buckets. They begin with a dot, which no bucket name does.
const ATTRIBUTES_FOLDER: &str = ".attributes";
const UPLOADS_FOLDER: &str = ".uploads";
/// Bodies of objects that must not be there yet.
pub(super) const STAGED_FOLDER: &str = ".staged";

/// The buckets of a local directory, as the protocol sees them.
pub(super) struct Endpoint {
    pub(super) objects: Objects,
    pub(super) buckets: Buckets,
    pub(super) attributes: AttributeStore,
    pub(super) uploads: Uploads,
    /// All folders, so that an object can be given its name from beside the buckets.
    pub(super) root: Arc<dyn ObjectStore>,
    pub(super) turns: Turns,
}

impl Endpoint {
    /// Opens the folders beside the buckets, and removes uploads that were given up long ago.
    pub(super) async fn open(objects: Objects, buckets: Buckets) -> io::Result<Self> {
        let Some(directory) = objects.directory() else {
            return Err(io::Error::other(
                "the S3 endpoint serves a local directory; objects behind another endpoint are reached there",
            ));
        };
        let attributes = AttributeStore::new(open_folder(&directory.join(ATTRIBUTES_FOLDER))?);
        let uploads = Uploads::new(open_folder(&directory.join(UPLOADS_FOLDER))?);
        uploads.remove_abandoned(Utc::now()).await.map_err(io::Error::other)?;
        // Nobody writes yet: what is there was left by a service that died.
        match std::fs::remove_dir_all(directory.join(STAGED_FOLDER)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let root = LocalFileSystem::new_with_prefix(directory).map_err(io::Error::other)?;
        let root = Arc::new(root.with_fsync(true));
        Ok(Self { attributes, uploads, root, turns: Turns::new(), objects, buckets })
    }

    /// Opens a bucket, of whichever project: what the sender may open was looked at before.
    pub(super) async fn bucket(&self, name: &str) -> S3Result<Arc<dyn ObjectStore>> {
        self.objects.bucket(name).await.map_err(fault::of_bucket)
    }
}

fn open_folder(path: &Path) -> io::Result<Arc<dyn ObjectStore>> {
    std::fs::create_dir_all(path)?;
    let store = LocalFileSystem::new_with_prefix(path).map_err(io::Error::other)?;
    Ok(Arc::new(store.with_fsync(true).with_automatic_cleanup(true)))
}

/// Reads a key as a path below the bucket; `None` when no object can have it.
pub(super) fn path_of(key: &str) -> Option<Key> {
    // `parse` forgives slashes at both ends, which would make two keys of one object.
    Key::parse(key).ok().filter(|path| path.as_ref() == key && !key.is_empty())
}

/// Reads the key of an object that is to be written.
pub(super) fn new_path_of(key: &str) -> S3Result<Key> {
    let hint = "keys are paths of files: no `/` at the beginning or end, no two in a row, no part `.` or `..`, \
                no control characters";
    path_of(key).ok_or_else(|| s3_error!(InvalidArgument, "the key cannot be stored: {hint}"))
}

/// Shows the tag of a version of an object. It is not an MD5 digest: it is made of the file's identity,
/// so that it also holds for objects that jobs write.
pub(super) fn e_tag(tag: Option<&str>) -> Option<ETag> {
    tag.map(|tag| ETag::Strong(tag.trim_matches('"').to_string()))
}

/// Shows an instant.
pub(super) fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from(SystemTime::from(at))
}

/// Reads an instant.
pub(super) fn instant(at: &Timestamp) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&text_of(at)?).ok().map(|date| date.with_timezone(&Utc))
}

/// Writes an instant as text.
pub(super) fn text_of(at: &Timestamp) -> Option<String> {
    let mut text = Vec::new();
    at.format(TimestampFormat::DateTime, &mut text).ok()?;
    String::from_utf8(text).ok()
}

/// Shows a size.
pub(super) fn size_of(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_path_and_stays_in_its_bucket() {
        for key in ["a", "a/b.txt", "a b/ü", "100%", "a%2Fb", ".hidden"] {
            assert_eq!(path_of(key).unwrap().as_ref(), key);
        }
        for key in ["", "/a", "a/", "a//b", "../a", "a/../b", ".", "a\n"] {
            assert!(path_of(key).is_none(), "{key:?}");
        }
    }
}
