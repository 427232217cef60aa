//! Bodies of requests, whole and in memory: each is bounded in size and in time, and all of them together in memory.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::request::Parts;
use bytes::Bytes;
use thiserror::Error;
use tokio::sync::{Semaphore, SemaphorePermit};

/// How long a body may take to arrive, and how long before it waits for memory.
const TIME: Duration = Duration::from_secs(30);
/// The unit in which memory is given out.
const PIECE: usize = 64 << 10;
/// Memory for bodies longer than a piece: eight of the longest at a time. Those that are shorter need none of it, so
/// that they never wait for the long ones; the number of connections bounds them.
static MEMORY: Semaphore = Semaphore::const_new((128 << 20) / PIECE);

/// Why there is no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum BodyFault {
    /// It is longer than it may be.
    #[error("it is longer than {0} bytes")]
    TooLong(usize),
    /// Its end is missing.
    #[error("it broke off")]
    BrokeOff,
    /// It is slow.
    #[error("it did not arrive within {} s", TIME.as_secs())]
    TooSlow,
    /// Too many others are long.
    #[error("the service is busy with other long ones; try again later")]
    Busy,
}

/// A body with the memory that it was given.
struct Held {
    bytes: Bytes,
    _memory: SemaphorePermit<'static>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Reads a body of at most so many bytes: a declared length is refused before the first byte is read, an undeclared
/// one as soon as it is too long.
pub(crate) async fn read(parts: &Parts, body: Body, most: usize) -> Result<Bytes, BodyFault> {
    let declared = parts.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let declared = declared.and_then(|text| text.parse::<usize>().ok());
    if declared.is_some_and(|length| length > most) {
        return Err(BodyFault::TooLong(most));
    }
    let memory = room(&MEMORY, declared.unwrap_or(most), TIME).await?;
    let bytes = receive(body, most).await?;
    Ok(match memory {
        // It is given back when the last part of the body is dropped.
        Some(memory) => Bytes::from_owner(Held { bytes, _memory: memory }),
        None => bytes,
    })
}

/// Waits until there is memory for a body. A short one needs none.
async fn room(
    memory: &'static Semaphore,
    length: usize,
    patience: Duration,
) -> Result<Option<SemaphorePermit<'static>>, BodyFault> {
    if length <= PIECE {
        return Ok(None);
    }
    let pieces = u32::try_from(length.div_ceil(PIECE)).unwrap_or(u32::MAX);
    match tokio::time::timeout(patience, memory.acquire_many(pieces)).await {
        Ok(Ok(permit)) => Ok(Some(permit)),
        _ => Err(BodyFault::Busy),
    }
}

async fn receive(body: Body, most: usize) -> Result<Bytes, BodyFault> {
    match tokio::time::timeout(TIME, axum::body::to_bytes(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            tracing::debug!(%error, source, "a body could not be read");
            Err(if source.contains("length limit") { BodyFault::TooLong(most) } else { BodyFault::BrokeOff })
        }
        Err(_) => Err(BodyFault::TooSlow),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn body_of(bytes: Vec<u8>, declared: Option<&str>) -> Result<Bytes, BodyFault> {
        let request = Request::builder();
        let request = match declared {
            Some(length) => request.header(CONTENT_LENGTH, length),
            None => request,
        };
        let (parts, body) = request.body(Body::from(bytes)).unwrap().into_parts();
        read(&parts, body, 1 << 20).await
    }

    #[tokio::test]
    async fn what_is_too_long_is_refused_whether_it_says_so_or_not() {
        assert_eq!(body_of(vec![7; 1 << 20], None).await.map(|body| body.len()), Ok(1 << 20));
        assert_eq!(body_of(vec![7; (1 << 20) + 1], None).await, Err(BodyFault::TooLong(1 << 20)));
        assert_eq!(body_of(Vec::new(), Some("1048577")).await, Err(BodyFault::TooLong(1 << 20)));
    }

    #[tokio::test]
    async fn long_bodies_wait_for_memory_and_short_ones_do_not() {
        static SMALL: Semaphore = Semaphore::const_new(3);
        let ask = |length| room(&SMALL, length, Duration::ZERO);
        let memory = ask(2 * PIECE).await.unwrap().unwrap();
        assert!(ask(PIECE).await.unwrap().is_none(), "a short one needs none");
        assert_eq!(ask(PIECE + 1).await.err(), Some(BodyFault::Busy));
        let body = Bytes::from_owner(Held { bytes: Bytes::from_static(b"abc"), _memory: memory });
        let part = body.slice(..1);
        drop(body);
        assert_eq!(ask(2 * PIECE).await.err(), Some(BodyFault::Busy), "a part of the other is in use");
        drop(part);
        assert!(ask(3 * PIECE).await.unwrap().is_some());
    }
}
