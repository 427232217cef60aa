//! Operations on whole objects.

use std::io::SeekFrom;
use std::sync::Arc;

use chrono::TimeDelta;
use object_store::path::Path as Key;
use object_store::{GetOptions, GetResult, GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt};
use s3s::dto::{
    Checksum, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectInput,
    DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETagCondition, Error as DeleteError,
    GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, MetadataDirective, PutObjectInput,
    PutObjectOutput, Range, StorageClass, StreamingBlob, Timestamp,
};
use s3s::{S3Result, TrailingHeaders, s3_error};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::attributes::Attributes;
use super::conditional::{Condition, Target, write_object};
use super::digest::Digests;
use super::endpoint::{Endpoint, e_tag, instant, new_path_of, path_of, size_of, timestamp};
use super::fault;
use super::write::Written;

/// Bytes read from a file at once; each read is a trip to a blocking thread.
const READ_SIZE: usize = 256 * 1024;

/// `PUT /{bucket}/{key}`.
pub(super) async fn put(
    endpoint: &Endpoint,
    input: PutObjectInput,
    trailers: Option<TrailingHeaders>,
) -> S3Result<PutObjectOutput> {
    check_storage_class(input.storage_class.as_ref())?;
    let condition = Condition::new(input.if_match, input.if_none_match)?;
    fault::refuse_if(&[
        (
            "an access control list other than `private`",
            is_public(input.acl.as_ref().map(|acl| acl.as_str())),
        ),
        ("encryption", input.server_side_encryption.is_some() || input.sse_customer_algorithm.is_some()),
        ("object lock", input.object_lock_mode.is_some() || input.object_lock_legal_hold_status.is_some()),
        ("a set of tags", input.tagging.is_some()),
        ("a write offset", input.write_offset_bytes.is_some()),
        ("a redirect", input.website_redirect_location.is_some()),
    ])?;
    let attributes = Attributes {
        content_type: input.content_type,
        content_encoding: input.content_encoding,
        content_disposition: input.content_disposition,
        content_language: input.content_language,
        cache_control: input.cache_control,
        ..Attributes::default()
    };
    let attributes = attributes.with(input.metadata, input.expires.as_ref())?;
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
    let target = Target { bucket: &input.bucket, key: &input.key, condition };
    let written = write_object(endpoint, target, &attributes, body, digests).await?;
    Ok(PutObjectOutput {
        e_tag: e_tag(written.e_tag.as_deref()),
        size: Some(size_of(written.size)),
        checksum_crc32: written.checksum.checksum_crc32,
        checksum_crc32c: written.checksum.checksum_crc32c,
        checksum_crc64nvme: written.checksum.checksum_crc64nvme,
        checksum_sha1: written.checksum.checksum_sha1,
        checksum_sha256: written.checksum.checksum_sha256,
        ..PutObjectOutput::default()
    })
}

/// `GET /{bucket}/{key}`.
pub(super) async fn get(endpoint: &Endpoint, input: GetObjectInput) -> S3Result<GetObjectOutput> {
    fault::refuse_if(&[
        ("a version", input.version_id.as_ref().is_some_and(|version| version != "null")),
        ("reading by part", input.part_number.is_some()),
    ])?;
    let options = conditions(
        input.if_match.as_ref(),
        input.if_none_match.as_ref(),
        input.if_modified_since.as_ref(),
        input.if_unmodified_since.as_ref(),
    );
    let found = open(endpoint, &input.bucket, &input.key, options).await?;
    let meta = found.meta.clone();
    let range = match &input.range {
        Some(range) => range
            .check(meta.size)
            .map_err(|_| s3_error!(InvalidRange, "the object has {} bytes", meta.size))?,
        None => 0..meta.size,
    };
    let content_range =
        input.range.map(|_| format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), meta.size));
    let attributes = endpoint.attributes.read(&input.bucket, &input.key, meta.e_tag.as_deref()).await?;
    let expires = attributes.expires();
    Ok(GetObjectOutput {
        body: Some(read(found, range.clone()).await?),
        accept_ranges: Some("bytes".to_string()),
        content_length: Some(size_of(range.end - range.start)),
        content_range,
        e_tag: e_tag(meta.e_tag.as_deref()),
        last_modified: Some(timestamp(meta.last_modified)),
        metadata: attributes.metadata(),
        content_type: input.response_content_type.or_else(|| content_type(&attributes)),
        content_encoding: input.response_content_encoding.or(attributes.content_encoding),
        content_disposition: input.response_content_disposition.or(attributes.content_disposition),
        content_language: input.response_content_language.or(attributes.content_language),
        cache_control: input.response_cache_control.or(attributes.cache_control),
        expires: input.response_expires.or(expires),
        ..GetObjectOutput::default()
    })
}

/// `HEAD /{bucket}/{key}`.
pub(super) async fn head(endpoint: &Endpoint, input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
    fault::refuse_if(&[
        ("a version", input.version_id.as_ref().is_some_and(|version| version != "null")),
        ("reading by part", input.part_number.is_some()),
    ])?;
    let options = conditions(
        input.if_match.as_ref(),
        input.if_none_match.as_ref(),
        input.if_modified_since.as_ref(),
        input.if_unmodified_since.as_ref(),
    );
    let meta = open(endpoint, &input.bucket, &input.key, GetOptions { head: true, ..options }).await?.meta;
    let attributes = endpoint.attributes.read(&input.bucket, &input.key, meta.e_tag.as_deref()).await?;
    Ok(HeadObjectOutput {
        accept_ranges: Some("bytes".to_string()),
        content_length: Some(size_of(meta.size)),
        e_tag: e_tag(meta.e_tag.as_deref()),
        last_modified: Some(timestamp(meta.last_modified)),
        metadata: attributes.metadata(),
        expires: attributes.expires(),
        content_type: content_type(&attributes),
        content_encoding: attributes.content_encoding,
        content_disposition: attributes.content_disposition,
        content_language: attributes.content_language,
        cache_control: attributes.cache_control,
        ..HeadObjectOutput::default()
    })
}

/// `DELETE /{bucket}/{key}`; succeeds when there is no such object, unless it must have a tag.
pub(super) async fn delete(endpoint: &Endpoint, input: DeleteObjectInput) -> S3Result<()> {
    refuse_other_conditions(input.if_match_last_modified_time.is_some() || input.if_match_size.is_some())?;
    let store = endpoint.bucket(&input.bucket).await?;
    let condition = Condition::new(input.if_match, None)?;
    remove(endpoint, store.as_ref(), Target { bucket: &input.bucket, key: &input.key, condition }).await
}

fn refuse_other_conditions(is_asked: bool) -> S3Result<()> {
    fault::refuse_if(&[("a delete under a condition other than `If-Match`", is_asked)])
}

/// `POST /{bucket}?delete`.
pub(super) async fn delete_many(
    endpoint: &Endpoint,
    input: DeleteObjectsInput,
) -> S3Result<DeleteObjectsOutput> {
    let objects = &input.delete.objects;
    refuse_other_conditions(
        objects.iter().any(|object| object.last_modified_time.is_some() || object.size.is_some()),
    )?;
    let store = endpoint.bucket(&input.bucket).await?;
    let is_quiet = input.delete.quiet == Some(true);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in input.delete.objects {
        let condition = Condition::new(object.e_tag.map(ETagCondition::ETag), None)?;
        let target = Target { bucket: &input.bucket, key: &object.key, condition };
        match remove(endpoint, store.as_ref(), target).await {
            Ok(()) if is_quiet => {}
            Ok(()) => deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() }),
            Err(error) => errors.push(DeleteError {
                code: Some(error.code().as_str().to_string()),
                message: error.message().map(String::from),
                key: Some(object.key),
                ..DeleteError::default()
            }),
        }
    }
    Ok(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..DeleteObjectsOutput::default() })
}

async fn remove(endpoint: &Endpoint, store: &dyn ObjectStore, target: Target<'_>) -> S3Result<()> {
    let Target { bucket, key, condition } = target;
    let Some(path) = path_of(key) else {
        return if condition == Condition::None { Ok(()) } else { Err(fault::no_key()) };
    };
    let _turn = endpoint.turns.take(bucket, key).await;
    condition.check(store, &path).await?;
    match store.head(&path).await {
        Ok(_) => {}
        Err(object_store::Error::NotFound { .. }) => return Ok(()),
        Err(error) => return Err(fault::of_store(error)),
    }
    match store.delete(&path).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
        Err(error) => return Err(fault::of_store(error)),
    }
    endpoint.attributes.remove(bucket, key).await
}

/// `PUT /{bucket}/{key}` with a source. The bytes are copied: a shared file would have one date and
/// one tag for two objects.
pub(super) async fn copy(
    endpoint: &Endpoint,
    input: CopyObjectInput,
    condition: Condition,
) -> S3Result<CopyObjectOutput> {
    check_storage_class(input.storage_class.as_ref())?;
    fault::refuse_if(&[
        (
            "an access control list other than `private`",
            is_public(input.acl.as_ref().map(|acl| acl.as_str())),
        ),
        ("encryption", input.server_side_encryption.is_some() || input.sse_customer_algorithm.is_some()),
        ("a set of tags", input.tagging.is_some()),
    ])?;
    let (source_bucket, source_key) = source_of(&input.copy_source)?;
    let options = conditions(
        input.copy_source_if_match.as_ref(),
        input.copy_source_if_none_match.as_ref(),
        input.copy_source_if_modified_since.as_ref(),
        input.copy_source_if_unmodified_since.as_ref(),
    );
    let found = open(endpoint, &source_bucket, &source_key, options).await?;
    let source_tag = found.meta.e_tag.clone();
    let is_replacing = input
        .metadata_directive
        .as_ref()
        .is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
    let attributes = if is_replacing {
        let attributes = Attributes {
            content_type: input.content_type,
            content_encoding: input.content_encoding,
            content_disposition: input.content_disposition,
            content_language: input.content_language,
            cache_control: input.cache_control,
            ..Attributes::default()
        };
        attributes.with(input.metadata, input.expires.as_ref())?
    } else {
        endpoint.attributes.read(&source_bucket, &source_key, source_tag.as_deref()).await?
    };
    let size = found.meta.size;
    let body = read(found, 0..size).await?;
    let target = Target { bucket: &input.bucket, key: &input.key, condition };
    let written = write_object(endpoint, target, &attributes, body, Digests::default()).await?;
    let store = endpoint.bucket(&input.bucket).await?;
    let result = copied(&store, &new_path_of(&input.key)?, &written).await?;
    Ok(CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() })
}

async fn copied(store: &Arc<dyn ObjectStore>, path: &Key, written: &Written) -> S3Result<CopyObjectResult> {
    let ObjectMeta { last_modified, .. } = store.head(path).await.map_err(fault::of_store)?;
    Ok(CopyObjectResult {
        e_tag: e_tag(written.e_tag.as_deref()),
        last_modified: Some(timestamp(last_modified)),
        ..CopyObjectResult::default()
    })
}

/// Returns bucket and key of the source of a copy.
pub(super) fn source_of(source: &CopySource) -> S3Result<(String, String)> {
    match source {
        CopySource::Bucket { bucket, key, version_id } => {
            let is_version = version_id.as_ref().is_some_and(|version| **version != *"null");
            fault::refuse_if(&[("a version", is_version)])?;
            Ok((bucket.to_string(), key.to_string()))
        }
        _ => Err(s3_error!(NotImplemented, "the source of a copy must be `bucket/key`")),
    }
}

/// Opens an object when the conditions are met.
pub(super) async fn open(
    endpoint: &Endpoint,
    bucket: &str,
    key: &str,
    options: GetOptions,
) -> S3Result<GetResult> {
    let store = endpoint.bucket(bucket).await?;
    let path = path_of(key).ok_or_else(fault::no_key)?;
    store.get_opts(&path, options).await.map_err(fault::of_store)
}

/// Streams a range of an opened object.
pub(super) async fn read(found: GetResult, range: std::ops::Range<u64>) -> S3Result<StreamingBlob> {
    let GetResultPayload::File(file, _) = found.payload else {
        return Err(fault::internal("an object of the local directory is not a file"));
    };
    let mut file = tokio::fs::File::from_std(file);
    file.seek(SeekFrom::Start(range.start)).await.map_err(|error| fault::internal(&error.to_string()))?;
    let bytes = ReaderStream::with_capacity(file.take(range.end - range.start), READ_SIZE);
    Ok(StreamingBlob::wrap(bytes))
}

/// Reads a range header of a copied part.
pub(super) fn copied_range(text: Option<&str>, size: u64) -> S3Result<std::ops::Range<u64>> {
    let Some(text) = text else { return Ok(0..size) };
    let range = Range::parse(text)
        .map_err(|_| s3_error!(InvalidArgument, "the range of the copied part cannot be read"))?;
    range.check(size).map_err(|_| s3_error!(InvalidRange, "the object has {size} bytes"))
}

/// Turns the conditions of a request into those of the store.
pub(super) fn conditions(
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
    if_modified_since: Option<&Timestamp>,
    if_unmodified_since: Option<&Timestamp>,
) -> GetOptions {
    let tag = |condition: &ETagCondition| match condition {
        // The store compares tags with their quotation marks.
        ETagCondition::ETag(tag) => format!("\"{}\"", tag.value()),
        ETagCondition::Any => "*".to_string(),
    };
    // Dates on the wire have no fraction of a second, those of files have one.
    let whole_second = |at: &Timestamp| Some(instant(at)? + TimeDelta::milliseconds(999));
    GetOptions {
        if_match: if_match.map(tag),
        if_none_match: if_none_match.map(tag),
        if_modified_since: if_modified_since.and_then(whole_second),
        if_unmodified_since: if_unmodified_since.and_then(whole_second),
        ..GetOptions::default()
    }
}

/// Refuses storage classes other than the one there is.
pub(super) fn check_storage_class(class: Option<&StorageClass>) -> S3Result<()> {
    match class {
        Some(class) if class.as_str() != StorageClass::STANDARD => {
            Err(s3_error!(InvalidStorageClass, "there is one storage class: `STANDARD`"))
        }
        _ => Ok(()),
    }
}

/// Whether an access control list asks for more than the owner.
pub(super) fn is_public(acl: Option<&str>) -> bool {
    acl.is_some_and(|acl| !matches!(acl, "private" | "bucket-owner-full-control"))
}

fn content_type(attributes: &Attributes) -> Option<String> {
    Some(attributes.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_string()))
}
