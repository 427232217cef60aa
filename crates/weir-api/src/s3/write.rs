//! Streams a body into a store. The object appears when all of it has arrived and its digests fit.

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

/// Writes a body; nothing is left of it when it breaks off or a digest does not fit.
pub(super) async fn write<B, E>(
    store: &dyn ObjectStore,
    key: &Key,
    mut body: B,
    mut digests: Digests,
) -> S3Result<Written>
where
    B: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    let mut upload = store.put_multipart(key).await.map_err(fault::of_store)?;
    let mut size = 0;
    let received = receive(upload.as_mut(), &mut body, &mut digests, &mut size).await;
    let checked = match received {
        Ok(()) => digests.check(),
        Err(error) => Err(error),
    };
    match checked {
        Ok(checksum) => {
            let PutResult { e_tag, .. } = upload.complete().await.map_err(fault::of_store)?;
            Ok(Written { e_tag, size, checksum })
        }
        Err(error) => {
            if let Err(failed) = upload.abort().await {
                tracing::warn!(error = %failed, "what had arrived of a failed upload could not be removed");
            }
            Err(error)
        }
    }
}

async fn receive<B, E>(
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
