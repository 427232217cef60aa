//! The repository of jobs.
//!
//! Every write names the version it read, so that two writers cannot undo each other; the loser gets
//! [`StoreError::Conflict`] and reads again. Writes that a user caused bring their audit record.

use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Row, Transaction};
use weir_base::id::{JobId, ProjectId, UserId};
use weir_base::time::Timestamp;

use crate::alarms::{self, AlarmRecord};
use crate::audit::{self, AuditRecord};
use crate::error::StoreError;
use crate::job_files;
use crate::job_record::{EndKind, Intent, JobDefinition, JobFile, JobRecord, NewJob, Report, RunFacts};
use crate::store::{Store, json_text};
use crate::usage::{self, Metered, UsageChange};

/// The columns of a job with the time of its last report, in one place for every query.
macro_rules! select_jobs {
    ($($rest:literal),+) => {
        concat!(
            "SELECT jobs.*, CASE WHEN job_reports.attempt = jobs.attempt THEN job_reports.seen_at END AS seen_at
             FROM jobs LEFT JOIN job_reports ON job_reports.job_id = jobs.id ",
            $($rest),+
        )
    };
}

/// The same, for queries whose conditions are found while the service runs.
pub(crate) const SELECT_JOBS: &str = select_jobs!("");

/// What a status is computed from, without the definition, which may be long.
pub(crate) const SELECT_STATES: &str =
    "SELECT jobs.id, jobs.intent, jobs.intent_at, jobs.frozen_at, jobs.attempt, jobs.submitted_at, jobs.accepted, jobs.reached,
        jobs.running_since, jobs.start_time, jobs.stopped_at, jobs.failures, jobs.retry_at, jobs.end_kind, jobs.reason,
        jobs.savepoint, jobs.held, CASE WHEN job_reports.attempt = jobs.attempt THEN job_reports.seen_at END AS seen_at
     FROM jobs LEFT JOIN job_reports ON job_reports.job_id = jobs.id";

impl Store {
    /// Creates a job. Fails when the name is taken or the project has `draft_limit` drafts.
    pub async fn create_job(
        &self,
        job: &NewJob,
        draft_limit: u32,
        audit: AuditRecord,
    ) -> Result<JobId, StoreError> {
        self.create_job_with_files(job, &[], draft_limit, audit).await
    }

    /// Creates a job with the files that were uploaded with it; fails as [`Self::create_job`] does.
    pub async fn create_job_with_files(
        &self,
        job: &NewJob,
        files: &[JobFile],
        draft_limit: u32,
        mut audit: AuditRecord,
    ) -> Result<JobId, StoreError> {
        let mut transaction = self.begin().await?;
        if name_taken(&mut transaction, &job.project, &job.definition.name, None).await? {
            return Err(StoreError::NameTaken);
        }
        if drafts(&mut transaction, &job.project).await? >= i64::from(draft_limit) {
            return Err(StoreError::TooManyDrafts { limit: draft_limit });
        }
        let id = insert_job(&mut transaction, job).await?;
        job_files::put(&mut transaction, id, files).await?;
        audit.resource_id = id.to_string();
        audit::insert(&mut transaction, &audit).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Creates jobs, and makes drafts with other definitions of jobs that are there, all or nothing. Fails as
    /// [`Self::create_job`] does. Returns the ids of the new ones.
    pub async fn import_jobs(
        &self,
        created: &[NewJob],
        covered: &[(JobRecord, JobDefinition, RunFacts)],
        owner: (&UserId, &str),
        now: Timestamp,
        draft_limit: u32,
        mut audit: AuditRecord,
    ) -> Result<Vec<JobId>, StoreError> {
        let mut transaction = self.begin().await?;
        let mut ids = Vec::new();
        for job in created {
            if name_taken(&mut transaction, &job.project, &job.definition.name, None).await? {
                return Err(StoreError::NameTaken);
            }
            ids.push(insert_job(&mut transaction, job).await?);
        }
        for (job, definition, facts) in covered {
            write_facts(&mut transaction, job, facts).await?;
            sqlx::query(
                "UPDATE jobs SET definition = $1, cluster_id = $2, job_type = $3, user_id = $4, user_name = $5,
                    update_time = $6
                 WHERE id = $7",
            )
            .bind(json_text(definition)?)
            .bind(definition.cluster_id)
            .bind(&definition.job_type)
            .bind(&owner.0.0)
            .bind(owner.1)
            .bind(now.0)
            .bind(job.id.0)
            .execute(&mut *transaction)
            .await?;
            job_files::keep_those_of(&mut transaction, job.id, definition).await?;
            // Of a job whose stop has failed; others have nothing open.
            let end = UsageChange::End { what: Metered::Job, id: job.id.0, at: now };
            usage::apply(&mut transaction, &[end]).await?;
            sqlx::query("DELETE FROM job_reports WHERE job_id = $1")
                .bind(job.id.0)
                .execute(&mut *transaction)
                .await?;
        }
        let project = &audit.project;
        if !ids.is_empty() && drafts(&mut transaction, project).await? > i64::from(draft_limit) {
            return Err(StoreError::TooManyDrafts { limit: draft_limit });
        }
        // One for each job, so that it is found with the job; one without a job when the call has changed nothing.
        let new = ids.iter().zip(created).map(|(id, job)| (*id, job.definition.name.as_str()));
        let named: Vec<_> = new
            .chain(covered.iter().map(|(job, definition, _)| (job.id, definition.name.as_str())))
            .collect();
        if named.is_empty() {
            audit::insert(&mut transaction, &audit).await?;
        }
        for (id, name) in named {
            (audit.resource_id, audit.resource_name) = (id.to_string(), name.to_string());
            audit::insert(&mut transaction, &audit).await?;
        }
        transaction.commit().await?;
        Ok(ids)
    }

    /// Returns a job of a project that has not been deleted.
    pub async fn job(&self, project: &ProjectId, id: JobId) -> Result<Option<JobRecord>, StoreError> {
        let row = sqlx::query(select_jobs!("WHERE jobs.id = $1 AND project_id = $2 AND deleted_at IS NULL"))
            .bind(id.0)
            .bind(&project.0)
            .fetch_optional(self.pool())
            .await?;
        row.map(|row| from_row(&row)).transpose()
    }

    /// Returns every job with a run under way or ended but holding resources, in all projects; a deleted one until the runtime
    /// has forgotten it.
    pub async fn jobs_with_runs(&self) -> Result<Vec<JobRecord>, StoreError> {
        let rows = sqlx::query(select_jobs!(
            "WHERE (deleted_at IS NULL OR cleared = 0) AND intent <> 'draft'
             AND (end_kind IS NULL OR end_kind = 'cancel_failed') ORDER BY jobs.id"
        ))
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(from_row).collect()
    }

    /// Returns every job that stands still because its account owes, in all projects.
    pub async fn frozen_jobs(&self) -> Result<Vec<JobRecord>, StoreError> {
        let rows =
            sqlx::query(select_jobs!("WHERE deleted_at IS NULL AND end_kind = 'frozen' ORDER BY jobs.id"))
                .fetch_all(self.pool())
                .await?;
        rows.iter().map(from_row).collect()
    }

    /// Returns the jobs for which something may have to be done: those under way, those whose stop has failed, as their workers
    /// may end after all, and deleted ones that the runtime has not forgotten yet.
    pub async fn jobs_to_reconcile(&self) -> Result<Vec<JobRecord>, StoreError> {
        let rows = sqlx::query(select_jobs!(
            "WHERE (deleted_at IS NULL AND intent <> 'draft' AND (end_kind IS NULL OR end_kind = 'cancel_failed'))
             OR (deleted_at IS NOT NULL AND cleared = 0) ORDER BY jobs.id"
        ))
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(from_row).collect()
    }

    /// Returns the jobs that stand still, drafts among them, and have savepoints that are to be removed.
    pub async fn jobs_with_leftovers(&self) -> Result<Vec<JobRecord>, StoreError> {
        // As they are written; earlier releases wrote one at most.
        let rows = sqlx::query(select_jobs!(
            r#"WHERE deleted_at IS NULL AND (intent = 'draft' OR (end_kind IS NOT NULL AND end_kind <> 'cancel_failed'))
             AND (jobs.savepoint LIKE '%"leftovers":[{%' OR jobs.savepoint LIKE '%"leftover":{%') ORDER BY jobs.id"#
        ))
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(from_row).collect()
    }

    /// Stores a changed definition. A changed text makes the stored execution graph void, and the checkpoints of a run that
    /// stands still.
    pub async fn update_definition(
        &self,
        job: &JobRecord,
        definition: &JobDefinition,
        now: Timestamp,
        audit: &AuditRecord,
    ) -> Result<(), StoreError> {
        self.update_with_files(job, definition, &[], now, audit).await
    }

    /// Stores a changed definition with files that were uploaded; those that it does not have any more go.
    pub async fn update_with_files(
        &self,
        job: &JobRecord,
        definition: &JobDefinition,
        files: &[JobFile],
        now: Timestamp,
        audit: &AuditRecord,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        if name_taken(&mut transaction, &job.project, &definition.name, Some(job.id)).await? {
            return Err(StoreError::NameTaken);
        }
        let has_new_text = definition.sql_body != job.definition.sql_body;
        let changed = sqlx::query(
            "UPDATE jobs SET name = $1, definition = $2, cluster_id = $3, job_type = $4, update_time = $5,
                accepted = $6, version = version + 1
             WHERE id = $7 AND version = $8 AND deleted_at IS NULL",
        )
        .bind(&definition.name)
        .bind(json_text(definition)?)
        .bind(definition.cluster_id)
        .bind(&definition.job_type)
        .bind(now.0)
        .bind(i64::from(job.facts.accepted && !has_new_text))
        .bind(job.id.0)
        .bind(job.version)
        .execute(&mut *transaction)
        .await?;
        exactly_one(changed.rows_affected())?;
        job_files::put(&mut transaction, job.id, files).await?;
        job_files::keep_those_of(&mut transaction, job.id, definition).await?;
        let has_new_jar =
            files.iter().any(|file| file.kind == "jar") || definition.jar_url != job.definition.jar_url;
        if has_new_text || has_new_jar {
            sqlx::query("UPDATE job_reports SET graph = NULL WHERE job_id = $1")
                .bind(job.id.0)
                .execute(&mut *transaction)
                .await?;
        }
        audit::insert(&mut transaction, audit).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Stores changed facts of several jobs, all or none, with the audit records of the call, and the alarms and the
    /// beginnings and ends of use that follow.
    pub async fn update_facts(
        &self,
        changes: &[(&JobRecord, RunFacts)],
        audits: &[AuditRecord],
        alarms: &[AlarmRecord],
        usage: &[UsageChange],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for (job, facts) in changes {
            write_facts(&mut transaction, job, facts).await?;
        }
        usage::apply(&mut transaction, usage).await?;
        for alarm in alarms {
            alarms::insert(&mut transaction, alarm).await?;
        }
        for audit in audits {
            audit::insert(&mut transaction, audit).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Marks jobs as deleted, all or none. Their names are free again; the records stay.
    pub async fn delete_jobs(
        &self,
        jobs: &[JobRecord],
        now: Timestamp,
        audits: &[AuditRecord],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for job in jobs {
            let changed = sqlx::query(
                "UPDATE jobs SET deleted_at = $1, version = version + 1 WHERE id = $2 AND version = $3",
            )
            .bind(now.0)
            .bind(job.id.0)
            .bind(job.version)
            .execute(&mut *transaction)
            .await?;
            exactly_one(changed.rows_affected())?;
            let end = UsageChange::End { what: Metered::Job, id: job.id.0, at: now };
            usage::apply(&mut transaction, &[end]).await?;
        }
        for audit in audits {
            audit::insert(&mut transaction, audit).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Notes that the runtime has forgotten a deleted job, of which only the record stays: no files, and no reports. The audit
    /// records say what could not be removed.
    pub async fn mark_cleared(&self, job: JobId, audits: &[AuditRecord]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for audit in audits {
            audit::insert(&mut transaction, audit).await?;
        }
        sqlx::query("DELETE FROM job_reports WHERE job_id = $1")
            .bind(job.0)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("DELETE FROM job_files WHERE job_id = $1").bind(job.0).execute(&mut *transaction).await?;
        sqlx::query("UPDATE jobs SET cleared = 1 WHERE id = $1 AND deleted_at IS NOT NULL")
            .bind(job.0)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Stores what the runtime said of a job.
    pub async fn write_report(&self, job: JobId, report: &Report) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO job_reports (job_id, attempt, seen_at, metrics, graph) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (job_id) DO UPDATE SET attempt = excluded.attempt, seen_at = excluded.seen_at,
                metrics = excluded.metrics, graph = COALESCE(excluded.graph, job_reports.graph)",
        )
        .bind(job.0)
        .bind(i64::try_from(report.attempt).unwrap_or(i64::MAX))
        .bind(report.seen_at.0)
        .bind(report.metrics.to_string())
        .bind(report.graph.as_ref().map(serde_json::Value::to_string))
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Returns the metrics that the runtime last told of a job, as stored.
    pub async fn stored_metrics(&self, job: JobId) -> Result<Option<serde_json::Value>, StoreError> {
        let text: Option<String> = sqlx::query_scalar("SELECT metrics FROM job_reports WHERE job_id = $1")
            .bind(job.0)
            .fetch_optional(self.pool())
            .await?;
        text.map(|text| json(job.0, "metrics", &text)).transpose()
    }

    /// Returns the execution graph that the runtime last told of a job, as stored.
    pub async fn stored_graph(&self, job: JobId) -> Result<Option<serde_json::Value>, StoreError> {
        let text: Option<Option<String>> =
            sqlx::query_scalar("SELECT graph FROM job_reports WHERE job_id = $1")
                .bind(job.0)
                .fetch_optional(self.pool())
                .await?;
        text.flatten().map(|text| json(job.0, "graph", &text)).transpose()
    }
}

async fn drafts(transaction: &mut Transaction<'static, Any>, project: &ProjectId) -> Result<i64, StoreError> {
    let drafts = sqlx::query_scalar(
        "SELECT COUNT(*) FROM jobs WHERE project_id = $1 AND intent = 'draft' AND deleted_at IS NULL",
    )
    .bind(&project.0)
    .fetch_one(&mut **transaction)
    .await?;
    Ok(drafts)
}

async fn insert_job(transaction: &mut Transaction<'static, Any>, job: &NewJob) -> Result<JobId, StoreError> {
    let id: i64 = sqlx::query_scalar(
        "INSERT INTO jobs
            (project_id, name, user_id, user_name, cluster_id, job_type, definition, create_time, update_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) RETURNING id",
    )
    .bind(&job.project.0)
    .bind(&job.definition.name)
    .bind(&job.user.0)
    .bind(&job.user_name)
    .bind(job.definition.cluster_id)
    .bind(&job.definition.job_type)
    .bind(json_text(&job.definition)?)
    .bind(job.create_time.0)
    .fetch_one(&mut **transaction)
    .await?;
    Ok(JobId(id))
}

async fn name_taken(
    transaction: &mut Transaction<'static, Any>,
    project: &ProjectId,
    name: &str,
    except: Option<JobId>,
) -> Result<bool, StoreError> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM jobs WHERE project_id = $1 AND name = $2 AND deleted_at IS NULL AND id <> $3",
    )
    .bind(&project.0)
    .bind(name)
    .bind(except.map_or(0, |id| id.0))
    .fetch_one(&mut **transaction)
    .await?;
    Ok(count > 0)
}

pub(crate) async fn write_facts(
    connection: &mut AnyConnection,
    job: &JobRecord,
    facts: &RunFacts,
) -> Result<(), StoreError> {
    let changed = sqlx::query(
        "UPDATE jobs SET intent = $1, intent_at = $2, attempt = $3, submitted_at = $4, accepted = $5, reached = $6,
            running_since = $7, start_time = $8, stopped_at = $9, failures = $10, retry_at = $11, end_kind = $12,
            reason = $13, savepoint = $14, frozen_at = $15, held = $16, version = version + 1
         WHERE id = $17 AND version = $18 AND deleted_at IS NULL",
    )
    .bind(facts.intent.as_str())
    .bind(facts.intent_at.0)
    .bind(i64::try_from(facts.attempt).unwrap_or(i64::MAX))
    .bind(facts.submitted_at.map(|at| at.0))
    .bind(i64::from(facts.accepted))
    .bind(i64::from(facts.reached_running))
    .bind(facts.running_since.map(|at| at.0))
    .bind(facts.start_time.0)
    .bind(facts.stopped_at.map(|at| at.0))
    .bind(i64::from(facts.failures))
    .bind(facts.retry_at.map(|at| at.0))
    .bind(facts.end.map(EndKind::as_str))
    .bind(&facts.reason)
    .bind(json_text(&facts.savepoint)?)
    .bind(facts.frozen_at.map(|at| at.0))
    .bind(facts.held.as_ref().map(json_text).transpose()?)
    .bind(job.id.0)
    .bind(job.version)
    .execute(connection)
    .await?;
    exactly_one(changed.rows_affected())
}

pub(crate) fn exactly_one(rows: u64) -> Result<(), StoreError> {
    if rows == 1 { Ok(()) } else { Err(StoreError::Conflict) }
}

fn json<T: serde::de::DeserializeOwned>(job: i64, what: &'static str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt { job, what, reason: error.to_string() })
}

fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(crate) fn from_row(row: &AnyRow) -> Result<JobRecord, StoreError> {
    let id: i64 = row.try_get("id")?;
    let definition: String = row.try_get("definition")?;
    Ok(JobRecord {
        id: JobId(id),
        project: ProjectId(row.try_get("project_id")?),
        user: UserId(row.try_get("user_id")?),
        user_name: row.try_get("user_name")?,
        definition: json(id, "definition", &definition)?,
        create_time: Timestamp(row.try_get("create_time")?),
        update_time: Timestamp(row.try_get("update_time")?),
        facts: facts_from_row(id, row)?,
        version: row.try_get("version")?,
        deleted_at: row.try_get::<Option<i64>, _>("deleted_at")?.map(Timestamp),
        seen_at: seen_at(row)?,
    })
}

pub(crate) fn seen_at(row: &AnyRow) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>("seen_at")?.map(Timestamp))
}

pub(crate) fn facts_from_row(job: i64, row: &AnyRow) -> Result<RunFacts, StoreError> {
    let time = |name: &str| -> Result<Option<Timestamp>, sqlx::Error> {
        Ok(row.try_get::<Option<i64>, _>(name)?.map(Timestamp))
    };
    let unknown = |what: &'static str, value: &str| StoreError::Corrupt {
        job,
        what,
        reason: format!("`{value}` is not known to this release"),
    };
    let intent: String = row.try_get("intent")?;
    let end: Option<String> = row.try_get("end_kind")?;
    let savepoint: String = row.try_get("savepoint")?;
    let held: Option<String> = row.try_get("held")?;
    Ok(RunFacts {
        intent: Intent::parse(&intent).ok_or_else(|| unknown("intent", &intent))?,
        intent_at: Timestamp(row.try_get("intent_at")?),
        frozen_at: time("frozen_at")?,
        attempt: unsigned(row.try_get("attempt")?),
        submitted_at: time("submitted_at")?,
        accepted: row.try_get::<i64, _>("accepted")? != 0,
        reached_running: row.try_get::<i64, _>("reached")? != 0,
        running_since: time("running_since")?,
        start_time: Timestamp(row.try_get("start_time")?),
        stopped_at: time("stopped_at")?,
        failures: u32::try_from(row.try_get::<i64, _>("failures")?).unwrap_or(u32::MAX),
        retry_at: time("retry_at")?,
        end: end.map(|text| EndKind::parse(&text).ok_or_else(|| unknown("end_kind", &text))).transpose()?,
        reason: row.try_get("reason")?,
        savepoint: json(job, "savepoint", &savepoint)?,
        held: held.map(|text| json(job, "held", &text)).transpose()?,
    })
}
