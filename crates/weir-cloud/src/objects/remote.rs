//! Buckets behind an S3 endpoint. The calls that `object_store` does not have (make, remove, list) are
//! made with its own client and signer.

use chrono::DateTime;
use object_store::ClientOptions;
use object_store::aws::{AmazonS3, AmazonS3Builder, AwsAuthorizer, AwsCredential};
use object_store::client::{
    HttpConnector, HttpRequest, HttpRequestBody, HttpResponse, ReqwestConnector, SpawnedReqwestConnector,
};
use weir_base::time::Timestamp;

use super::error::ObjectsError;
use super::service::{Bucket, S3Config};

/// Opens the store of a bucket, path style: endpoints on addresses and ports have no host per bucket.
pub(super) fn open(config: &S3Config, name: &str) -> Result<AmazonS3, ObjectsError> {
    let mut builder = AmazonS3Builder::new()
        .with_endpoint(&config.endpoint)
        .with_region(&config.region)
        .with_access_key_id(&config.access_key)
        .with_secret_access_key(&config.secret_key)
        .with_bucket_name(name)
        .with_allow_http(true)
        .with_virtual_hosted_style_request(false);
    if let Some(runtime) = &config.runtime {
        builder = builder.with_http_connector(SpawnedReqwestConnector::new(runtime.clone()));
    }
    Ok(builder.build()?)
}

pub(super) async fn exists(config: &S3Config, name: &str) -> Result<bool, ObjectsError> {
    let answer = call(config, "HEAD", name, Vec::new()).await?;
    match answer.status().as_u16() {
        200..300 => Ok(true),
        404 => Ok(false),
        _ => Err(refusal(answer, format!("the question whether bucket `{name}` exists")).await),
    }
}

pub(super) async fn create(config: &S3Config, name: &str) -> Result<(), ObjectsError> {
    // One region is the default of the protocol and must not be named.
    let body = if config.region == "us-east-1" {
        String::new()
    } else {
        format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <LocationConstraint>{}</LocationConstraint></CreateBucketConfiguration>",
            config.region
        )
    };
    let answer = call(config, "PUT", name, body.into_bytes()).await?;
    match answer.status().as_u16() {
        200..300 => Ok(()),
        409 => Err(ObjectsError::BucketExists(name.to_string())),
        _ => Err(refusal(answer, format!("the making of bucket `{name}`")).await),
    }
}

pub(super) async fn delete(config: &S3Config, name: &str) -> Result<(), ObjectsError> {
    let answer = call(config, "DELETE", name, Vec::new()).await?;
    match answer.status().as_u16() {
        200..300 => Ok(()),
        404 => Err(ObjectsError::NoBucket(name.to_string())),
        409 => Err(ObjectsError::NotEmpty(name.to_string())),
        _ => Err(refusal(answer, format!("the removal of bucket `{name}`")).await),
    }
}

pub(super) async fn list(config: &S3Config) -> Result<Vec<Bucket>, ObjectsError> {
    let answer = call(config, "GET", "", Vec::new()).await?;
    if !answer.status().is_success() {
        return Err(refusal(answer, "the list of buckets".to_string()).await);
    }
    Ok(read_list(&text_of(answer).await?))
}

/// Reads the names and dates of a list of buckets. Names of buckets need no unescaping.
fn read_list(xml: &str) -> Vec<Bucket> {
    let member = |text: &str, name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (value, _) = rest.split_once(&format!("</{name}>"))?;
        Some(value.trim().to_string())
    };
    xml.split("<Bucket>")
        .skip(1)
        .filter_map(|text| {
            let text = text.split("</Bucket>").next().unwrap_or(text);
            let created = member(text, "CreationDate");
            let created_at = created
                .and_then(|date| DateTime::parse_from_rfc3339(&date).ok())
                .map(|date| Timestamp(date.timestamp_millis()));
            Some(Bucket { name: member(text, "Name")?, created_at })
        })
        .collect()
}

async fn call(
    config: &S3Config,
    method: &str,
    path: &str,
    body: Vec<u8>,
) -> Result<HttpResponse, ObjectsError> {
    let endpoint = config.endpoint.trim_end_matches('/');
    let mut request = HttpRequest::new(HttpRequestBody::from(body));
    *request.uri_mut() = format!("{endpoint}/{path}")
        .parse()
        .map_err(|error| ObjectsError::Unreachable(format!("`{endpoint}` is not an address: {error}")))?;
    *request.method_mut() = method
        .parse()
        .map_err(|error| ObjectsError::Unreachable(format!("`{method}` is not a method: {error}")))?;
    let credential = AwsCredential {
        key_id: config.access_key.clone(),
        secret_key: config.secret_key.clone(),
        token: None,
    };
    AwsAuthorizer::new(&credential, "s3", &config.region).try_authorize(&mut request, None)?;
    let options = ClientOptions::new().with_allow_http(true);
    let client = match &config.runtime {
        Some(runtime) => SpawnedReqwestConnector::new(runtime.clone()).connect(&options)?,
        None => ReqwestConnector::default().connect(&options)?,
    };
    client.execute(request).await.map_err(|error| ObjectsError::Unreachable(error.to_string()))
}

async fn refusal(answer: HttpResponse, what: String) -> ObjectsError {
    let status = answer.status().as_u16();
    let message = text_of(answer).await.unwrap_or_default();
    ObjectsError::Endpoint { status, what, message: message.chars().take(500).collect() }
}

async fn text_of(answer: HttpResponse) -> Result<String, ObjectsError> {
    let bytes = answer.into_body().bytes().await;
    let bytes = bytes.map_err(|error| ObjectsError::Unreachable(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_buckets_is_read() {
        let xml = "<ListAllMyBucketsResult><Owner><ID>x</ID></Owner><Buckets><Bucket><Name>a-1</Name>\
                   <CreationDate>2019-01-01T00:00:00.000Z</CreationDate></Bucket><Bucket><Name>b-2</Name></Bucket>\
                   </Buckets></ListAllMyBucketsResult>";
        let found = read_list(xml);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].name, "a-1");
        assert_eq!(found[0].created_at, Some(Timestamp(1_546_300_800_000)));
        assert_eq!(found[1], Bucket { name: "b-2".into(), created_at: None });
    }
}
