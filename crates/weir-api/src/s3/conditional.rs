//! Writes that depend on the object that is there: `If-Match` and `If-None-Match`.
//!
//! A condition is looked at twice: before the body is read, so that nobody sends it in vain, and when the object is about to
//! appear. From the second look to the end no other request of the endpoint writes or deletes the same key. Jobs write to the directory
//! themselves; that there is no object yet is left to the file system, which knows of them too.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName};
use bytes::Bytes;
use futures::Stream;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt, RenameOptions, RenameTargetMode};
use s3s::dto::{ETag, ETagCondition};
use s3s::{S3Error, S3Result, s3_error};
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use super::attributes::Attributes;
use super::digest::Digests;
use super::endpoint::{Endpoint, STAGED_FOLDER, e_tag, new_path_of};
use super::fault;
use super::write::{Written, receive};

/// Keys share this many turns: more than there are ever requests that publish at the same time.
const TURNS: usize = 64;

/// What must hold of the object that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing.
    None,
    /// There is no object.
    Absent,
    /// There is an object, with this tag.
    Match(ETagCondition),
}

impl Condition {
    /// Reads the conditions of a write. What S3 does not have is refused as it does.
    pub(super) fn new(
        if_match: Option<ETagCondition>,
        if_none_match: Option<ETagCondition>,
    ) -> S3Result<Self> {
        match (if_match, if_none_match) {
            (None, None) => Ok(Self::None),
            (Some(tag), None) => Ok(Self::Match(tag)),
            (None, Some(ETagCondition::Any)) => Ok(Self::Absent),
            (None, Some(ETagCondition::ETag(_))) => {
                Err(s3_error!(NotImplemented, "`If-None-Match` of a write must be `*`"))
            }
            (Some(_), Some(_)) => {
                Err(s3_error!(NotImplemented, "a write may have `If-Match` or `If-None-Match`, not both"))
            }
        }
    }

    /// Reads the conditions on the target of a copy, which the protocol library leaves in the headers.
    pub(super) fn of_headers(headers: &HeaderMap) -> S3Result<Self> {
        let read = |name: HeaderName| -> S3Result<Option<ETagCondition>> {
            let Some(value) = headers.get(&name) else { return Ok(None) };
            let condition = value.to_str().ok().and_then(|text| text.parse().ok());
            condition.map(Some).ok_or_else(|| s3_error!(InvalidArgument, "`{name}` must be a tag or `*`"))
        };
        Self::new(read(IF_MATCH)?, read(IF_NONE_MATCH)?)
    }

    /// Checks the object that is there.
    pub(super) async fn check(&self, store: &dyn ObjectStore, path: &Key) -> S3Result<()> {
        if *self == Self::None {
            return Ok(());
        }
        let found = match store.head(path).await {
            Ok(meta) => Some(e_tag(meta.e_tag.as_deref())),
            Err(object_store::Error::NotFound { .. }) => None,
            Err(error) => return Err(fault::of_store(error)),
        };
        match (self, found) {
            (Self::None, _) | (Self::Absent, None) | (Self::Match(ETagCondition::Any), Some(_)) => Ok(()),
            (Self::Match(_), None) => Err(fault::no_key()),
            (Self::Match(ETagCondition::ETag(ETag::Strong(tag))), Some(found))
                if found.as_ref().is_some_and(|found| found.value() == tag) =>
            {
                Ok(())
            }
            (Self::Absent | Self::Match(_), Some(_)) => Err(unmet()),
        }
    }
}

fn unmet() -> S3Error {
    s3_error!(PreconditionFailed, "at least one of the conditions does not hold of the object that is there")
}

/// Lets one request at a time publish or delete an object.
pub(super) struct Turns {
    turns: Vec<Mutex<()>>,
}

impl Turns {
    pub(super) fn new() -> Self {
        Self { turns: (0..TURNS).map(|_| Mutex::new(())).collect() }
    }

    /// Waits until no other request publishes or deletes this object. Nobody waits for a second one while it holds one.
    pub(super) async fn take(&self, bucket: &str, key: &str) -> MutexGuard<'_, ()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((bucket, key));
        self.turns[hash as usize % TURNS].lock().await
    }
}

/// Where an object is written, and what must hold there.
pub(super) struct Target<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub condition: Condition,
}

/// Writes an object from a body, with its attributes.
pub(super) async fn write_object<B, E>(
    endpoint: &Endpoint,
    target: Target<'_>,
    attributes: &Attributes,
    body: B,
    digests: Digests,
) -> S3Result<Written>
where
    B: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    let Target { bucket, key, condition } = target;
    let store = endpoint.bucket(bucket).await?;
    let path = new_path_of(key)?;
    condition.check(store.as_ref(), &path).await?;
    if condition == Condition::Absent {
        let staged = Key::from(format!("{STAGED_FOLDER}/{}", Uuid::new_v4().simple()));
        let received = receive(endpoint.root.as_ref(), &staged, body, digests).await?;
        let _turn = endpoint.turns.take(bucket, key).await;
        let written = received.publish().await?;
        create(endpoint, store.as_ref(), &staged, bucket, &path).await?;
        endpoint.attributes.write(bucket, key, written.e_tag.as_deref(), attributes).await?;
        return Ok(written);
    }
    let received = receive(store.as_ref(), &path, body, digests).await?;
    let _turn = endpoint.turns.take(bucket, key).await;
    if let Err(error) = condition.check(store.as_ref(), &path).await {
        received.discard().await;
        // It was there when the request began.
        let is_gone = *error.code() == s3s::S3ErrorCode::NoSuchKey;
        return Err(if is_gone {
            s3_error!(ConditionalRequestConflict, "the object was deleted while it was being written")
        } else {
            error
        });
    }
    let written = received.publish().await?;
    endpoint.attributes.write(bucket, key, written.e_tag.as_deref(), attributes).await?;
    Ok(written)
}

/// Gives a staged object its name, if there is none of that name: in one step of the file system, so that it also holds
/// against jobs.
async fn create(
    endpoint: &Endpoint,
    store: &dyn ObjectStore,
    staged: &Key,
    bucket: &str,
    path: &Key,
) -> S3Result<()> {
    let name = Key::parse(format!("{bucket}/{path}")).map_err(|error| fault::internal(&error.to_string()))?;
    let mode = RenameOptions::new().with_target_mode(RenameTargetMode::Create);
    let Err(error) = endpoint.root.rename_opts(staged, &name, mode).await else { return Ok(()) };
    if let Err(failed) = endpoint.root.delete(staged).await {
        tracing::warn!(error = %failed, "what had arrived of an object that exists could not be removed");
    }
    match error {
        // A folder is in the way too, and is no object.
        object_store::Error::AlreadyExists { .. } => match store.head(path).await {
            Err(object_store::Error::NotFound { .. }) => Err(fault::key_is_folder()),
            _ => Err(unmet()),
        },
        error => Err(fault::of_store(error)),
    }
}
