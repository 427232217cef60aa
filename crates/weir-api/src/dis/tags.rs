//! Labels of streams. Their paths name a stream by its id and say `stream`, not `streams`.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::http::StatusCode;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};
use weir_cloud::streams::{StreamEntry, StreamsError, Tag};

use super::call::{Call, TextOrNumber};
use super::error::DisError;

const MAX_TAGS: usize = 10;
const MAX_KEY_CHARACTERS: usize = 36;
const MAX_VALUE_CHARACTERS: usize = 43;

#[derive(Deserialize)]
struct AddBody {
    tag: Tag,
}

#[derive(Deserialize)]
struct ChangeBody {
    action: String,
    #[serde(default)]
    tags: Vec<Tag>,
}

/// POST `/stream/{id}/tags`.
pub(super) async fn add(call: Call) -> Result<StatusCode, DisError> {
    let body: AddBody = call.json()?;
    put(&call, vec![body.tag]).await
}

/// POST `/stream/{id}/tags/action`.
pub(super) async fn change(call: Call) -> Result<StatusCode, DisError> {
    let body: ChangeBody = call.json()?;
    match body.action.as_str() {
        "create" => put(&call, body.tags).await,
        "delete" => drop_keys(&call, body.tags.into_iter().map(|tag| tag.key).collect()).await,
        other => Err(DisError::body(format!("`action` is `{other}`; it must be create or delete"))),
    }
}

/// DELETE `/stream/{id}/tags/{key}`.
pub(super) async fn remove(call: Call) -> Result<StatusCode, DisError> {
    // The path of a tag named `action` is also that of changes, which has no variable.
    let key = match call.path("key") {
        "" => "action".to_string(),
        key => percent_decode_str(key).decode_utf8_lossy().into_owned(),
    };
    let entry = call.path_stream().await?;
    if !entry.tags.iter().any(|tag| tag.key == key) {
        return Err(DisError::new(4604, format!("stream `{}` has no tag `{key}`", entry.name)));
    }
    drop_keys(&call, BTreeSet::from([key])).await
}

/// GET `/stream/{id}/tags`.
pub(super) async fn list(call: Call) -> Result<Json<Value>, DisError> {
    let entry = call.path_stream().await?;
    Ok(Json(json!({ "tags": entry.tags, "sys_tags": entry.sys_tags })))
}

/// GET `/stream/tags`.
pub(super) async fn list_all(call: Call) -> Result<Json<Value>, DisError> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in call.streams.list_streams(&call.project).await? {
        for tag in &entry.tags {
            all.entry(tag.key.clone()).or_default().insert(tag.value.clone());
        }
    }
    let tags: Vec<_> = all.into_iter().map(|(key, values)| json!({ "key": key, "values": values })).collect();
    Ok(Json(json!({ "tags": tags })))
}

#[derive(Deserialize)]
struct FindBody {
    action: String,
    limit: Option<TextOrNumber>,
    offset: Option<TextOrNumber>,
    #[serde(default)]
    tags: Vec<KeyValues>,
    #[serde(default)]
    tags_any: Vec<KeyValues>,
    #[serde(default)]
    not_tags: Vec<KeyValues>,
    #[serde(default)]
    not_tags_any: Vec<KeyValues>,
    #[serde(default)]
    matches: Vec<Tag>,
}

/// A key with the values that are meant; none means all.
#[derive(Deserialize)]
struct KeyValues {
    key: String,
    #[serde(default)]
    values: Vec<String>,
}

impl KeyValues {
    fn is_on(&self, entry: &StreamEntry) -> bool {
        let meant = |value: &String| self.values.is_empty() || self.values.contains(value);
        entry.tags.iter().any(|tag| tag.key == self.key && meant(&tag.value))
    }
}

impl FindBody {
    fn admits(&self, entry: &StreamEntry) -> bool {
        let on = |wanted: &KeyValues| wanted.is_on(entry);
        self.tags.iter().all(on)
            && (self.tags_any.is_empty() || self.tags_any.iter().any(on))
            && (self.not_tags.is_empty() || !self.not_tags.iter().all(on))
            && !self.not_tags_any.iter().any(on)
            && self.matches.iter().all(|wanted| entry.name.contains(&wanted.value))
    }
}

/// POST `/stream/resource_instances/action`.
pub(super) async fn find_streams(call: Call) -> Result<Json<Value>, DisError> {
    let body: FindBody = call.json()?;
    if let Some(wrong) = body.matches.iter().find(|wanted| wanted.key != "resource_name") {
        return Err(DisError::body(format!("`matches` has key `{}`; it must be resource_name", wrong.key)));
    }
    let limit = parse_number(&body.limit, "limit", 1, 1000, 1000)?;
    let offset = parse_number(&body.offset, "offset", 0, usize::MAX, 0)?;
    let all = call.streams.list_streams(&call.project).await?;
    let found: Vec<_> = all.into_iter().filter(|entry| body.admits(entry)).collect();
    let total = found.len();
    match body.action.as_str() {
        "count" => Ok(Json(json!({ "total_count": total }))),
        "filter" => {
            let page = found.iter().skip(offset).take(limit).map(|entry| {
                json!({
                    "resource_id": entry.id,
                    "resource_name": entry.name,
                    "resource_detail": {},
                    "tags": entry.tags,
                })
            });
            Ok(Json(json!({ "resources": page.collect::<Vec<_>>(), "total_count": total })))
        }
        other => Err(DisError::body(format!("`action` is `{other}`; it must be filter or count"))),
    }
}

fn parse_number(
    given: &Option<TextOrNumber>,
    name: &str,
    least: usize,
    most: usize,
    default: usize,
) -> Result<usize, DisError> {
    let number = match given {
        None => Some(default),
        Some(TextOrNumber::Number(number)) => usize::try_from(*number).ok(),
        Some(TextOrNumber::Text(text)) => text.parse().ok(),
    };
    let number = number.filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| DisError::body(format!("`{name}` must be a number from {least} on")))
}

async fn put(call: &Call, new: Vec<Tag>) -> Result<StatusCode, DisError> {
    check(&new)?;
    let entry = call.path_stream().await?;
    let change = move |tags: &mut Vec<Tag>| {
        for tag in new {
            match tags.iter_mut().find(|known| known.key == tag.key) {
                Some(known) => known.value = tag.value,
                None => tags.push(tag),
            }
        }
        if tags.len() > MAX_TAGS {
            return Err(StreamsError::Invalid(format!("a stream has at most {MAX_TAGS} tags")));
        }
        Ok(())
    };
    call.streams.change_tags(&call.project, &entry.name, change).await.map_err(|error| match error {
        StreamsError::Invalid(text) => DisError::new(4601, text),
        other => other.into(),
    })?;
    Ok(StatusCode::NO_CONTENT)
}

async fn drop_keys(call: &Call, keys: BTreeSet<String>) -> Result<StatusCode, DisError> {
    let entry = call.path_stream().await?;
    let change = move |tags: &mut Vec<Tag>| {
        tags.retain(|tag| !keys.contains(&tag.key));
        Ok(())
    };
    call.streams.change_tags(&call.project, &entry.name, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Checks the labels of one request.
pub(super) fn check(tags: &[Tag]) -> Result<(), DisError> {
    if tags.len() > MAX_TAGS {
        return Err(DisError::new(4601, format!("a stream has at most {MAX_TAGS} tags")));
    }
    let mut keys = BTreeSet::new();
    for tag in tags {
        if !keys.insert(&tag.key) {
            return Err(DisError::new(4602, format!("tag `{}` is given twice", tag.key)));
        }
        let key_fits = (1..=MAX_KEY_CHARACTERS).contains(&tag.key.chars().count());
        if !key_fits || !tag.key.chars().all(is_tag_character) {
            let rule = format!("1 to {MAX_KEY_CHARACTERS} letters, digits, `-` and `_`");
            return Err(DisError::new(4603, format!("`{}` is not a key of a tag: {rule}", tag.key)));
        }
        let value_fits = tag.value.chars().count() <= MAX_VALUE_CHARACTERS;
        if !value_fits || !tag.value.chars().all(|c| is_tag_character(c) || c == '.') {
            let rule = format!("up to {MAX_VALUE_CHARACTERS} letters, digits, `.`, `-` and `_`");
            return Err(DisError::new(4605, format!("`{}` is not a value of a tag: {rule}", tag.value)));
        }
    }
    Ok(())
}

fn is_tag_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '\u{4e00}'..='\u{9fff}')
}
