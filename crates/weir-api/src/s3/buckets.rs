//! Operations on buckets.

use s3s::S3Result;
use s3s::dto::{
    Bucket, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, GetBucketLocationOutput,
    HeadBucketOutput, ListBucketsInput, ListBucketsOutput, Owner,
};

use super::access::Sender;
use super::endpoint::{Endpoint, timestamp};
use super::fault;

/// `PUT /{bucket}`. The region in the body does not matter: there is one.
pub(super) async fn create(
    endpoint: &Endpoint,
    sender: &Sender,
    input: CreateBucketInput,
) -> S3Result<CreateBucketOutput> {
    let is_public = input.acl.as_ref().is_some_and(|acl| acl.as_str() != "private");
    fault::refuse_if(&[
        ("an access control list other than `private`", is_public),
        ("object lock", input.object_lock_enabled_for_bucket == Some(true)),
    ])?;
    endpoint.buckets.create(&input.bucket, &sender.home()?).await.map_err(fault::of_ownership)?;
    Ok(CreateBucketOutput { location: Some(format!("/{}", input.bucket)) })
}

/// `DELETE /{bucket}`.
pub(super) async fn delete(endpoint: &Endpoint, bucket: &str) -> S3Result<()> {
    endpoint.objects.delete_bucket(bucket).await.map_err(fault::of_bucket)?;
    endpoint.attributes.remove_bucket(bucket).await
}

/// `HEAD /{bucket}`.
pub(super) async fn head(endpoint: &Endpoint, bucket: &str) -> S3Result<HeadBucketOutput> {
    endpoint.bucket(bucket).await?;
    Ok(HeadBucketOutput::default())
}

/// `GET /{bucket}?location`: empty, the default region of the protocol.
pub(super) async fn location(endpoint: &Endpoint, bucket: &str) -> S3Result<GetBucketLocationOutput> {
    endpoint.bucket(bucket).await?;
    Ok(GetBucketLocationOutput { location_constraint: Some(BucketLocationConstraint::from(String::new())) })
}

/// `GET /`: the buckets of the projects in which the sender may read.
pub(super) async fn list(
    endpoint: &Endpoint,
    sender: &Sender,
    input: ListBucketsInput,
) -> S3Result<ListBucketsOutput> {
    let prefix = input.prefix.clone().unwrap_or_default();
    let after = input.continuation_token.unwrap_or_default();
    let most = input.max_buckets.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    let found = endpoint.buckets.list(&sender.readable()).await.map_err(fault::of_ownership)?;
    let mut wanted =
        found.into_iter().filter(|bucket| bucket.name.starts_with(&prefix) && bucket.name > after).peekable();
    let mut buckets = Vec::new();
    while buckets.len() < most
        && let Some(bucket) = wanted.next()
    {
        let created = bucket.created_at.and_then(|at| chrono::DateTime::from_timestamp_millis(at.0));
        buckets.push(Bucket {
            creation_date: created.map(timestamp),
            name: Some(bucket.name),
            ..Bucket::default()
        });
    }
    let has_more = wanted.peek().is_some();
    let last = buckets.last().and_then(|bucket| bucket.name.clone());
    Ok(ListBucketsOutput {
        continuation_token: last.filter(|_| has_more),
        buckets: Some(buckets),
        owner: Some(Owner { display_name: Some("weir".to_string()), id: Some("weir".to_string()) }),
        prefix: input.prefix,
    })
}
