//! Templates: texts with places for values.

use std::collections::BTreeMap;

use weir_base::audit::AuditRecord;
use weir_base::id::{ProjectId, random_hex_id};

use super::error::{Fault, NotificationError};
use super::publish::MESSAGE_BYTES;
use super::record::Template;
use super::repository::{Added, Page, TemplateFilter};
use super::service::{self, Notifications};

/// Templates of a project.
const MOST_TEMPLATES: i64 = 100;
const NAME_BYTES: usize = 64;
const TAG_BYTES: usize = 21;
const VALUE_BYTES: usize = 1_024;

/// The protocols that a template can be for; messages of those not served here have no subscribers.
const PROTOCOLS: [&str; 8] =
    ["default", "http", "https", "email", "sms", "functionstage", "functiongraph", "callnotify"];

impl Notifications {
    /// Makes a template and returns its id.
    pub async fn create_template(
        &self,
        project: &ProjectId,
        name: &str,
        protocol: &str,
        content: &str,
        audit: &AuditRecord,
    ) -> Result<String, NotificationError> {
        service::check_name(name, NAME_BYTES, "template", Fault::TemplateName)?;
        if !PROTOCOLS.contains(&protocol) {
            let text = format!("`protocol` is `{protocol}`; it must be one of {}", PROTOCOLS.join(", "));
            return Err(NotificationError::new(Fault::Protocol, text));
        }
        check_content(content)?;
        let now = self.now();
        let template = Template {
            id: random_hex_id(),
            project: project.clone(),
            name: name.to_string(),
            protocol: protocol.to_string(),
            content: content.to_string(),
            created_at: now,
            updated_at: now,
        };
        let audit = audit.about(&template.id, name);
        match self.repository.add_template(&template, MOST_TEMPLATES, &audit).await? {
            Added::New => Ok(template.id),
            Added::Existing(_) => {
                let text = format!("there is a template `{name}` for `{protocol}` already");
                Err(NotificationError::new(Fault::TemplateExists, text))
            }
            Added::TooMany => {
                let text = format!("the project has {MOST_TEMPLATES} templates, which is the limit");
                Err(NotificationError::new(Fault::TemplateLimit, text))
            }
        }
    }

    /// Returns a template.
    pub async fn template(&self, project: &ProjectId, id: &str) -> Result<Template, NotificationError> {
        self.repository.template(project, id).await?.ok_or_else(|| no_template(id))
    }

    /// Returns how many templates there are and a page of them.
    pub async fn templates(
        &self,
        project: &ProjectId,
        filter: &TemplateFilter,
        page: Page,
    ) -> Result<(i64, Vec<Template>), NotificationError> {
        Ok(self.repository.templates(project, filter, page).await?)
    }

    /// Changes the text of a template.
    pub async fn update_template(
        &self,
        project: &ProjectId,
        id: &str,
        content: &str,
        audit: &AuditRecord,
    ) -> Result<(), NotificationError> {
        check_content(content)?;
        let mut template = self.template(project, id).await?;
        template.content = content.to_string();
        template.updated_at = self.now();
        let there = self.repository.update_template(&template, &audit.about(id, &template.name)).await?;
        if there { Ok(()) } else { Err(no_template(id)) }
    }

    /// Removes a template.
    pub async fn delete_template(
        &self,
        project: &ProjectId,
        id: &str,
        audit: &AuditRecord,
    ) -> Result<(), NotificationError> {
        let name = self.template(project, id).await?.name;
        let there = self.repository.delete_template(project, id, &audit.about(id, &name)).await?;
        if there { Ok(()) } else { Err(no_template(id)) }
    }

    /// Returns the texts of a message by protocol: the templates of a name, filled in.
    pub(super) async fn filled_templates(
        &self,
        project: &ProjectId,
        name: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, NotificationError> {
        for (tag, value) in tags {
            if tag.len() > TAG_BYTES || value.len() > VALUE_BYTES {
                let rule = format!("a name of {TAG_BYTES} and a value of {VALUE_BYTES} bytes at most");
                return Err(NotificationError::new(Fault::Tags, format!("tag `{tag}` must have {rule}")));
            }
        }
        let filter = TemplateFilter { name: Some(name.to_string()), protocol: None };
        let all = Page { offset: 0, limit: MOST_TEMPLATES };
        let (_, templates) = self.repository.templates(project, &filter, all).await?;
        if templates.is_empty() {
            return Err(no_template(name));
        }
        if !templates.iter().any(|template| template.protocol == "default") {
            let text = format!("template `{name}` has no text for the protocol `default`");
            return Err(NotificationError::new(Fault::NoDefaultTemplate, text));
        }
        templates
            .into_iter()
            .map(|template| Ok((template.protocol, fill(&template.content, tags)?)))
            .collect()
    }
}

fn no_template(which: &str) -> NotificationError {
    NotificationError::new(Fault::NoTemplate, format!("the project has no template `{which}`"))
}

fn check_content(content: &str) -> Result<(), NotificationError> {
    if (1..=MESSAGE_BYTES).contains(&content.len()) {
        return Ok(());
    }
    let text = format!("`content` must have 1 to {MESSAGE_BYTES} bytes");
    Err(NotificationError::new(Fault::TemplateContent, text))
}

/// A stretch of a template.
enum Part<'a> {
    Text(&'a str),
    Tag(&'a str),
}

/// Takes a template apart. Braces around anything but a name of a tag are text.
fn parts(content: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = content;
    while let Some(open) = rest.find('{') {
        let after = &rest[open + 1..];
        let name = after.split_once('}').map(|(name, _)| name).filter(|name| is_tag(name));
        let Some(name) = name else {
            parts.push(Part::Text(&rest[..=open]));
            rest = after;
            continue;
        };
        parts.push(Part::Text(&rest[..open]));
        parts.push(Part::Tag(name));
        rest = &after[name.len() + 1..];
    }
    parts.push(Part::Text(rest));
    parts
}

fn is_tag(name: &str) -> bool {
    (1..=TAG_BYTES).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

impl Template {
    /// Returns the names of the places for values, each once, in their order.
    pub fn tag_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for part in parts(&self.content) {
            match part {
                Part::Tag(name) if !names.contains(&name) => names.push(name),
                _ => {}
            }
        }
        names
    }
}

fn fill(content: &str, tags: &BTreeMap<String, String>) -> Result<String, NotificationError> {
    let mut filled = String::with_capacity(content.len());
    for part in parts(content) {
        match part {
            Part::Text(text) => filled.push_str(text),
            Part::Tag(name) => match tags.get(name) {
                Some(value) => filled.push_str(value),
                None => {
                    let text = format!("`tags` has no value for `{{{name}}}` of the template");
                    return Err(NotificationError::new(Fault::Tags, text));
                }
            },
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_replaced_and_other_braces_stay() {
        let tags = BTreeMap::from([("a".to_string(), "{b}".to_string()), ("b".to_string(), "2".to_string())]);
        let filled = |content| fill(content, &tags).unwrap();
        assert_eq!(filled("x {a} y"), "x {b} y", "a value is not filled in again");
        assert_eq!(filled(r#"{"k": "{b}", "l": {}}"#), r#"{"k": "2", "l": {}}"#);
        assert_eq!(filled("{a"), "{a");
        assert_eq!(filled("ü{{b}}"), "ü{2}");
        assert_eq!(fill("{c}", &tags).unwrap_err().fault, Fault::Tags);
    }
}
