//! Reads one object, or all objects below a prefix: one split per object.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt};
use weir_base::clock::Clock;
use weir_cloud::objects::Objects;
use weir_engine::error::ConnectorError;
use weir_engine::source::{SharedSource, SourceConnector, SourceReader, Split};
use weir_formats::FormatOptions;
use weir_sql::SourceStream;

use super::{bucket_fault, fault};
use crate::content::{Blocks, Content, ContentReader, Contents, Fetch, Gzip, Layout, is_gzip};
use crate::environment::Environment;
use crate::options::StreamOptions;

/// Bytes of one read. Large enough that a round trip to a remote store is worth it; two are held.
const BLOCK_BYTES: u64 = 2 << 20;
/// Objects below a prefix; each has its place in every checkpoint.
const MAX_OBJECTS: usize = 100_000;

/// Makes the connector of a stream.
pub(crate) fn source(
    stream: &SourceStream,
    environment: &Environment,
) -> Result<SharedSource, ConnectorError> {
    let options = StreamOptions::new(&stream.name, &stream.options);
    let given = options.required("object_name")?;
    // A leading slash means nothing, but a lone one is the whole bucket.
    let object_name = if given == "/" { given } else { given.trim_start_matches('/') }.to_string();
    let version = version(&options)?;
    let format = options.format(environment.zone()?)?;
    weir_formats::decoder(Arc::clone(&stream.declared), &format)
        .map_err(|error| options.format_error(error))?;
    Ok(Arc::new(ObsSource {
        schema: Arc::clone(&stream.declared),
        format,
        object_name,
        layout: Layout {
            delimiter: options.row_delimiter()?,
            header: false,
            rate: options.rate("rows_per_second")?,
        },
        clock: Arc::clone(&environment.clock),
        bucket: Bucket {
            stream: stream.name.clone(),
            objects: environment.objects.clone(),
            name: options.required("bucket")?.to_string(),
            version,
        },
    }))
}

/// Reads which version of the object is meant.
pub(super) fn version(options: &StreamOptions<'_>) -> Result<Option<String>, ConnectorError> {
    let version = options.get("version_id").filter(|version| !version.is_empty()).map(str::to_string);
    match version {
        Some(_) if options.required("object_name")?.ends_with('/') => {
            Err(options.error("version_id", "belongs to one object, and `object_name` is a prefix"))
        }
        version => Ok(version),
    }
}

struct ObsSource {
    schema: SchemaRef,
    format: FormatOptions,
    object_name: String,
    layout: Layout,
    clock: Arc<dyn Clock>,
    bucket: Bucket,
}

impl ObsSource {
    async fn keys(&self) -> Result<Vec<String>, ConnectorError> {
        let Some(prefix) = self.object_name.strip_suffix('/') else {
            return Ok(vec![self.object_name.clone()]);
        };
        let store = self.bucket.open().await?;
        let mut listed = store.list((!prefix.is_empty()).then(|| Path::from(prefix)).as_ref());
        let mut keys = Vec::new();
        while let Some(object) = listed.next().await {
            let object =
                object.map_err(|error| fault(&self.bucket.stream, "list", &self.object_name, &error))?;
            let key = object.location.to_string();
            if key.starts_with(".weir/") {
                continue;
            }
            if keys.len() == MAX_OBJECTS {
                return Err(ConnectorError::permanent(format!(
                    "stream `{}`: there are more than {MAX_OBJECTS} objects below `{}`; choose a narrower prefix",
                    self.bucket.stream, self.object_name
                )));
            }
            keys.push(key);
        }
        keys.sort_unstable();
        Ok(keys)
    }
}

#[async_trait]
impl SourceConnector for ObsSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn is_bounded(&self) -> bool {
        true
    }

    async fn splits(&self) -> Result<Vec<Split>, ConnectorError> {
        let split = |id| Split { id, position: None, finished: false };
        Ok(self.keys().await?.into_iter().map(split).collect())
    }

    async fn open(&self, splits: Vec<Split>) -> Result<Box<dyn SourceReader>, ConnectorError> {
        let decoder = weir_formats::decoder(Arc::clone(&self.schema), &self.format).map_err(|error| {
            ConnectorError::permanent(format!("stream `{}`: {error}", self.bucket.stream))
        })?;
        let contents = Arc::new(self.bucket.clone());
        let reader =
            ContentReader::new(contents, decoder, self.layout.clone(), Arc::clone(&self.clock), &splits)?;
        Ok(Box::new(reader))
    }
}

#[derive(Clone)]
struct Bucket {
    stream: String,
    objects: Objects,
    name: String,
    version: Option<String>,
}

impl Bucket {
    async fn open(&self) -> Result<Arc<dyn ObjectStore>, ConnectorError> {
        self.objects.bucket(&self.name).await.map_err(|error| bucket_fault(&self.stream, &error))
    }

    async fn head(&self, store: &dyn ObjectStore, key: &Path) -> Result<ObjectMeta, ConnectorError> {
        let outcome = match &self.version {
            None => store.head(key).await,
            Some(version) => {
                let options =
                    GetOptions { head: true, version: Some(version.clone()), ..GetOptions::default() };
                store.get_opts(key, options).await.map(|result| result.meta)
            }
        };
        outcome.map_err(|error| match error {
            object_store::Error::NotFound { .. } => ConnectorError::permanent(format!(
                "stream `{}`: bucket `{}` has no object `{key}`; correct option `object_name`",
                self.stream, self.name
            )),
            // A store that keeps no versions says so here.
            error => fault(&self.stream, "read object", key.as_ref(), &error),
        })
    }
}

#[async_trait]
impl Contents for Bucket {
    async fn open(&self, split: &str, offset: u64) -> Result<Box<dyn Content>, ConnectorError> {
        let store = Bucket::open(self).await?;
        let key = Path::from(split);
        let object = self.head(store.as_ref(), &key).await?;
        let size = object.size;
        let object = Object {
            stream: self.stream.clone(),
            store,
            key,
            size,
            tag: object.e_tag,
            version: self.version.clone(),
        };
        if is_gzip(split) {
            return Ok(Box::new(Gzip::new(split, Box::new(Blocks::new(object.fetch(), 0)), offset)));
        }
        if size < offset {
            let text = format!(
                "object `{split}` has {size} bytes, fewer than the {offset} read before: it was replaced"
            );
            return Err(ConnectorError::permanent(text));
        }
        Ok(Box::new(Blocks::new(object.fetch(), offset)))
    }
}

/// One object as it was when it was opened.
struct Object {
    stream: String,
    store: Arc<dyn ObjectStore>,
    key: Path,
    size: u64,
    tag: Option<String>,
    version: Option<String>,
}

impl Object {
    fn fetch(self) -> Fetch {
        let object = Arc::new(self);
        Box::new(move |offset| {
            let object = Arc::clone(&object);
            async move { object.read(offset).await }.boxed()
        })
    }

    async fn read(&self, offset: u64) -> Result<Bytes, ConnectorError> {
        if offset >= self.size {
            return Ok(Bytes::new());
        }
        let options = GetOptions {
            range: Some(GetRange::Bounded(offset..(offset + BLOCK_BYTES).min(self.size))),
            // An object that is replaced while it is read would give a mixture.
            if_match: self.tag.clone(),
            version: self.version.clone(),
            ..GetOptions::default()
        };
        let read = async { self.store.get_opts(&self.key, options).await?.bytes().await };
        read.await.map_err(|error| match error {
            object_store::Error::Precondition { .. } => ConnectorError::permanent(format!(
                "stream `{}`: object `{}` was replaced while it was read",
                self.stream, self.key
            )),
            error => fault(&self.stream, "read object", self.key.as_ref(), &error),
        })
    }
}
