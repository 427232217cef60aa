//! Reads local files: one split per file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use weir_base::clock::Clock;
use weir_engine::error::ConnectorError;
use weir_engine::source::{SharedSource, SourceConnector, SourceReader, Split};
use weir_formats::FormatOptions;
use weir_sql::SourceStream;

use crate::content::{Blocks, Content, ContentReader, Contents, Fetch, Gzip, Layout, is_gzip};
use crate::environment::{Environment, FileAccess};
use crate::options::StreamOptions;

/// Bytes of one read: large enough that a call costs little, small enough to stay in the caches.
const BLOCK_BYTES: u64 = 1 << 20;

/// Makes the connector of a stream.
pub(crate) fn source(
    stream: &SourceStream,
    environment: &Environment,
) -> Result<SharedSource, ConnectorError> {
    let options = StreamOptions::new(&stream.name, &stream.options);
    let path = PathBuf::from(options.required("path")?);
    environment.files.existing(&path).map_err(|message| options.error("path", message))?;
    let (layout, follow) = reading(&options)?;
    let format = options.format(environment.zone()?)?;
    weir_formats::decoder(Arc::clone(&stream.declared), &format)
        .map_err(|error| options.format_error(error))?;
    Ok(Arc::new(FileSource {
        name: stream.name.clone(),
        schema: Arc::clone(&stream.declared),
        path,
        format,
        layout,
        files: Files { access: environment.files.clone(), follow },
        clock: Arc::clone(&environment.clock),
    }))
}

/// Reads how files are cut into records, and whether they are followed.
pub(super) fn reading(options: &StreamOptions<'_>) -> Result<(Layout, bool), ConnectorError> {
    let follow = options.flag("follow", false)?;
    if follow && is_gzip(options.required("path")?) {
        return Err(options.error("follow", "a compressed file cannot be followed"));
    }
    let delimiter = options.row_delimiter_or_none()?;
    let header = options.flag("header", false)?;
    let whole = "a file that is one record, because `row_delimiter` is empty";
    if delimiter.is_empty() && follow {
        return Err(options.error("follow", format!("{whole}, cannot be followed")));
    }
    if delimiter.is_empty() && header {
        return Err(options.error("header", format!("{whole}, has no line of names")));
    }
    let layout = Layout { delimiter, header, rate: options.rate("rows_per_second")? };
    Ok((layout, follow))
}

struct FileSource {
    name: String,
    schema: SchemaRef,
    path: PathBuf,
    format: FormatOptions,
    layout: Layout,
    files: Files,
    clock: Arc<dyn Clock>,
}

impl FileSource {
    fn error(&self, message: impl std::fmt::Display) -> ConnectorError {
        ConnectorError::permanent(format!("stream `{}`, option `path`: {message}", self.name))
    }

    /// Lists the files: the path itself, or the files of the directory in the order of their names.
    fn list(&self) -> Result<Vec<PathBuf>, ConnectorError> {
        let failed = |error| self.error(format!("cannot read `{}`: {error}", self.path.display()));
        if !std::fs::metadata(&self.path).map_err(failed)?.is_dir() {
            return Ok(vec![self.path.clone()]);
        }
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if !is_hidden && std::fs::metadata(entry.path()).map_err(failed)?.is_file() {
                files.push(entry.path());
            }
        }
        files.sort();
        Ok(files)
    }
}

#[async_trait]
impl SourceConnector for FileSource {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn is_bounded(&self) -> bool {
        !self.files.follow
    }

    async fn splits(&self) -> Result<Vec<Split>, ConnectorError> {
        let split = |path: PathBuf| match path.to_str() {
            Some(path) => Ok(Split { id: path.to_string(), position: None, finished: false }),
            None => Err(self.error(format!("the name of `{}` is not UTF-8", path.display()))),
        };
        self.list()?.into_iter().map(split).collect()
    }

    async fn open(&self, splits: Vec<Split>) -> Result<Box<dyn SourceReader>, ConnectorError> {
        let decoder = weir_formats::decoder(Arc::clone(&self.schema), &self.format)
            .map_err(|error| ConnectorError::permanent(format!("stream `{}`: {error}", self.name)))?;
        let contents = Arc::new(self.files.clone());
        let reader =
            ContentReader::new(contents, decoder, self.layout.clone(), Arc::clone(&self.clock), &splits)?;
        Ok(Box::new(reader))
    }
}

#[derive(Clone)]
struct Files {
    access: FileAccess,
    follow: bool,
}

#[async_trait]
impl Contents for Files {
    async fn open(&self, split: &str, offset: u64) -> Result<Box<dyn Content>, ConnectorError> {
        let path = self.access.existing(Path::new(split)).map_err(ConnectorError::permanent)?;
        let failed = |error| ConnectorError::permanent(format!("cannot read `{split}`: {error}"));
        let file = File::open(path).map_err(failed)?;
        if is_gzip(split) {
            if self.follow {
                return Err(ConnectorError::permanent(format!(
                    "`{split}`: a compressed file cannot be followed"
                )));
            }
            return Ok(Box::new(Gzip::new(split, Box::new(Blocks::new(fetch(split, file), 0)), offset)));
        }
        let size = file.metadata().map_err(failed)?.len();
        if size < offset {
            let text = format!(
                "`{split}` has {size} bytes, fewer than the {offset} read before: it was cut or replaced"
            );
            return Err(ConnectorError::permanent(text));
        }
        let fetch = fetch(split, file);
        Ok(Box::new(if self.follow { Blocks::following(fetch, offset) } else { Blocks::new(fetch, offset) }))
    }
}

/// Reads blocks of a file on the threads for blocking work.
fn fetch(name: &str, file: File) -> Fetch {
    let (name, file): (Arc<str>, _) = (Arc::from(name), Arc::new(file));
    Box::new(move |offset| {
        let (name, file) = (Arc::clone(&name), Arc::clone(&file));
        async move {
            let read = tokio::task::spawn_blocking(move || read_block(&file, offset)).await;
            let outcome = read.unwrap_or_else(|error| Err(std::io::Error::other(error)));
            outcome.map_err(|error| {
                ConnectorError::permanent(format!("cannot read `{name}` at byte {offset}: {error}"))
            })
        }
        .boxed()
    })
}

fn read_block(mut file: &File, offset: u64) -> std::io::Result<Bytes> {
    let mut block = Vec::with_capacity(BLOCK_BYTES as usize);
    file.seek(SeekFrom::Start(offset))?;
    file.take(BLOCK_BYTES).read_to_end(&mut block)?;
    if block.is_empty() && file.metadata()?.len() < offset {
        return Err(std::io::Error::other("the file was cut while it was read"));
    }
    Ok(Bytes::from(block))
}
