//! Objects in buckets, over the S3 endpoint of the service.

use object_store::path::Path as Key;
use reqwest::Url;
use weir_cloud::identity::ClientCredential;
use weir_cloud::objects::{Objects, ObjectsConfig, ObjectsError, S3Config};

use crate::call::Client;
use crate::error::ClientError;

/// The region of signatures; the endpoint of the service takes any.
const REGION: &str = "us-east-1";

/// The buckets of a service.
#[derive(Debug)]
pub struct Buckets {
    objects: Objects,
    endpoint: String,
}

impl Client {
    /// Reaches the objects at an S3 endpoint, by default on the port after that of the API. That takes an access key,
    /// as S3 knows no tokens.
    pub fn objects(&self, endpoint: Option<&str>) -> Result<Buckets, ClientError> {
        let ClientCredential::Key { access, secret } = self.credential() else {
            return Err(ClientError::Given(
                "buckets are reached with an access key, and this session has a token; `weir iam key create` makes a key, \
                 WEIR_ACCESS_KEY and WEIR_SECRET_KEY or `weir login --access-key` use it"
                    .to_string(),
            ));
        };
        let endpoint = match endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_string(),
            None => next_port(self.endpoint()).ok_or_else(|| {
                ClientError::Given(format!("no port comes after that of {}", self.endpoint()))
            })?,
        };
        let config = S3Config {
            endpoint: endpoint.clone(),
            region: REGION.to_string(),
            access_key: access.clone(),
            secret_key: secret.expose().to_string(),
            runtime: None,
        };
        Ok(Buckets { objects: Objects::new(ObjectsConfig::S3(config)), endpoint })
    }
}

/// Returns the address with the next port, where a service has its S3 endpoint unless told otherwise.
fn next_port(endpoint: &str) -> Option<String> {
    let mut url = Url::parse(endpoint).ok()?;
    let port = url.port_or_known_default()?.checked_add(1)?;
    url.set_port(Some(port)).ok()?;
    Some(url.as_str().trim_end_matches('/').to_string())
}

impl Buckets {
    /// Reads an object; the place is `bucket/key`.
    pub async fn read(&self, place: &str) -> Result<Vec<u8>, ClientError> {
        let (bucket, key) = split(place)?;
        let bytes = self.objects.get(bucket, key).await.map_err(|error| self.failure(place, error))?;
        Ok(bytes.to_vec())
    }

    /// Writes an object; the place is `bucket/key`.
    pub async fn write(&self, place: &str, contents: Vec<u8>) -> Result<(), ClientError> {
        let (bucket, key) = split(place)?;
        let written = self.objects.put(bucket, key, contents.into()).await;
        written.map_err(|error| self.failure(place, error))
    }

    /// Returns the folders in a folder of a bucket, by their places.
    pub async fn folders(&self, bucket: &str, folder: &str) -> Result<Vec<String>, ClientError> {
        let place = format!("{bucket}/{folder}");
        let store = self.objects.bucket(bucket).await.map_err(|error| self.failure(&place, error))?;
        let listed = store.list_with_delimiter(Some(&Key::from(folder))).await;
        let listed = listed.map_err(|error| self.failure(&place, error.into()))?;
        Ok(listed.common_prefixes.iter().map(|prefix| format!("{bucket}/{prefix}")).collect())
    }

    /// Returns the objects in a folder, by their places, in the order of their names.
    pub async fn files(&self, folder: &str) -> Result<Vec<String>, ClientError> {
        let (bucket, key) = split(folder)?;
        let store = self.objects.bucket(bucket).await.map_err(|error| self.failure(folder, error))?;
        let listed = store.list_with_delimiter(Some(&Key::from(key))).await;
        let listed = listed.map_err(|error| self.failure(folder, error.into()))?;
        let mut places: Vec<String> =
            listed.objects.iter().map(|object| format!("{bucket}/{}", object.location)).collect();
        places.sort();
        Ok(places)
    }

    fn failure(&self, place: &str, error: ObjectsError) -> ClientError {
        match error {
            ObjectsError::Unreachable(cause) => {
                ClientError::Unreachable { endpoint: self.endpoint.clone(), cause }
            }
            other => ClientError::Given(format!("{place} at {}: {other}", self.endpoint)),
        }
    }
}

fn split(place: &str) -> Result<(&str, &str), ClientError> {
    let parts = place.split_once('/').filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
    parts.ok_or_else(|| ClientError::Given(format!("`{place}` is not the place of an object: BUCKET/KEY")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_endpoint_of_objects_is_on_the_next_port() {
        assert_eq!(next_port("http://127.0.0.1:8780").as_deref(), Some("http://127.0.0.1:8781"));
        assert_eq!(next_port("https://weir.example").as_deref(), Some("https://weir.example:444"));
        assert_eq!(next_port("http://h:65535"), None);
    }

    #[test]
    fn places_have_a_bucket_and_a_key() {
        assert_eq!(split("b/a/x.zip").unwrap(), ("b", "a/x.zip"));
        for wrong in ["b", "b/", "/x"] {
            assert!(split(wrong).unwrap_err().to_string().contains("BUCKET/KEY"), "{wrong}");
        }
    }
}
