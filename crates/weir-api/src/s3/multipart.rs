//! Uploads in parts. Parts stand beside the buckets until the upload is completed, so that nobody
//! sees them; then they are written one after the other into the object, which appears as a whole.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Duration, Utc};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload};
use s3s::dto::{
    Checksum, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, CopyPartResult,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload as UploadEntry, Part,
    StreamingBlob, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Result, TrailingHeaders, s3_error};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::attributes::Attributes;
use super::conditional::{Condition, Target, write_object};
use super::digest::Digests;
use super::endpoint::{Endpoint, e_tag, new_path_of, size_of, timestamp};
use super::fault;
use super::objects::{check_storage_class, conditions, copied_range, is_public, open, read, source_of};
use super::write::{Written, write};

/// Parts that an upload may have, as in S3.
const PARTS: i32 = 10_000;

/// Entries of a page of parts or uploads.
const PAGE: i32 = 1_000;

/// After this time an upload that nobody completed is removed at the next start.
const ABANDONED_AFTER_DAYS: i64 = 7;

/// What is known of an upload from its beginning.
#[derive(Serialize, Deserialize)]
struct Upload {
    bucket: String,
    key: String,
    began_at: DateTime<Utc>,
    attributes: Attributes,
}

/// The uploads under way.
pub(super) struct Uploads {
    store: Arc<dyn ObjectStore>,
}

impl Uploads {
    pub(super) fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self { store }
    }

    /// Removes uploads that began long ago.
    pub(super) async fn remove_abandoned(&self, now: DateTime<Utc>) -> Result<(), object_store::Error> {
        let files: Vec<ObjectMeta> = self.store.list(None).try_collect().await?;
        let is_old = |file: &ObjectMeta| now - file.last_modified > Duration::days(ABANDONED_AFTER_DAYS);
        let beginnings = files.iter().filter(|file| file.location.filename() == Some("upload.json"));
        for beginning in beginnings.filter(|file| is_old(file)) {
            let Some(folder) = beginning.location.parts().next() else { continue };
            let folder = folder.as_ref().to_string();
            tracing::info!(upload = folder, "an upload that was never completed is removed");
            self.remove(&folder).await?;
        }
        Ok(())
    }

    async fn begin(&self, upload: &Upload) -> S3Result<String> {
        let id = Uuid::new_v4().simple().to_string();
        let bytes = serde_json::to_vec(upload).map_err(|error| fault::internal(&error.to_string()))?;
        let place = Key::from(format!("{id}/upload.json"));
        self.store.put(&place, PutPayload::from(bytes)).await.map_err(fault::of_store)?;
        Ok(id)
    }

    /// Finds an upload of an object.
    async fn find(&self, id: &str, bucket: &str, key: &str) -> S3Result<Upload> {
        let unknown = || s3_error!(NoSuchUpload, "there is no such upload of this object");
        if Uuid::try_parse(id).is_err() {
            return Err(unknown());
        }
        let upload = self.read(id).await?.ok_or_else(unknown)?;
        if upload.bucket == bucket && upload.key == key { Ok(upload) } else { Err(unknown()) }
    }

    async fn read(&self, id: &str) -> S3Result<Option<Upload>> {
        let bytes = match self.store.get(&Key::from(format!("{id}/upload.json"))).await {
            Ok(found) => found.bytes().await.map_err(fault::of_store)?,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(fault::of_store(error)),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| fault::internal(&error.to_string()))
    }

    /// Returns the parts that have arrived, by number.
    async fn parts(&self, id: &str) -> S3Result<Vec<(i32, ObjectMeta)>> {
        let files: Vec<ObjectMeta> =
            self.store.list(Some(&Key::from(id))).try_collect().await.map_err(fault::of_store)?;
        let mut parts: Vec<(i32, ObjectMeta)> =
            files.into_iter().filter_map(|file| Some((number_of(&file.location)?, file))).collect();
        parts.sort_by_key(|(number, _)| *number);
        Ok(parts)
    }

    async fn remove(&self, id: &str) -> Result<(), object_store::Error> {
        let files: Vec<ObjectMeta> = self.store.list(Some(&Key::from(id))).try_collect().await?;
        for file in files {
            match self.store.delete(&file.location).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn place_of(id: &str, number: i32) -> Key {
    Key::from(format!("{id}/part-{number:05}"))
}

fn number_of(place: &Key) -> Option<i32> {
    place.filename()?.strip_prefix("part-")?.parse().ok()
}

fn check_number(number: i32) -> S3Result<()> {
    if (1..=PARTS).contains(&number) {
        return Ok(());
    }
    Err(s3_error!(InvalidArgument, "part numbers go from 1 to {PARTS}"))
}

/// `POST /{bucket}/{key}?uploads`.
pub(super) async fn create(
    endpoint: &Endpoint,
    input: CreateMultipartUploadInput,
) -> S3Result<CreateMultipartUploadOutput> {
    check_storage_class(input.storage_class.as_ref())?;
    fault::refuse_if(&[
        (
            "an access control list other than `private`",
            is_public(input.acl.as_ref().map(|acl| acl.as_str())),
        ),
        ("encryption", input.server_side_encryption.is_some() || input.sse_customer_algorithm.is_some()),
        ("a set of tags", input.tagging.is_some()),
    ])?;
    endpoint.bucket(&input.bucket).await?;
    new_path_of(&input.key)?;
    let attributes = Attributes {
        content_type: input.content_type,
        content_encoding: input.content_encoding,
        content_disposition: input.content_disposition,
        content_language: input.content_language,
        cache_control: input.cache_control,
        ..Attributes::default()
    };
    let upload = Upload {
        bucket: input.bucket.clone(),
        key: input.key.clone(),
        began_at: Utc::now(),
        attributes: attributes.with(input.metadata, input.expires.as_ref())?,
    };
    let id = endpoint.uploads.begin(&upload).await?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: input.checksum_algorithm,
        ..CreateMultipartUploadOutput::default()
    })
}

/// `PUT /{bucket}/{key}?partNumber&uploadId`.
pub(super) async fn put_part(
    endpoint: &Endpoint,
    input: UploadPartInput,
    trailers: Option<TrailingHeaders>,
) -> S3Result<UploadPartOutput> {
    check_number(input.part_number)?;
    endpoint.uploads.find(&input.upload_id, &input.bucket, &input.key).await?;
    let expected = Checksum {
        checksum_crc32: input.checksum_crc32,
        checksum_crc32c: input.checksum_crc32c,
        checksum_crc64nvme: input.checksum_crc64nvme,
        checksum_sha1: input.checksum_sha1,
        checksum_sha256: input.checksum_sha256,
        ..Checksum::default()
    };
    let digests = Digests::new(expected, input.content_md5, input.checksum_algorithm.as_ref(), trailers)?;
    let body = input.body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
    let place = place_of(&input.upload_id, input.part_number);
    let written = write(endpoint.uploads.store.as_ref(), &place, body, digests).await?;
    Ok(UploadPartOutput {
        e_tag: e_tag(written.e_tag.as_deref()),
        checksum_crc32: written.checksum.checksum_crc32,
        checksum_crc32c: written.checksum.checksum_crc32c,
        checksum_crc64nvme: written.checksum.checksum_crc64nvme,
        checksum_sha1: written.checksum.checksum_sha1,
        checksum_sha256: written.checksum.checksum_sha256,
        ..UploadPartOutput::default()
    })
}

/// `PUT /{bucket}/{key}?partNumber&uploadId` with a source.
pub(super) async fn copy_part(
    endpoint: &Endpoint,
    input: UploadPartCopyInput,
) -> S3Result<UploadPartCopyOutput> {
    check_number(input.part_number)?;
    endpoint.uploads.find(&input.upload_id, &input.bucket, &input.key).await?;
    let (bucket, key) = source_of(&input.copy_source)?;
    let options = conditions(
        input.copy_source_if_match.as_ref(),
        input.copy_source_if_none_match.as_ref(),
        input.copy_source_if_modified_since.as_ref(),
        input.copy_source_if_unmodified_since.as_ref(),
    );
    let found = open(endpoint, &bucket, &key, options).await?;
    let range = copied_range(input.copy_source_range.as_deref(), found.meta.size)?;
    let body = read(found, range).await?;
    let place = place_of(&input.upload_id, input.part_number);
    let written = write(endpoint.uploads.store.as_ref(), &place, body, Digests::default()).await?;
    let result = CopyPartResult {
        e_tag: e_tag(written.e_tag.as_deref()),
        last_modified: Some(timestamp(Utc::now())),
        ..CopyPartResult::default()
    };
    Ok(UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() })
}

/// `POST /{bucket}/{key}?uploadId`.
pub(super) async fn complete(
    endpoint: &Endpoint,
    input: CompleteMultipartUploadInput,
) -> S3Result<CompleteMultipartUploadOutput> {
    let condition = Condition::new(input.if_match, input.if_none_match)?;
    let upload = endpoint.uploads.find(&input.upload_id, &input.bucket, &input.key).await?;
    let named = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let present = endpoint.uploads.parts(&input.upload_id).await?;
    let places = chosen_parts(&named, &present)?;
    let parts = one_after_the_other(Arc::clone(&endpoint.uploads.store), places);
    let target = Target { bucket: &input.bucket, key: &input.key, condition };
    // An upload whose condition does not hold stays, as in S3.
    let Written { e_tag: tag, .. } =
        write_object(endpoint, target, &upload.attributes, parts, Digests::default()).await?;
    endpoint.uploads.remove(&input.upload_id).await.map_err(fault::of_store)?;
    Ok(CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: e_tag(tag.as_deref()),
        ..CompleteMultipartUploadOutput::default()
    })
}

/// Finds the parts that the client names: in order, all there, and the ones that it means.
fn chosen_parts(named: &[CompletedPart], present: &[(i32, ObjectMeta)]) -> S3Result<Vec<Key>> {
    if named.is_empty() {
        return Err(s3_error!(MalformedXML, "an upload is completed with at least one part"));
    }
    let mut places = Vec::with_capacity(named.len());
    let mut last = 0;
    for part in named {
        let number = part.part_number.unwrap_or_default();
        if number <= last {
            return Err(s3_error!(InvalidPartOrder, "the parts must be named in the order of their numbers"));
        }
        last = number;
        let found = present.iter().find(|(present, _)| *present == number).map(|(_, file)| file);
        let is_meant = |file: &&ObjectMeta| match &part.e_tag {
            Some(tag) => e_tag(file.e_tag.as_deref()).is_some_and(|found| found.value() == tag.value()),
            None => true,
        };
        let Some(file) = found.filter(is_meant) else {
            return Err(s3_error!(
                InvalidPart,
                "part {number} is missing or is another one than that of the tag"
            ));
        };
        places.push(file.location.clone());
    }
    Ok(places)
}

/// Reads parts one after the other.
fn one_after_the_other(
    parts: Arc<dyn ObjectStore>,
    places: Vec<Key>,
) -> BoxStream<'static, Result<Bytes, object_store::Error>> {
    let open = move |place: Key| {
        let parts = Arc::clone(&parts);
        async move { Ok::<_, object_store::Error>(parts.get(&place).await?.into_stream()) }
    };
    futures::stream::iter(places).then(open).try_flatten().boxed()
}

/// `DELETE /{bucket}/{key}?uploadId`.
pub(super) async fn abort(endpoint: &Endpoint, id: &str, bucket: &str, key: &str) -> S3Result<()> {
    endpoint.uploads.find(id, bucket, key).await?;
    endpoint.uploads.remove(id).await.map_err(fault::of_store)
}

/// `GET /{bucket}/{key}?uploadId`.
pub(super) async fn list_parts(endpoint: &Endpoint, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    endpoint.uploads.find(&input.upload_id, &input.bucket, &input.key).await?;
    let after = input.part_number_marker.unwrap_or(0);
    let most = input.max_parts.unwrap_or(PAGE).clamp(0, PAGE);
    let present = endpoint.uploads.parts(&input.upload_id).await?;
    let mut rest = present.into_iter().filter(|(number, _)| *number > after);
    let parts: Vec<Part> = rest
        .by_ref()
        .take(usize::try_from(most).unwrap_or(0))
        .map(|(number, file)| Part {
            part_number: Some(number),
            e_tag: e_tag(file.e_tag.as_deref()),
            last_modified: Some(timestamp(file.last_modified)),
            size: Some(size_of(file.size)),
            ..Part::default()
        })
        .collect();
    let is_truncated = rest.next().is_some();
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        max_parts: Some(most),
        part_number_marker: Some(after),
        next_part_number_marker: parts.last().and_then(|part| part.part_number).filter(|_| is_truncated),
        is_truncated: Some(is_truncated),
        parts: Some(parts),
        ..ListPartsOutput::default()
    })
}

/// `GET /{bucket}?uploads`.
pub(super) async fn list_uploads(
    endpoint: &Endpoint,
    input: ListMultipartUploadsInput,
) -> S3Result<ListMultipartUploadsOutput> {
    fault::refuse_if(&[("a delimiter in a list of uploads", input.delimiter.is_some())])?;
    endpoint.bucket(&input.bucket).await?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let after =
        (input.key_marker.clone().unwrap_or_default(), input.upload_id_marker.clone().unwrap_or_default());
    let most = input.max_uploads.unwrap_or(PAGE).clamp(0, PAGE);
    let mut found = Vec::new();
    let folders = endpoint.uploads.store.list_with_delimiter(None).await.map_err(fault::of_store)?;
    for folder in folders.common_prefixes {
        let id = folder.to_string();
        let Some(upload) = endpoint.uploads.read(&id).await? else { continue };
        // Without an id the marker means all uploads of its key.
        let is_after =
            if after.1.is_empty() { upload.key > after.0 } else { (&upload.key, &id) > (&after.0, &after.1) };
        if upload.bucket == input.bucket && upload.key.starts_with(&prefix) && is_after {
            found.push((upload.key, id, upload.began_at));
        }
    }
    found.sort();
    let is_truncated = found.len() > usize::try_from(most).unwrap_or(0);
    found.truncate(usize::try_from(most).unwrap_or(0));
    let last = found.last().filter(|_| is_truncated).cloned();
    let uploads = found.into_iter().map(|(key, id, began_at)| UploadEntry {
        key: Some(key),
        upload_id: Some(id),
        initiated: Some(timestamp(began_at)),
        ..UploadEntry::default()
    });
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: input.prefix,
        key_marker: input.key_marker,
        upload_id_marker: input.upload_id_marker,
        max_uploads: Some(most),
        is_truncated: Some(is_truncated),
        next_key_marker: last.as_ref().map(|(key, _, _)| key.clone()),
        next_upload_id_marker: last.map(|(_, id, _)| id),
        uploads: Some(uploads.collect()),
        ..ListMultipartUploadsOutput::default()
    })
}
