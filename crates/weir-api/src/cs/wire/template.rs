//! Job templates.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use weir_control::{Sample, SentTemplate};
use weir_store::TemplateRecord;

/// Creates a template.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct CreateJobTemplateRequest {
    /// Template name, unique in the project. Letters, digits, _ and -; at most 64 bytes.
    #[schema(value_type = String, required = true, min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$", example = "cars")]
    pub(crate) name: Option<String>,
    /// Description, at most 512 bytes.
    #[schema(value_type = String, required = false, max_length = 512)]
    desc: Option<String>,
    /// Stream SQL with at least a source, a query and a sink; at most 10,000 bytes.
    #[schema(value_type = String, required = false, max_length = 10000, example = "CREATE SOURCE STREAM s (a INT) WITH (type = \"datagen\"); CREATE SINK STREAM t (a INT) WITH (type = \"blackhole\"); INSERT INTO t SELECT a FROM s;")]
    sql_body: Option<String>,
    /// key=value pairs separated by commas.
    #[schema(value_type = String, required = false, example = "team=a")]
    tags: Option<String>,
}

/// Updates a template. Members that are absent keep their stored value.
#[derive(Debug, Clone, Deserialize, ToSchema)]
pub struct UpdateJobTemplateRequest {
    /// Template id.
    #[schema(value_type = i64, required = true, minimum = 1, example = 1)]
    pub(crate) id: Option<i64>,
    /// Template name, unique in the project. Letters, digits, _ and -; at most 64 bytes.
    #[schema(value_type = String, required = false, min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9_-]+$", example = "cars")]
    pub(crate) name: Option<String>,
    /// Description, at most 512 bytes.
    #[schema(value_type = String, required = false, max_length = 512)]
    desc: Option<String>,
    /// Stream SQL with at least a source, a query and a sink; at most 10,000 bytes.
    #[schema(value_type = String, required = false, max_length = 10000, example = "CREATE SOURCE STREAM s (a INT) WITH (type = \"datagen\"); CREATE SINK STREAM t (a INT) WITH (type = \"blackhole\"); INSERT INTO t SELECT a FROM s;")]
    sql_body: Option<String>,
    /// key=value pairs separated by commas.
    #[schema(value_type = String, required = false, example = "team=a")]
    tags: Option<String>,
}

/// A template as a list shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobTemplate {
    /// Id.
    pub template_id: i64,
    /// Name.
    pub name: String,
    /// Description.
    #[schema(required = false)]
    pub desc: String,
    /// Milliseconds since the epoch.
    pub create_time: i64,
    /// Milliseconds since the epoch.
    pub update_time: i64,
    /// The text.
    #[schema(required = false)]
    pub sql_body: String,
}

/// A template that was created.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobTemplateCreated {
    /// Id.
    pub template_id: i64,
    /// Name.
    pub name: String,
    /// Description.
    #[schema(required = false)]
    pub desc: String,
    /// Milliseconds since the epoch.
    pub create_time: i64,
    /// Always true.
    pub is_success: bool,
}

/// A template that was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobTemplateDeleted {
    /// Id.
    pub template_id: i64,
    /// Always true.
    pub is_success: bool,
}

/// A page of templates.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobTemplateListResponsePayload {
    /// Templates that the caller may read.
    pub total: i32,
    /// The page.
    pub templates: Vec<JobTemplate>,
}

/// A sample that the service brings along: a text to make a template or a job of. It is nobody's, and cannot be changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleTemplate {
    /// Name, by which it is told from the others.
    pub name: &'static str,
    /// What it does.
    pub desc: &'static str,
    /// The text.
    pub sql_body: &'static str,
}

/// The samples.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleTemplateList {
    /// How many there are.
    pub total: i32,
    /// All of them, by name.
    pub templates: Vec<SampleTemplate>,
}

impl From<&Sample> for SampleTemplate {
    fn from(sample: &Sample) -> Self {
        Self { name: sample.name, desc: sample.desc(), sql_body: sample.sql }
    }
}

impl From<CreateJobTemplateRequest> for SentTemplate {
    fn from(request: CreateJobTemplateRequest) -> Self {
        Self { name: request.name, desc: request.desc, sql_body: request.sql_body, tags: request.tags }
    }
}

impl From<UpdateJobTemplateRequest> for SentTemplate {
    fn from(request: UpdateJobTemplateRequest) -> Self {
        Self { name: request.name, desc: request.desc, sql_body: request.sql_body, tags: request.tags }
    }
}

impl From<TemplateRecord> for JobTemplate {
    fn from(template: TemplateRecord) -> Self {
        Self {
            template_id: template.id.0,
            name: template.definition.name,
            desc: template.definition.desc,
            create_time: template.create_time.0,
            update_time: template.update_time.0,
            sql_body: template.definition.sql_body,
        }
    }
}

impl From<TemplateRecord> for JobTemplateCreated {
    fn from(template: TemplateRecord) -> Self {
        Self {
            template_id: template.id.0,
            name: template.definition.name,
            desc: template.definition.desc,
            create_time: template.create_time.0,
            is_success: true,
        }
    }
}
