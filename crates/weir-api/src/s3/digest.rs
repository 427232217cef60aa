//! Digests that a client sends with a body, and their check.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{Checksum, ChecksumAlgorithm};
use s3s::{S3Result, TrailingHeaders, s3_error};

/// The digests of a body as it passes.
#[derive(Default)]
pub(super) struct Digests {
    expected: Checksum,
    expected_md5: Option<String>,
    hasher: ChecksumHasher,
    md5: Option<Md5>,
    trailers: Option<TrailingHeaders>,
}

impl Digests {
    /// Prepares for the digests that were sent before the body, or are announced to follow it.
    pub(super) fn new(
        expected: Checksum,
        expected_md5: Option<String>,
        announced: Option<&ChecksumAlgorithm>,
        trailers: Option<TrailingHeaders>,
    ) -> S3Result<Self> {
        let mut hasher = ChecksumHasher::default();
        let is_announced = |name: &'static str| announced.is_some_and(|algorithm| algorithm.as_str() == name);
        let is_known = [
            ChecksumAlgorithm::CRC32,
            ChecksumAlgorithm::CRC32C,
            ChecksumAlgorithm::CRC64NVME,
            ChecksumAlgorithm::SHA1,
            ChecksumAlgorithm::SHA256,
        ]
        .into_iter()
        .any(is_announced);
        if announced.is_some() && !is_known {
            return Err(s3_error!(
                NotImplemented,
                "this checksum algorithm is not supported by this endpoint"
            ));
        }
        if expected.checksum_crc32.is_some() || is_announced(ChecksumAlgorithm::CRC32) {
            hasher.crc32 = Some(Default::default());
        }
        if expected.checksum_crc32c.is_some() || is_announced(ChecksumAlgorithm::CRC32C) {
            hasher.crc32c = Some(Default::default());
        }
        if expected.checksum_crc64nvme.is_some() || is_announced(ChecksumAlgorithm::CRC64NVME) {
            hasher.crc64nvme = Some(Default::default());
        }
        if expected.checksum_sha1.is_some() || is_announced(ChecksumAlgorithm::SHA1) {
            hasher.sha1 = Some(Default::default());
        }
        if expected.checksum_sha256.is_some() || is_announced(ChecksumAlgorithm::SHA256) {
            hasher.sha256 = Some(Default::default());
        }
        let md5 = expected_md5.as_ref().map(|_| Md5::new());
        Ok(Self { expected, expected_md5, hasher, md5, trailers })
    }

    /// Takes a piece of the body in.
    pub(super) fn update(&mut self, piece: &Bytes) {
        self.hasher.update(piece);
        if let Some(md5) = &mut self.md5 {
            md5.update(piece);
        }
    }

    /// Compares all digests; to be called after the last piece. Returns those that were computed.
    pub(super) fn check(self) -> S3Result<Checksum> {
        let Self { mut expected, expected_md5, hasher, md5, trailers } = self;
        if let (Some(sent), Some(md5)) = (expected_md5, md5)
            && sent != STANDARD.encode(md5.finalize())
        {
            return Err(s3_error!(BadDigest, "`Content-MD5` is not the digest of the body"));
        }
        if let Some(trailers) = trailers {
            read_trailers(&trailers, &mut expected);
        }
        let found = hasher.finalize();
        for (name, sent, found) in [
            ("crc32", &expected.checksum_crc32, &found.checksum_crc32),
            ("crc32c", &expected.checksum_crc32c, &found.checksum_crc32c),
            ("crc64nvme", &expected.checksum_crc64nvme, &found.checksum_crc64nvme),
            ("sha1", &expected.checksum_sha1, &found.checksum_sha1),
            ("sha256", &expected.checksum_sha256, &found.checksum_sha256),
        ] {
            if let (Some(sent), Some(found)) = (sent, found)
                && sent != found
            {
                return Err(s3_error!(
                    BadDigest,
                    "the {name} checksum is `{sent}`, that of the body is `{found}`"
                ));
            }
        }
        Ok(found)
    }
}

fn read_trailers(trailers: &TrailingHeaders, expected: &mut Checksum) {
    trailers.read(|headers| {
        let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(String::from);
        for (name, member) in [
            ("x-amz-checksum-crc32", &mut expected.checksum_crc32),
            ("x-amz-checksum-crc32c", &mut expected.checksum_crc32c),
            ("x-amz-checksum-crc64nvme", &mut expected.checksum_crc64nvme),
            ("x-amz-checksum-sha1", &mut expected.checksum_sha1),
            ("x-amz-checksum-sha256", &mut expected.checksum_sha256),
        ] {
            if let Some(sent) = value(name) {
                *member = Some(sent);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(md5: Option<&str>, crc32: Option<&str>, body: &'static [u8]) -> S3Result<Checksum> {
        let expected = Checksum { checksum_crc32: crc32.map(String::from), ..Checksum::default() };
        let mut digests = Digests::new(expected, md5.map(String::from), None, None)?;
        digests.update(&Bytes::from_static(body));
        digests.check()
    }

    #[test]
    fn a_body_that_was_damaged_on_the_way_is_noticed() {
        // MD5 and CRC-32 of `abc`.
        let (md5, crc32) = ("kAFQmDzST7DWlj99KOF/cg==", "NSRBwg==");
        assert!(check(Some(md5), Some(crc32), b"abc").is_ok());
        assert!(check(Some(md5), None, b"abd").is_err());
        assert!(check(None, Some(crc32), b"abd").is_err());
        assert!(check(None, None, b"abd").is_ok());
    }
}
