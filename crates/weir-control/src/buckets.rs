//! Whose buckets are: the one way from a project to objects.
//!
//! A bucket belongs to the project that made it, or to which the operator gave it. One without an owner is out of
//! reach of every project, but for an installation with one project: there it becomes that project's.

use std::collections::BTreeSet;
use std::sync::Arc;

use thiserror::Error;
use weir_base::id::ProjectId;
use weir_cloud::identity::Identity;
use weir_cloud::objects::{Bucket, Objects, ObjectsError};
use weir_store::{Store, StoreError};

/// Why a bucket is not given out.
#[derive(Debug, Error)]
pub enum BucketFault {
    /// The store of objects refused or failed.
    #[error("{0}")]
    Objects(#[from] ObjectsError),
    /// The metadata failed.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The name is taken by another project, or by the operator.
    #[error("the bucket `{0}` belongs to somebody else")]
    Foreign(String),
}

/// The buckets and whose they are. Cheap to clone.
#[derive(Clone)]
pub struct Buckets {
    store: Store,
    objects: Objects,
    identity: Arc<Identity>,
}

impl Buckets {
    /// Puts buckets and owners together.
    pub fn new(store: Store, objects: Objects, identity: Arc<Identity>) -> Self {
        Self { store, objects, identity }
    }

    /// Returns the metadata, where what is done with buckets is on record.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the project that a bucket belongs to; fails when there is no such bucket.
    pub async fn owner(&self, name: &str) -> Result<Option<ProjectId>, BucketFault> {
        if !self.objects.bucket_exists(name).await? {
            return Err(ObjectsError::NoBucket(name.to_string()).into());
        }
        if let Some(owner) = self.store.bucket_owner(name).await? {
            return Ok(Some(owner));
        }
        let Some(only) = self.only_project().await? else {
            tracing::warn!(
                bucket = name,
                "the bucket belongs to no project; `weir bucket own` gives it to one"
            );
            return Ok(None);
        };
        self.store.claim_buckets(&[name.to_string()], &only).await?;
        Ok(self.store.bucket_owner(name).await?)
    }

    /// Makes a bucket of a project.
    pub async fn create(&self, name: &str, project: &ProjectId) -> Result<(), BucketFault> {
        match self.owner(name).await {
            Ok(Some(owner)) if owner == *project => {
                return Err(ObjectsError::BucketExists(name.to_string()).into());
            }
            Ok(_) => return Err(BucketFault::Foreign(name.to_string())),
            Err(BucketFault::Objects(ObjectsError::NoBucket(_))) => {}
            Err(error) => return Err(error),
        }
        // Before the bucket is there: at no moment is it somebody else's. The name of a bucket that was removed stays with
        // the project that had it.
        self.store.claim_buckets(&[name.to_string()], project).await?;
        if self.store.bucket_owner(name).await?.as_ref() != Some(project) {
            return Err(BucketFault::Foreign(name.to_string()));
        }
        Ok(self.objects.create_bucket(name).await?)
    }

    /// Returns the names that belong to a project, those of removed buckets included.
    pub async fn names_of(&self, project: &ProjectId) -> Result<BTreeSet<String>, StoreError> {
        if self.only_project().await?.as_ref() == Some(project) {
            self.claim_all(project).await?;
        }
        self.store.buckets_of(project).await
    }

    /// Returns the names that belong to a project and that no bucket has any more.
    pub async fn gone_of(&self, project: &ProjectId) -> Result<BTreeSet<String>, BucketFault> {
        let mut gone = BTreeSet::new();
        for name in self.store.buckets_of(project).await? {
            if !self.objects.bucket_exists(&name).await? {
                gone.insert(name);
            }
        }
        Ok(gone)
    }

    /// Returns the objects that a project reaches: every bucket of others is as if it were not there.
    pub async fn of(&self, project: &ProjectId) -> Result<Objects, StoreError> {
        Ok(self.objects.within(self.names_of(project).await?))
    }

    /// Returns the buckets of projects, by name.
    pub async fn list(&self, projects: &[ProjectId]) -> Result<Vec<Bucket>, BucketFault> {
        let mut names = BTreeSet::new();
        for project in projects {
            names.extend(self.names_of(project).await?);
        }
        Ok(self.objects.within(names).list_buckets().await?)
    }

    /// Gives the buckets without an owner to the only project. The service does so when it starts, so that they
    /// have one before there is a second project.
    pub async fn adopt(&self) -> Result<(), StoreError> {
        match self.only_project().await? {
            Some(project) => self.claim_all(&project).await,
            None => Ok(()),
        }
    }

    /// A store of objects that lists no buckets leaves it to the operator to give them.
    async fn claim_all(&self, project: &ProjectId) -> Result<(), StoreError> {
        let buckets = match self.objects.list_buckets().await {
            Ok(buckets) => buckets,
            Err(error) => {
                tracing::warn!(%error, "buckets without an owner were not looked for");
                return Ok(());
            }
        };
        let owned = self.store.bucket_owners().await?;
        let names: Vec<String> = buckets.into_iter().map(|bucket| bucket.name).collect();
        let free: Vec<String> = names.into_iter().filter(|name| !owned.contains_key(name)).collect();
        self.store.claim_buckets(&free, project).await
    }

    /// Returns the only project. Of the projects of a Keystone only those are known that have called, so that the first
    /// to call would be it.
    async fn only_project(&self) -> Result<Option<ProjectId>, StoreError> {
        if self.identity.keystone().is_some() {
            return Ok(None);
        }
        self.store.only_project().await
    }
}
