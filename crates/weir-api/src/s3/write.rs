//! Streams a body into a store. The object appears when all of it has arrived, its digests fit, and it is published.

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};
use object_store::path::Path as Key;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, PutResult};
use s3s::dto::Checksum;
use s3s::{S3Result, s3_error};

use super::digest::Digests;
use super::fault;

/// Bytes that are gathered before they are written: one blocking write per megabyte, and the memory of
/// an upload stays small.
const PIECE: usize = 1024 * 1024;

/// What was written.
#[derive(Debug)]
pub(super) struct Written {
    pub e_tag: Option<String>,
    pub size: u64,
    pub checksum: Checksum,
}

/// A body that has arrived whole and is no object yet.
pub(super) struct Received {
    upload: Box<dyn MultipartUpload>,
    size: u64,
    checksum: Checksum,
}

impl Received {
    /// Makes it an object.
    pub(super) async fn publish(mut self) -> S3Result<Written> {
        let PutResult { e_tag, .. } = self.upload.complete().await.map_err(fault::of_store)?;
        Ok(Written { e_tag, size: self.size, checksum: self.checksum })
    }

    /// Leaves nothing of it.
    pub(super) async fn discard(mut self) {
        abort(self.upload.as_mut()).await;
    }
}

/// Writes a body; nothing is left of it when it breaks off or a digest does not fit.
pub(super) async fn write<B, E>(
    store: &dyn ObjectStore,
    key: &Key,
    body: B,
    digests: Digests,
) -> S3Result<Written>
where
    B: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    receive(store, key, body, digests).await?.publish().await
}

/// Takes in a body; nothing is left of it when it breaks off or a digest does not fit.
pub(super) async fn receive<B, E>(
    store: &dyn ObjectStore,
    key: &Key,
    mut body: B,
    mut digests: Digests,
) -> S3Result<Received>
where
    B: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    let mut upload = store.put_multipart(key).await.map_err(fault::of_store)?;
    let mut size = 0;
    let taken = take(upload.as_mut(), &mut body, &mut digests, &mut size).await;
    let checked = match taken {
        Ok(()) => digests.check(),
        Err(error) => Err(error),
    };
    match checked {
        Ok(checksum) => Ok(Received { upload, size, checksum }),
        Err(error) => {
            abort(upload.as_mut()).await;
            Err(error)
        }
    }
}

async fn abort(upload: &mut dyn MultipartUpload) {
    if let Err(failed) = upload.abort().await {
        tracing::warn!(error = %failed, "what had arrived of a failed upload could not be removed");
    }
}

async fn take<B, E>(
    upload: &mut dyn MultipartUpload,
    body: &mut B,
    digests: &mut Digests,
    size: &mut u64,
) -> S3Result<()>
where
    B: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    let mut gathered = BytesMut::with_capacity(PIECE);
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| s3_error!(IncompleteBody, "the body broke off: {error}"))?;
        digests.update(&piece);
        *size += piece.len() as u64;
        gathered.extend_from_slice(&piece);
        if gathered.len() >= PIECE {
            put(upload, gathered.split().freeze()).await?;
        }
    }
    if gathered.is_empty() { Ok(()) } else { put(upload, gathered.freeze()).await }
}

async fn put(upload: &mut dyn MultipartUpload, piece: Bytes) -> S3Result<()> {
    upload.put_part(PutPayload::from_bytes(piece)).await.map_err(fault::of_store)
}
