//! Creating a SQL job: a draft.

use weir_base::error::{CsError, codes};
use weir_base::id::{ClusterId, JobId, ProjectId, TemplateId};
use weir_base::time::Timestamp;
use weir_store::{JobDefinition, NewJob, StoreError};

use crate::audit::{self, Subject};
use crate::caller::Caller;
use crate::control::Control;
use crate::edge;
use crate::fields::{self, SentFields};
use crate::settings;
use crate::success;

/// Returns a job of the caller.
pub(crate) fn new_job(caller: &Caller, definition: JobDefinition, now: Timestamp) -> NewJob {
    NewJob {
        project: caller.project.clone(),
        user: caller.user.clone(),
        user_name: caller.user_name.clone(),
        definition,
        create_time: now,
    }
}

/// Says that the project has as many drafts as it may have.
pub(crate) fn too_many_drafts(limit: u32) -> CsError {
    // The catalogue has the number of an installation that has not changed it.
    codes::DRAFT_JOB_LIMIT_EXCEEDED.error().instead(format!("There are already {limit} draft jobs."))
}

impl Control {
    /// Creates a SQL job in `job_init` and returns its id. The text is not parsed: a draft may be unfinished.
    pub async fn create_sql_job(&self, caller: &Caller, sent: SentFields) -> Result<JobId, CsError> {
        fields::check_create(&sent, self.options.sql_max_bytes)?;
        let mut definition = sent.over(&JobDefinition::default());
        if let Some(template) = sent.template_id.filter(|_| definition.sql_body.trim().is_empty()) {
            let template = self.own_template(caller, TemplateId(template)).await?;
            definition.sql_body = template.definition.sql_body;
            fields::check_sql_length(&definition.sql_body, self.options.sql_max_bytes)?;
        }
        self.check_surroundings(caller, &definition, &sent).await?;
        let _gate = self.gate.lock().await;
        self.check_cluster_of(caller, &definition).await?;
        let now = self.now();
        let subject = Subject { resource_type: "job", id: "", name: &definition.name };
        let audit = audit::of_success(caller, "createJob", subject, success::JOB_CREATED, now);
        let job = new_job(caller, definition, now);
        let created = self.store.create_job(&job, self.options.draft_limit, audit).await;
        let id = created.map_err(|error| match error {
            StoreError::NameTaken => codes::JOB_NAME_EXIST.error(),
            StoreError::TooManyDrafts { limit } => too_many_drafts(limit),
            other => {
                tracing::error!(error = %other, "a job could not be written");
                codes::SUBMIT_SQL_JOB_FAILED.error().because(format!("{other}."))
            }
        })?;
        tracing::info!(job_id = %id, name = job.definition.name, "job created");
        Ok(id)
    }

    /// Checks that the cluster of a definition is there for the caller.
    pub(crate) async fn check_cluster_of(
        &self,
        caller: &Caller,
        definition: &JobDefinition,
    ) -> Result<(), CsError> {
        if let Some(cluster) = definition.cluster_id.map(ClusterId) {
            self.find_cluster(caller, cluster).await?;
            self.check_may_use(caller, cluster).await?;
        }
        Ok(())
    }

    /// Checks bucket and topic of a definition, where the request names them.
    pub(crate) async fn check_places(
        &self,
        caller: &Caller,
        definition: &JobDefinition,
        names_bucket: bool,
        names_topic: bool,
    ) -> Result<(), CsError> {
        if let Some(bucket) = definition.obs_bucket.as_ref().filter(|_| names_bucket) {
            self.check_authorized(caller, bucket).await?;
        }
        if names_topic {
            self.check_topic(&caller.project, definition).await?;
        }
        Ok(())
    }

    /// Checks that what a definition names exists, in the order of the schema, where the request itself names it: what was
    /// stored is looked at again when the job runs. Buckets and topics may be elsewhere and take their time, so that nobody has to
    /// wait for it; a cluster may go meanwhile, and is looked at again before the write.
    pub(crate) async fn check_surroundings(
        &self,
        caller: &Caller,
        definition: &JobDefinition,
        sent: &SentFields,
    ) -> Result<(), CsError> {
        if sent.names_cluster() {
            self.check_cluster_of(caller, definition).await?;
        }
        self.check_places(caller, definition, sent.obs_bucket.is_some(), sent.smn_topic.is_some()).await?;
        if let Some(path) = definition.udf_jar_url.as_ref().filter(|_| sent.udf_jar_url.is_some())
            && !self.jar_exists(&caller.project, path).await?
        {
            return Err(codes::JAR_FILE_NOT_EXIST.error().with("path", path));
        }
        if let Some(bucket) =
            settings::dirty_bucket(definition).filter(|_| sent.dirty_data_strategy.is_some())
        {
            self.check_authorized(caller, &bucket).await?;
        }
        let names_groups = sent.edge_group_ids.is_some() || sent.run_mode.is_some();
        if definition.run_mode == "edge_node" && names_groups {
            edge::check_groups(definition, &self.options.edge_groups)?;
        }
        Ok(())
    }
}

impl Control {
    /// Whether the path of a JAR names an object of a bucket of the project.
    pub(crate) async fn jar_exists(&self, project: &ProjectId, path: &str) -> Result<bool, CsError> {
        let exists = self.objects_of(project).await?.path_exists(path).await;
        exists.map_err(|error| codes::BACKEND_INTERNAL_ERROR.error().because(format!("{error}.")))
    }
}
