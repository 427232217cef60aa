//! Job templates: texts to begin jobs with.

use weir_base::error::{CsError, codes};
use weir_base::id::TemplateId;
use weir_store::{StoreError, TemplateDefinition, TemplateRecord};

use crate::audit::{self, Subject};
use crate::caller::Caller;
use crate::control::{Control, fault};
use crate::fields::check_tags;
use crate::paging::{Page, page_of};
use crate::success::{self, Success};

/// Templates that a project may have.
const MOST_TEMPLATES: u32 = 100;
/// Longest name in bytes.
const NAME_BYTES: usize = 64;
/// Longest description in bytes.
const DESC_BYTES: usize = 512;

/// The fields of a template as sent; `None` is absent or null.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)] // The names and meanings are those of `TemplateDefinition`.
pub struct SentTemplate {
    pub name: Option<String>,
    pub desc: Option<String>,
    pub sql_body: Option<String>,
    pub tags: Option<String>,
}

impl SentTemplate {
    /// Checks what was sent, in the order of the schema.
    fn check(&self, sql_max_bytes: usize) -> Result<(), CsError> {
        if let Some(name) = &self.name {
            if name.trim().is_empty() {
                return Err(codes::TEMPLATE_NAME_EMPTY.error());
            }
            if name.len() > NAME_BYTES {
                return Err(codes::TEMPLATE_NAME_TOO_LONG.error());
            }
            if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
                return Err(codes::TEMPLATE_NAME_INVALID.error());
            }
        }
        if self.desc.as_ref().is_some_and(|desc| desc.len() > DESC_BYTES) {
            return Err(codes::TEMPLATE_DESC_TOO_LONG.error());
        }
        if let Some(text) = self.sql_body.as_ref().filter(|text| text.len() > sql_max_bytes) {
            return Err(codes::TEMPLATE_SQL_TOO_LONG
                .error()
                .because(format!("It has {} bytes.", text.len())));
        }
        check_tags(self.tags.as_deref().unwrap_or_default(), codes::TEMPLATE_BODY_INVALID)
    }

    /// Returns a definition in which what was sent replaces what `base` has.
    fn over(self, base: TemplateDefinition) -> TemplateDefinition {
        TemplateDefinition {
            name: self.name.unwrap_or(base.name),
            desc: self.desc.unwrap_or(base.desc),
            sql_body: self.sql_body.unwrap_or(base.sql_body),
            tags: self.tags.unwrap_or(base.tags),
        }
    }
}

impl Control {
    /// Creates a template of the caller.
    pub async fn create_template(
        &self,
        caller: &Caller,
        sent: SentTemplate,
    ) -> Result<TemplateRecord, CsError> {
        if sent.name.is_none() {
            return Err(codes::TEMPLATE_NAME_EMPTY.error());
        }
        sent.check(self.options.sql_max_bytes)?;
        let definition = sent.over(TemplateDefinition::default());
        let now = self.now();
        let subject = Subject { resource_type: "template", id: "", name: &definition.name };
        let audit = audit::of_success(caller, "createTemplate", subject, success::TEMPLATE_CREATED, now);
        let created = self.store.create_template(&definition, MOST_TEMPLATES, audit).await;
        let id = created.map_err(|error| match error {
            StoreError::NameTaken => codes::TEMPLATE_NAME_EXIST.error(),
            StoreError::TooMany { .. } => codes::TEMPLATE_LIMIT_EXCEEDED.error(),
            other => fault(other),
        })?;
        Ok(TemplateRecord { id, user: caller.user.clone(), definition, create_time: now, update_time: now })
    }

    /// Changes the fields of a template that are sent.
    pub async fn update_template(
        &self,
        caller: &Caller,
        id: TemplateId,
        sent: SentTemplate,
    ) -> Result<(), CsError> {
        sent.check(self.options.sql_max_bytes)?;
        // Two changes at once must not undo each other.
        let _gate = self.gate.lock().await;
        let template = self.own_template(caller, id).await?;
        let audit = self.audit_of_template(caller, "updateTemplate", &template, success::TEMPLATE_UPDATED);
        let definition = sent.over(template.definition);
        self.store.update_template(id, &definition, &audit).await.map_err(|error| match error {
            StoreError::NameTaken => codes::TEMPLATE_NAME_EXIST.error(),
            StoreError::Conflict => codes::TEMPLATE_NOT_EXIST.error(),
            other => fault(other),
        })
    }

    /// Deletes a template, even one that jobs were made from.
    pub async fn delete_template(&self, caller: &Caller, id: TemplateId) -> Result<(), CsError> {
        let template = self.own_template(caller, id).await?;
        let audit = self.audit_of_template(caller, "deleteTemplate", &template, success::TEMPLATE_DELETED);
        self.store.delete_template(id, &audit).await.map_err(|error| match error {
            StoreError::Conflict => codes::TEMPLATE_NOT_EXIST.error(),
            other => fault(other),
        })
    }

    /// Lists the templates that the caller may read; returns how many there are, and a page of them.
    pub async fn list_templates(
        &self,
        caller: &Caller,
        page: Page,
    ) -> Result<(usize, Vec<TemplateRecord>), CsError> {
        let user = caller.sees_only();
        let templates = self.store.templates(&caller.project, user.as_ref()).await.map_err(fault)?;
        Ok((templates.len(), page_of(templates, page, |template| template.id.0)))
    }

    /// Returns a template that the caller may use.
    pub(crate) async fn own_template(
        &self,
        caller: &Caller,
        id: TemplateId,
    ) -> Result<TemplateRecord, CsError> {
        let template = self.store.template(&caller.project, id).await.map_err(fault)?;
        let template = template.ok_or_else(|| {
            codes::TEMPLATE_NOT_EXIST.error().because(format!("There is no template {id}."))
        })?;
        caller.check_is_owner(&template.user)?;
        Ok(template)
    }

    fn audit_of_template(
        &self,
        caller: &Caller,
        event: &str,
        template: &TemplateRecord,
        success: Success,
    ) -> weir_store::AuditRecord {
        let id = template.id.to_string();
        let subject = Subject { resource_type: "template", id: &id, name: &template.definition.name };
        audit::of_success(caller, event, subject, success, self.now())
    }
}
