//! [`Objects`]: one door to both forms.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use tokio::runtime::Handle;
use weir_base::time::Timestamp;

use super::error::ObjectsError;
use super::name::is_bucket_name;
use super::{local, remote};

/// Opened buckets that are kept; each holds a path or an HTTP client.
const OPEN_BUCKETS: usize = 256;

/// Where objects are kept.
#[derive(Debug, Clone)]
pub enum ObjectsConfig {
    /// One folder per bucket under this directory.
    Local(PathBuf),
    /// An S3-compatible endpoint.
    S3(S3Config),
}

/// An S3-compatible endpoint.
#[derive(Clone)]
pub struct S3Config {
    /// `http://host:port`.
    pub endpoint: String,
    /// Region for signatures.
    pub region: String,
    /// Access key.
    pub access_key: String,
    /// Secret key; never shown.
    pub secret_key: String,
    /// The runtime whose threads make the requests, for one of a process that has threads in several networks; `None` is
    /// that of who asks.
    pub runtime: Option<Handle>,
}

impl fmt::Debug for S3Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3Config").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// A bucket in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Name.
    pub name: String,
    /// When it was made, as far as the store knows.
    pub created_at: Option<Timestamp>,
}

impl fmt::Display for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The buckets of the service. Cheap to clone; clones share what is open.
#[derive(Debug, Clone)]
pub struct Objects {
    config: Arc<ObjectsConfig>,
    open: Arc<Mutex<HashMap<String, Arc<dyn ObjectStore>>>>,
    /// The buckets in reach; `None` for all.
    reach: Option<Arc<BTreeSet<String>>>,
}

impl Objects {
    /// Makes the service; touches nothing until it is used.
    pub fn new(config: ObjectsConfig) -> Self {
        Self { config: Arc::new(config), open: Arc::default(), reach: None }
    }

    /// Returns the same service with these buckets alone: every other one is as if it were not there.
    pub fn within(&self, buckets: BTreeSet<String>) -> Self {
        Self { reach: Some(Arc::new(buckets)), ..self.clone() }
    }

    /// Returns the same service with one more bucket in reach.
    pub fn and(&self, bucket: &str) -> Self {
        let mut with = self.clone();
        if let Some(reach) = &mut with.reach {
            Arc::make_mut(reach).insert(bucket.to_string());
        }
        with
    }

    /// Returns the directory of the local form, `None` in the other form.
    pub fn directory(&self) -> Option<&Path> {
        match &*self.config {
            ObjectsConfig::Local(directory) => Some(directory),
            ObjectsConfig::S3(_) => None,
        }
    }

    /// Opens a bucket; its keys are paths below it. Fails with [`ObjectsError::NoBucket`] when there is none.
    pub async fn bucket(&self, name: &str) -> Result<Arc<dyn ObjectStore>, ObjectsError> {
        self.check_reach(name)?;
        // A folder is looked at each time, because another process may have removed it; an endpoint is
        // asked once, because that costs a round trip and a removed bucket fails at the first use.
        if let Some(store) = self.opened(name)
            && (self.directory().is_none() || self.bucket_exists(name).await?)
        {
            return Ok(store);
        }
        if !self.bucket_exists(name).await? {
            self.forget(name);
            return Err(ObjectsError::NoBucket(name.to_string()));
        }
        let store: Arc<dyn ObjectStore> = match &*self.config {
            ObjectsConfig::Local(directory) => Arc::new(local::open(directory, name)?),
            ObjectsConfig::S3(config) => Arc::new(remote::open(config, name)?),
        };
        self.remember(name, &store);
        Ok(store)
    }

    /// Whether there is a bucket with this name.
    pub async fn bucket_exists(&self, name: &str) -> Result<bool, ObjectsError> {
        match self.check_reach(name) {
            Ok(()) => {}
            Err(ObjectsError::NoBucket(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
        match &*self.config {
            ObjectsConfig::Local(directory) => local::exists(directory, name).await,
            ObjectsConfig::S3(config) => remote::exists(config, name).await,
        }
    }

    /// Makes a bucket; fails with [`ObjectsError::BucketExists`] when there is one.
    pub async fn create_bucket(&self, name: &str) -> Result<(), ObjectsError> {
        self.check_reach(name)?;
        match &*self.config {
            ObjectsConfig::Local(directory) => local::create(directory, name).await,
            ObjectsConfig::S3(config) => remote::create(config, name).await,
        }
    }

    /// Removes an empty bucket; fails with [`ObjectsError::NotEmpty`] when it holds objects.
    pub async fn delete_bucket(&self, name: &str) -> Result<(), ObjectsError> {
        self.check_reach(name)?;
        self.forget(name);
        match &*self.config {
            ObjectsConfig::Local(directory) => local::delete(directory, name).await,
            ObjectsConfig::S3(config) => remote::delete(config, name).await,
        }
    }

    /// Removes what killed processes had not finished to write before a moment. Returns how many files there were; an
    /// endpoint has none.
    pub async fn remove_unfinished(&self, before: Timestamp) -> Result<usize, ObjectsError> {
        match &*self.config {
            ObjectsConfig::Local(directory) => local::remove_unfinished(directory, before).await,
            ObjectsConfig::S3(_) => Ok(0),
        }
    }

    /// Returns all buckets, by name.
    pub async fn list_buckets(&self) -> Result<Vec<Bucket>, ObjectsError> {
        let mut buckets = match &*self.config {
            ObjectsConfig::Local(directory) => local::list(directory).await?,
            ObjectsConfig::S3(config) => remote::list(config).await?,
        };
        buckets.retain(|bucket| self.check_reach(&bucket.name).is_ok());
        buckets.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(buckets)
    }

    /// Returns a whole object.
    pub async fn get(&self, bucket: &str, key: &str) -> Result<Bytes, ObjectsError> {
        let store = self.bucket(bucket).await?;
        Ok(store.get(&parse_key(key)?).await?.bytes().await?)
    }

    /// Whether a path of the form `bucket/key` names an object, or a folder with objects in it.
    pub async fn path_exists(&self, path: &str) -> Result<bool, ObjectsError> {
        let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
        let store = match self.bucket(bucket).await {
            Ok(store) => store,
            Err(ObjectsError::NoBucket(_) | ObjectsError::InvalidName(_)) => return Ok(false),
            Err(error) => return Err(error),
        };
        let Ok(key) = Key::parse(key.trim_end_matches('/')) else { return Ok(false) };
        if key.as_ref().is_empty() {
            return Ok(false);
        }
        match store.head(&key).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => match store.list(Some(&key)).next().await {
                Some(found) => Ok(found.map(|_| true)?),
                None => Ok(false),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a whole object, replacing what was there.
    pub async fn put(&self, bucket: &str, key: &str, contents: Bytes) -> Result<(), ObjectsError> {
        let store = self.bucket(bucket).await?;
        store.put(&parse_key(key)?, PutPayload::from_bytes(contents)).await?;
        Ok(())
    }

    /// Refuses what is no name, and buckets out of reach.
    fn check_reach(&self, name: &str) -> Result<(), ObjectsError> {
        if !is_bucket_name(name) {
            return Err(ObjectsError::InvalidName(name.to_string()));
        }
        match &self.reach {
            Some(reach) if !reach.contains(name) => Err(ObjectsError::NoBucket(name.to_string())),
            _ => Ok(()),
        }
    }

    fn opened(&self, name: &str) -> Option<Arc<dyn ObjectStore>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn remember(&self, name: &str, store: &Arc<dyn ObjectStore>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.len() >= OPEN_BUCKETS {
            open.clear();
        }
        open.insert(name.to_string(), Arc::clone(store));
    }

    fn forget(&self, name: &str) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

/// Reads a key as a path below the bucket.
fn parse_key(key: &str) -> Result<Key, ObjectsError> {
    Key::parse(key)
        .map_err(|error| ObjectsError::InvalidKey { key: key.to_string(), reason: error.to_string() })
}
