//! JAR jobs: created, checked, updated and kept; there is no runner for them yet.

mod fields;

pub(crate) use fields::{FLINK, SPARK, check_fields};
pub use fields::{SentFile, SentJar};

use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path as Key;
use weir_base::error::{CsError, codes};
use weir_base::id::{JobId, ProjectId};
use weir_base::time::Timestamp;
use weir_cloud::objects::ObjectsError;
use weir_store::{JobDefinition, JobFile, StoreError};

use crate::audit::{self, Subject};
use crate::caller::Caller;
use crate::control::{Control, Refusal, without_conflict};
use crate::create::{new_job, too_many_drafts};
use crate::success;
use crate::transfer::split;

/// Whether a definition is that of a JAR job.
pub(crate) fn is_jar(definition: &JobDefinition) -> bool {
    matches!(definition.job_type.as_str(), FLINK | SPARK)
}

impl Control {
    /// Creates a JAR job in `job_init` and returns its id.
    pub async fn create_jar_job(&self, caller: &Caller, sent: SentJar) -> Result<JobId, CsError> {
        let definition = sent.over(&JobDefinition::default());
        fields::check_create(&sent, &definition)?;
        self.check_jar_surroundings(caller, &definition, &sent).await?;
        let _gate = self.gate.lock().await;
        self.check_cluster_of(caller, &definition).await?;
        let now = self.now();
        let subject = Subject { resource_type: "job", id: "", name: &definition.name };
        let audit = audit::of_success(caller, "createJob", subject, success::JOB_CREATED, now);
        let job = new_job(caller, definition, now);
        let created =
            self.store.create_job_with_files(&job, &files(&sent), self.options.draft_limit, audit).await;
        let id = created.map_err(|error| match error {
            StoreError::NameTaken => codes::JOB_NAME_EXIST.error(),
            StoreError::TooManyDrafts { limit } => too_many_drafts(limit),
            other => crate::control::fault(other),
        })?;
        tracing::info!(job_id = %id, name = job.definition.name, "job created");
        Ok(id)
    }

    /// Changes the fields that are sent; returns the update time.
    pub async fn update_jar_job(
        &self,
        caller: &Caller,
        id: JobId,
        sent: SentJar,
    ) -> Result<Timestamp, CsError> {
        fields::check_sent(&sent)?;
        without_conflict(|| self.try_update_jar(caller, id, &sent)).await
    }

    async fn try_update_jar(&self, caller: &Caller, id: JobId, sent: &SentJar) -> Result<Timestamp, Refusal> {
        let job = self.find_own(caller, id, codes::JOB_NOT_EXIST).await?;
        self.check_updatable(&job, is_jar(&job.definition))?;
        let definition = sent.over(&job.definition);
        fields::check_fields(sent, &definition)?;
        self.check_jar_surroundings(caller, &definition, sent).await?;
        let _gate = self.gate.lock().await;
        if sent.cluster_id.is_some() {
            self.check_cluster_of(caller, &definition).await?;
        }
        let now = self.now();
        let audit = audit::of_job(caller, "updateJob", &job, success::JOB_UPDATED, now);
        match self.store.update_with_files(&job, &definition, &files(sent), now, &audit).await {
            Ok(()) => Ok(now),
            Err(StoreError::NameTaken) => Err(codes::UPDATE_JOB_NAME_EXIST.error().into()),
            Err(other) => Err(other.into()),
        }
    }

    /// Checks that what a definition names exists, in the order of the schema, as far as the request names it.
    async fn check_jar_surroundings(
        &self,
        caller: &Caller,
        definition: &JobDefinition,
        sent: &SentJar,
    ) -> Result<(), CsError> {
        if sent.cluster_id.is_some() {
            self.check_cluster_of(caller, definition).await?;
        }
        self.check_places(caller, definition, sent.obs_bucket.is_some(), sent.smn_topic.is_some()).await?;
        if sent.jar_url.is_some() || sent.main_class.is_some() {
            self.check_jar_url(&caller.project, definition, codes::JAR_FILE_NOT_EXIST).await?;
        }
        if let Some(path) = definition.config_url.as_ref().filter(|_| sent.config_url.is_some()) {
            let kind = self.path_kind(&caller.project, path).await?;
            if !matches!(kind, PathKind::Object) {
                return Err(codes::CONFIG_FILE_NOT_EXIST.error().because(format!("It was {path}.")));
            }
        }
        Ok(())
    }

    /// Checks that there is a JAR at the path of a definition, and one only when no class is named.
    pub(crate) async fn check_jar_url(
        &self,
        project: &ProjectId,
        definition: &JobDefinition,
        missing: weir_base::error::ErrorCode,
    ) -> Result<(), CsError> {
        let Some(path) = &definition.jar_url else { return Ok(()) };
        let kind = self.path_kind(project, path).await?;
        let names = match kind {
            PathKind::Nothing => return Err(missing.error().with("path", path)),
            PathKind::Object => return Ok(()),
            PathKind::Folder(names) => names,
        };
        let jars = names.iter().filter(|name| name.ends_with(".jar")).count();
        match (jars, &definition.main_class) {
            (0, _) => Err(codes::NO_JAR_IN_JAR_URL.error().because(format!("It was {path}."))),
            (1, _) | (_, Some(_)) => Ok(()),
            (_, None) => Err(codes::MAIN_CLASS_REQUIRED.error().because(format!("{path} holds {jars}."))),
        }
    }
}

/// What a path names.
enum PathKind {
    /// Nothing that is there.
    Nothing,
    /// An object.
    Object,
    /// A folder with these objects in it.
    Folder(Vec<String>),
}

impl Control {
    /// Says what a path of the form `bucket/key` names in the buckets of a project.
    async fn path_kind(&self, project: &ProjectId, path: &str) -> Result<PathKind, CsError> {
        let (bucket, key) = split(path);
        let store = match self.objects_of(project).await?.bucket(bucket).await {
            Ok(store) => store,
            Err(ObjectsError::NoBucket(_) | ObjectsError::InvalidName(_)) => return Ok(PathKind::Nothing),
            Err(error) => return Err(unreachable(&error)),
        };
        let Ok(key) = Key::parse(key) else { return Ok(PathKind::Nothing) };
        if key.as_ref().is_empty() {
            return Ok(PathKind::Nothing);
        }
        match store.head(&key).await {
            Ok(_) => return Ok(PathKind::Object),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(unreachable(&error)),
        }
        let listed = store.list(Some(&key)).map_ok(|object| object.location.to_string());
        let names: Vec<String> = listed.try_collect().await.map_err(|error| unreachable(&error))?;
        Ok(if names.is_empty() { PathKind::Nothing } else { PathKind::Folder(names) })
    }
}

fn files(sent: &SentJar) -> Vec<JobFile> {
    let file = |kind: &'static str, file: &Option<SentFile>| {
        let SentFile { name, contents } = file.clone()?;
        Some(JobFile { kind, name, contents })
    };
    [file("jar", &sent.jar), file("config", &sent.config)].into_iter().flatten().collect()
}

fn unreachable(error: &dyn std::fmt::Display) -> CsError {
    codes::BACKEND_INTERNAL_ERROR.error().because(format!("{error}."))
}
