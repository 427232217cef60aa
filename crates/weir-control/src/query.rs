//! Reading jobs: lists, details, graphs and metrics.

use serde_json::Value;
use weir_base::error::{CsError, codes};
use weir_base::id::{ClusterId, JobId};
use weir_base::time::{Timestamp, millis};
use weir_runtime::JobMetrics;
use weir_store::{JobFilter, JobRange, JobRecord, StoreError};

use crate::caller::Caller;
use crate::control::{Control, fault};
use crate::decide;
use crate::graph;
use crate::paging::{Page, page_of};
use crate::phase;
use crate::status::Status;

/// Which jobs a list holds.
#[derive(Debug, Clone, Default)]
pub struct ListRequest {
    /// Part of the name.
    pub name: Option<String>,
    /// Status.
    pub status: Option<Status>,
    /// Exclusive cluster.
    pub cluster_id: Option<i64>,
    /// Parent of edge sub-jobs.
    pub root_job_id: Option<i64>,
}

/// One page of jobs.
#[derive(Debug, Clone)]
pub struct JobList {
    /// Jobs that match, whatever the page.
    pub total: usize,
    /// The page.
    pub jobs: Vec<JobView>,
}

/// A job as users see it.
#[derive(Debug, Clone)]
pub struct JobView {
    /// What is stored.
    pub record: JobRecord,
    /// Its status now.
    pub status: Status,
    /// Cause and advice, or empty.
    pub status_desc: String,
    /// Running time of the present or last run in milliseconds.
    pub duration_ms: i64,
    /// Execution graph, when it was asked for and there is one.
    pub graph: Option<Value>,
}

/// The metrics of a job.
#[derive(Debug, Clone)]
pub struct MetricsView {
    /// The job.
    pub job: JobId,
    /// Its name.
    pub name: String,
    /// Counters of the present or last run; rates are 0 when it does not run.
    pub metrics: JobMetrics,
}

impl Control {
    /// Lists the jobs that the caller may read.
    pub async fn list_jobs(
        &self,
        caller: &Caller,
        request: &ListRequest,
        page: Page,
        with_graphs: bool,
    ) -> Result<JobList, CsError> {
        if let Some(cluster) = request.cluster_id {
            self.find_readable_cluster(caller, ClusterId(cluster)).await?;
        }
        if request.root_job_id.is_some() {
            // Only edge jobs have sub-jobs, and this release runs none.
            return Ok(JobList { total: 0, jobs: Vec::new() });
        }
        let phase = request.status.map(phase::of_status);
        if phase == Some(None) {
            // No job has that status.
            return Ok(JobList { total: 0, jobs: Vec::new() });
        }
        let phase = phase.flatten();
        let filter = JobFilter {
            name_part: request.name.clone(),
            user: caller.sees_only(),
            cluster_id: request.cluster_id,
            phase: phase.map(|(phase, _)| phase),
            ..JobFilter::default()
        };
        let (total, jobs) = match (request.status, phase) {
            // The store cannot tell this status from others of the phase.
            (Some(status), Some((_, false))) => {
                let ids = self.ids_in_status(caller, &filter, status).await.map_err(fault)?;
                let page = page_of(ids.clone(), page, |id| id.0);
                (ids.len(), self.store.jobs_by_id(&caller.project, &page).await.map_err(fault)?)
            }
            _ => self.page_of_jobs(caller, &filter, page).await.map_err(fault)?,
        };
        let mut views = Vec::new();
        for job in jobs {
            views.push(self.view(job, with_graphs).await?);
        }
        Ok(JobList { total, jobs: views })
    }

    /// Returns the ids of the jobs that match and have a status, in ascending order.
    pub(crate) async fn ids_in_status(
        &self,
        caller: &Caller,
        filter: &JobFilter,
        status: Status,
    ) -> Result<Vec<JobId>, StoreError> {
        let mut states = self.store.job_states(&caller.project, filter).await?;
        let (now, limits) = (self.now(), &self.options.limits);
        states.retain(|job| decide::status(&job.facts, job.seen_at, now, limits) == status);
        Ok(states.into_iter().map(|job| job.id).collect())
    }

    /// Returns how many jobs match, and a page of them. Only those of the page are read.
    async fn page_of_jobs(
        &self,
        caller: &Caller,
        filter: &JobFilter,
        page: Page,
    ) -> Result<(usize, Vec<JobRecord>), StoreError> {
        let total = self.store.count_jobs(&caller.project, filter).await?;
        let cut = page.cut();
        let range = JobRange {
            above: cut.above.map(JobId),
            below: cut.below.map(JobId),
            from_greatest: cut.from_greatest,
            offset: 0,
            limit: page.limit,
        };
        let mut jobs = self.store.jobs_in_range(&caller.project, filter, range).await?;
        if cut.reversed {
            jobs.reverse();
        }
        Ok((total, jobs))
    }

    /// Returns a job with its graph.
    pub async fn job(&self, caller: &Caller, id: JobId) -> Result<JobView, CsError> {
        let job = self.find_own(caller, id, codes::QUERY_JOB_NOT_EXIST).await?;
        self.view(job, true).await
    }

    /// Returns the status of a job with its description.
    pub async fn status(&self, caller: &Caller, id: JobId) -> Result<(Status, String), CsError> {
        let job = self.find_own(caller, id, codes::QUERY_JOB_NOT_EXIST).await?;
        let status = self.status_of(&job);
        Ok((status, description(&job, status)))
    }

    /// Returns the execution graph of a job.
    pub async fn execute_graph(&self, caller: &Caller, id: JobId) -> Result<Value, CsError> {
        let view = self.job(caller, id).await?;
        view.graph.ok_or_else(|| codes::EXECUTE_GRAPH_NOT_EXIST.error())
    }

    /// Returns the metrics of jobs, in the order of the call. A job that the caller may not read counts as unknown.
    pub async fn metrics(&self, caller: &Caller, ids: &[JobId]) -> Result<Vec<MetricsView>, CsError> {
        let mut views = Vec::new();
        for id in ids {
            let job = self.find(caller, *id, codes::QUERY_JOB_NOT_EXIST).await?;
            if !caller.owns(&job) {
                return Err(codes::QUERY_JOB_NOT_EXIST.error().because(format!("There is no job {id}.")));
            }
            views.push(self.metrics_of(&job).await?);
        }
        Ok(views)
    }

    /// Returns the metrics of every job with a run under way, in all projects, for the operator.
    pub async fn all_metrics(&self) -> Result<Vec<(Status, MetricsView)>, CsError> {
        let mut views = Vec::new();
        let mut jobs = self.store.jobs_with_runs().await.map_err(fault)?;
        jobs.retain(|job| job.deleted_at.is_none());
        for job in jobs {
            views.push((self.status_of(&job), self.metrics_of(&job).await?));
        }
        Ok(views)
    }

    async fn metrics_of(&self, job: &JobRecord) -> Result<MetricsView, CsError> {
        let running = matches!(self.status_of(job), Status::Running | Status::Savepointing);
        let observed = self.runner.observe(job.id).filter(|seen| seen.attempt == job.facts.attempt);
        let mut metrics = match observed {
            Some(observation) => observation.metrics,
            None => self.stored_metrics(job).await?,
        };
        if !running {
            metrics.operators.iter_mut().for_each(|operator| operator.rate = 0.0);
        }
        Ok(MetricsView { job: job.id, name: job.definition.name.clone(), metrics })
    }

    async fn stored_metrics(&self, job: &JobRecord) -> Result<JobMetrics, CsError> {
        let stored = self.store.stored_metrics(job.id).await.map_err(fault)?;
        // Unreadable ones were written by another release: the counters begin anew.
        Ok(stored.and_then(|stored| serde_json::from_value(stored).ok()).unwrap_or_default())
    }

    pub(crate) async fn view(&self, record: JobRecord, with_graph: bool) -> Result<JobView, CsError> {
        let now = self.now();
        let status = self.status_of(&record);
        let graph = if with_graph {
            let stored = self.store.stored_graph(record.id).await.map_err(fault)?;
            stored.map(|stored| graph::with_state(stored, &record, status, now))
        } else {
            None
        };
        Ok(JobView {
            status,
            status_desc: description(&record, status),
            duration_ms: duration(&record, status, now),
            graph,
            record,
        })
    }
}

/// Returns cause and advice of a failed status, why a job was stopped or has ended, and why it waits for its restart.
fn description(job: &JobRecord, status: Status) -> String {
    let facts = &job.facts;
    match status {
        Status::Submitting if facts.failures > 0 => {
            format!("restart {} after a failure: {}", facts.failures, facts.reason)
        }
        Status::Running => facts.savepoint.failure.clone(),
        status if status.has_reason() => facts.reason.clone(),
        _ => String::new(),
    }
}

fn duration(job: &JobRecord, status: Status, now: Timestamp) -> i64 {
    let facts = &job.facts;
    let end = match (facts.running_since, facts.stopped_at) {
        (Some(_), _) if status.holds_spus() => now,
        (_, Some(stopped)) => stopped,
        (_, None) => return 0,
    };
    millis(end.since(facts.start_time))
}
