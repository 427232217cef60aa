//! What an object has besides its bytes: content type, user metadata and their like.
//!
//! A file has no place for them, so that they stand in a file of their own, with the tag of the version
//! that they belong to. When a job replaces the object, the tag no longer fits and they are ignored.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::TryStreamExt;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use s3s::S3Result;
use s3s::dto::{Metadata, Timestamp, TimestampFormat};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::endpoint::text_of;
use super::fault;

/// The longest user metadata, names and values together, as in S3.
const USER_METADATA_LIMIT: usize = 2_048;

/// What an object has besides its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Attributes {
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub content_disposition: Option<String>,
    pub content_language: Option<String>,
    pub cache_control: Option<String>,
    /// As text, because the protocol's type has no serialization.
    pub expires: Option<String>,
    pub user: BTreeMap<String, String>,
}

impl Attributes {
    /// Takes over user metadata and the end of the content's life.
    pub(super) fn with(mut self, user: Option<Metadata>, expires: Option<&Timestamp>) -> S3Result<Self> {
        self.user = user.unwrap_or_default().into_iter().collect();
        let size: usize = self.user.iter().map(|(name, value)| name.len() + value.len()).sum();
        if size > USER_METADATA_LIMIT {
            return Err(s3s::s3_error!(
                MetadataTooLarge,
                "user metadata may have {USER_METADATA_LIMIT} bytes"
            ));
        }
        self.expires = expires.and_then(text_of);
        Ok(self)
    }

    /// Returns the user metadata in the protocol's form.
    pub(super) fn metadata(&self) -> Option<Metadata> {
        (!self.user.is_empty()).then(|| self.user.clone().into_iter().collect())
    }

    /// Returns the end of the content's life in the protocol's form.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        Timestamp::parse(TimestampFormat::DateTime, self.expires.as_deref()?).ok()
    }
}

#[derive(Serialize, Deserialize)]
struct Stored {
    key: String,
    e_tag: Option<String>,
    attributes: Attributes,
}

/// Keeps attributes beside the buckets.
pub(super) struct AttributeStore {
    store: Arc<dyn ObjectStore>,
}

impl AttributeStore {
    pub(super) fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// Returns the attributes of a version of an object.
    pub(super) async fn read(&self, bucket: &str, key: &str, e_tag: Option<&str>) -> S3Result<Attributes> {
        let bytes = match self.store.get(&place(bucket, key)).await {
            Ok(found) => found.bytes().await.map_err(fault::of_store)?,
            Err(object_store::Error::NotFound { .. }) => return Ok(Attributes::default()),
            Err(error) => return Err(fault::of_store(error)),
        };
        // What cannot be read is from another release or torn: the object itself is whole.
        let Ok(stored) = serde_json::from_slice::<Stored>(&bytes) else { return Ok(Attributes::default()) };
        let is_it = stored.key == key && stored.e_tag.as_deref() == e_tag;
        Ok(if is_it { stored.attributes } else { Attributes::default() })
    }

    /// Stores the attributes of a version of an object.
    pub(super) async fn write(
        &self,
        bucket: &str,
        key: &str,
        e_tag: Option<&str>,
        attributes: &Attributes,
    ) -> S3Result<()> {
        if *attributes == Attributes::default() {
            return self.remove(bucket, key).await;
        }
        let stored =
            Stored { key: key.to_string(), e_tag: e_tag.map(String::from), attributes: attributes.clone() };
        let bytes = serde_json::to_vec(&stored).map_err(|error| fault::internal(&error.to_string()))?;
        self.store.put(&place(bucket, key), PutPayload::from(bytes)).await.map_err(fault::of_store)?;
        Ok(())
    }

    /// Removes the attributes of an object.
    pub(super) async fn remove(&self, bucket: &str, key: &str) -> S3Result<()> {
        match self.store.delete(&place(bucket, key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(fault::of_store(error)),
        }
    }

    /// Removes what is left of a bucket.
    pub(super) async fn remove_bucket(&self, bucket: &str) -> S3Result<()> {
        let found: Vec<Key> = self
            .store
            .list(Some(&Key::from(bucket)))
            .map_ok(|file| file.location)
            .try_collect()
            .await
            .map_err(fault::of_store)?;
        for place in found {
            match self.store.delete(&place).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(fault::of_store(error)),
            }
        }
        Ok(())
    }
}

/// Where the attributes of an object stand. A digest, because a key may be longer than a file name.
fn place(bucket: &str, key: &str) -> Key {
    Key::from(format!("{bucket}/{}.json", hex::encode(Sha256::digest(key.as_bytes()))))
}
