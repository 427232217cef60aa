//! Lists of objects: pages in the order of keys, with folders made of a delimiter.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use object_store::ObjectMeta;
use object_store::ObjectStore;
use object_store::path::Path as Key;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output,
    Object, ObjectStorageClass,
};
use s3s::{S3Result, s3_error};

use super::endpoint::{Endpoint, e_tag, size_of, timestamp};
use super::fault;

/// Keys in a page at most, and when nothing is said.
const PAGE: i32 = 1_000;

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Object(Box<ObjectMeta>),
    Folder,
}

/// A page of a list.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    entries: Vec<(String, Entry)>,
    is_truncated: bool,
}

impl Page {
    fn last(&self) -> Option<String> {
        self.entries.last().map(|(name, _)| name.clone()).filter(|_| self.is_truncated)
    }

    fn objects(&self, encode: &Encoder) -> Vec<Object> {
        let show = |(name, entry): &(String, Entry)| match entry {
            Entry::Folder => None,
            Entry::Object(meta) => Some(Object {
                key: Some(encode.apply(name)),
                e_tag: e_tag(meta.e_tag.as_deref()),
                last_modified: Some(timestamp(meta.last_modified)),
                size: Some(size_of(meta.size)),
                storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
                ..Object::default()
            }),
        };
        self.entries.iter().filter_map(show).collect()
    }

    fn folders(&self, encode: &Encoder) -> Vec<CommonPrefix> {
        let folders = self.entries.iter().filter(|(_, entry)| *entry == Entry::Folder);
        folders.map(|(name, _)| CommonPrefix { prefix: Some(encode.apply(name)) }).collect()
    }
}

/// `GET /{bucket}?list-type=2`.
pub(super) async fn list_v2(endpoint: &Endpoint, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let (prefix, delimiter) = (input.prefix.clone().unwrap_or_default(), delimiter(input.delimiter.clone()));
    let after = input.continuation_token.clone().max(input.start_after.clone()).unwrap_or_default();
    let max_keys = page_size(input.max_keys)?;
    let found = entries(endpoint, &input.bucket, &prefix, delimiter.as_deref()).await?;
    let page = page(found, &after, max_keys);
    let encode = Encoder::new(input.encoding_type.as_ref())?;
    Ok(ListObjectsV2Output {
        key_count: Some(i32::try_from(page.entries.len()).unwrap_or(PAGE)),
        max_keys: Some(max_keys),
        is_truncated: Some(page.is_truncated),
        contents: Some(page.objects(&encode)),
        common_prefixes: Some(page.folders(&encode)),
        // A token comes back as it is: it is not encoded.
        next_continuation_token: page.last(),
        continuation_token: input.continuation_token,
        delimiter: input.delimiter.map(|text| encode.apply(&text)),
        encoding_type: input.encoding_type,
        name: Some(input.bucket),
        prefix: Some(encode.apply(&prefix)),
        start_after: input.start_after.map(|text| encode.apply(&text)),
        ..ListObjectsV2Output::default()
    })
}

/// `GET /{bucket}`.
pub(super) async fn list_v1(endpoint: &Endpoint, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
    let (prefix, delimiter) = (input.prefix.clone().unwrap_or_default(), delimiter(input.delimiter.clone()));
    let after = input.marker.clone().unwrap_or_default();
    let max_keys = page_size(input.max_keys)?;
    let found = entries(endpoint, &input.bucket, &prefix, delimiter.as_deref()).await?;
    let page = page(found, &after, max_keys);
    let encode = Encoder::new(input.encoding_type.as_ref())?;
    Ok(ListObjectsOutput {
        max_keys: Some(max_keys),
        is_truncated: Some(page.is_truncated),
        contents: Some(page.objects(&encode)),
        common_prefixes: Some(page.folders(&encode)),
        next_marker: page.last().map(|text| encode.apply(&text)),
        marker: Some(encode.apply(&after)),
        delimiter: input.delimiter.map(|text| encode.apply(&text)),
        encoding_type: input.encoding_type,
        name: Some(input.bucket),
        prefix: Some(encode.apply(&prefix)),
        ..ListObjectsOutput::default()
    })
}

/// An empty delimiter is none.
fn delimiter(sent: Option<String>) -> Option<String> {
    sent.filter(|text| !text.is_empty())
}

fn page_size(sent: Option<i32>) -> S3Result<i32> {
    match sent {
        None => Ok(PAGE),
        Some(number) if number < 0 => Err(s3_error!(InvalidArgument, "`max-keys` must not be negative")),
        Some(number) => Ok(number.min(PAGE)),
    }
}

/// Returns all entries whose names begin with the prefix, by name. With the delimiter `/` only one
/// folder is read.
async fn entries(
    endpoint: &Endpoint,
    bucket: &str,
    prefix: &str,
    delimiter: Option<&str>,
) -> S3Result<BTreeMap<String, Entry>> {
    let store = endpoint.bucket(bucket).await?;
    let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
    let Ok(folder) = Key::parse(folder) else { return Ok(BTreeMap::new()) };
    if delimiter == Some("/") {
        return one_folder(store.as_ref(), &folder, prefix).await;
    }
    let found: Vec<ObjectMeta> = store.list(Some(&folder)).try_collect().await.map_err(fault::of_store)?;
    Ok(group(found, prefix, delimiter))
}

async fn one_folder(
    store: &dyn ObjectStore,
    folder: &Key,
    prefix: &str,
) -> S3Result<BTreeMap<String, Entry>> {
    let found = store.list_with_delimiter(Some(folder)).await.map_err(fault::of_store)?;
    let mut entries = group(found.objects, prefix, None);
    for folder in found.common_prefixes {
        let name = format!("{folder}/");
        if name.starts_with(prefix) {
            entries.insert(name, Entry::Folder);
        }
    }
    Ok(entries)
}

fn group(found: Vec<ObjectMeta>, prefix: &str, delimiter: Option<&str>) -> BTreeMap<String, Entry> {
    let mut entries = BTreeMap::new();
    for meta in found {
        let key = meta.location.as_ref();
        let Some(rest) = key.strip_prefix(prefix) else { continue };
        match delimiter.and_then(|delimiter| rest.find(delimiter).map(|at| at + delimiter.len())) {
            Some(end) => entries.insert(format!("{prefix}{}", &rest[..end]), Entry::Folder),
            None => entries.insert(key.to_string(), Entry::Object(Box::new(meta))),
        };
    }
    entries
}

/// Takes the entries after a name, up to a number.
fn page(entries: BTreeMap<String, Entry>, after: &str, max_keys: i32) -> Page {
    let size = usize::try_from(max_keys).unwrap_or(0);
    let mut rest = entries.into_iter().filter(|(name, entry)| {
        // A client may go on after a key inside a folder that it has seen.
        name.as_str() > after && !(*entry == Entry::Folder && after.starts_with(name.as_str()))
    });
    let entries: Vec<(String, Entry)> = rest.by_ref().take(size).collect();
    Page { is_truncated: size > 0 && rest.next().is_some(), entries }
}

/// Encodes names when the client asks for it: XML cannot hold every character.
struct Encoder {
    is_url: bool,
}

const RESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/').remove(b'*');

impl Encoder {
    fn new(sent: Option<&EncodingType>) -> S3Result<Self> {
        match sent.map(EncodingType::as_str) {
            None => Ok(Self { is_url: false }),
            Some(EncodingType::URL) => Ok(Self { is_url: true }),
            Some(other) => Err(s3_error!(InvalidArgument, "`encoding-type` is `{other}`; allowed is `url`")),
        }
    }

    fn apply(&self, text: &str) -> String {
        if self.is_url { utf8_percent_encode(text, RESERVED).to_string() } else { text.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;

    fn metas(keys: &[&str]) -> Vec<ObjectMeta> {
        keys.iter()
            .map(|key| ObjectMeta {
                location: Key::from(*key),
                last_modified: Utc::now(),
                size: 1,
                e_tag: None,
                version: None,
            })
            .collect()
    }

    fn names(page: &Page) -> Vec<&str> {
        page.entries.iter().map(|(name, _)| name.as_str()).collect()
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition() {
        let keys = ["a", "b/1", "b/2", "c", "d/1"];
        let mut after = String::new();
        let mut seen = Vec::new();
        loop {
            let page = page(group(metas(&keys), "", Some("/")), &after, 2);
            seen.extend(names(&page).iter().map(ToString::to_string));
            match page.last() {
                Some(last) => after = last,
                None => break,
            }
        }
        assert_eq!(seen, ["a", "b/", "c", "d/"]);
    }

    #[test]
    fn a_prefix_is_text_and_not_a_folder() {
        let found = group(metas(&["ab/1", "ab/2", "ac", "b"]), "a", None);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["ab/1", "ab/2", "ac"]);
        let found = group(metas(&["x-1", "x-2", "y"]), "x", Some("-"));
        assert_eq!(found.keys().collect::<Vec<_>>(), ["x-"]);
    }

    #[test]
    fn going_on_after_a_key_leaves_its_folder_behind() {
        let page = page(group(metas(&["b/1", "b/2", "c"]), "", Some("/")), "b/1", 10);
        assert_eq!(names(&page), ["c"]);
    }

    #[test]
    fn a_page_of_no_keys_is_not_truncated() {
        let page = page(group(metas(&["a"]), "", None), "", 0);
        assert_eq!(page, Page { entries: Vec::new(), is_truncated: false });
    }

    #[test]
    fn names_are_encoded_when_asked_for() {
        let url = Encoder::new(Some(&EncodingType::from_static(EncodingType::URL))).unwrap();
        assert_eq!(url.apply("a b/100%+ü"), "a%20b/100%25%2B%C3%BC");
        assert_eq!(Encoder::new(None).unwrap().apply("a b"), "a b");
    }
}
