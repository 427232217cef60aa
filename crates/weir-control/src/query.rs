//! Reading jobs: lists, details, graphs and metrics.

use serde_json::Value;
use weir_base::error::{CsError, codes};
use weir_base::id::JobId;
use weir_base::time::{Timestamp, millis};
use weir_runtime::JobMetrics;
use weir_store::{JobFilter, JobRecord};

use crate::caller::Caller;
use crate::control::{Control, fault};
use crate::graph;
use crate::status::Status;

/// The order of a list, by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Newest first.
    #[default]
    Descending,
    /// Oldest first.
    Ascending,
}

/// Which page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The id beside the page; it is not in the page and need not exist.
    pub cursor: Option<JobId>,
    /// Whether the page comes after the cursor in the order, or before it.
    pub after_cursor: bool,
    /// Records in the page.
    pub limit: usize,
    /// Order.
    pub order: Order,
}

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
            return Err(codes::CLUSTER_NOT_EXIST.error().because(format!("There is no cluster {cluster}.")));
        }
        if request.root_job_id.is_some() {
            // Only edge jobs have sub-jobs, and this release runs none.
            return Ok(JobList { total: 0, jobs: Vec::new() });
        }
        let filter =
            JobFilter { name_part: request.name.clone(), user: caller.sees_only(), cluster_id: None };
        let mut jobs = self.store.jobs(&caller.project, &filter).await.map_err(fault)?;
        jobs.retain(|job| request.status.is_none_or(|status| self.status_of(job) == status));
        let total = jobs.len();
        let mut views = Vec::new();
        for job in page_of(jobs, page) {
            views.push(self.view(job, with_graphs).await?);
        }
        Ok(JobList { total, jobs: views })
    }

    /// Returns a job with its graph.
    pub async fn job(&self, caller: &Caller, id: JobId) -> Result<JobView, CsError> {
        let job = self.find(caller, id, codes::QUERY_JOB_NOT_EXIST).await?;
        caller.check_owner(&job)?;
        self.view(job, true).await
    }

    /// Returns the status of a job with its description.
    pub async fn status(&self, caller: &Caller, id: JobId) -> Result<(Status, String), CsError> {
        let job = self.find(caller, id, codes::QUERY_JOB_NOT_EXIST).await?;
        caller.check_owner(&job)?;
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
        for job in self.store.jobs_with_runs().await.map_err(fault)? {
            views.push((self.status_of(&job), self.metrics_of(&job).await?));
        }
        Ok(views)
    }

    async fn metrics_of(&self, job: &JobRecord) -> Result<MetricsView, CsError> {
        let running = self.status_of(job) == Status::Running;
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
        let report = self.store.report(job.id).await.map_err(fault)?;
        Ok(match report {
            // An unreadable report was written by another release: the counters begin anew.
            Some(report) => serde_json::from_value(report.metrics).unwrap_or_default(),
            None => JobMetrics::default(),
        })
    }

    async fn view(&self, record: JobRecord, with_graph: bool) -> Result<JobView, CsError> {
        let now = self.now();
        let status = self.status_of(&record);
        let graph = if with_graph {
            let report = self.store.report(record.id).await.map_err(fault)?;
            let stored = report.and_then(|report| report.graph);
            stored.map(|stored| graph::with_state(&stored, &record, status, now))
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

/// Returns cause and advice of a failed status, and why a job waits for its restart.
fn description(job: &JobRecord, status: Status) -> String {
    let facts = &job.facts;
    match status {
        Status::Submitting if facts.failures > 0 => {
            format!("restart {} after a failure: {}", facts.failures, facts.reason)
        }
        status if status.is_failure() => facts.reason.clone(),
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

/// Cuts a page out of jobs in ascending order of id.
fn page_of(jobs: Vec<JobRecord>, page: Page) -> Vec<JobRecord> {
    let descending = page.order == Order::Descending;
    // Beyond the cursor in the order: smaller ids when descending, greater ones when ascending.
    let smaller = descending == page.after_cursor;
    let mut jobs = jobs;
    if let Some(cursor) = page.cursor {
        jobs.retain(|job| if smaller { job.id < cursor } else { job.id > cursor });
    }
    // Without a cursor "before" has nothing to be before of: it is the first page too.
    let nearest_is_last = if page.cursor.is_some() { smaller } else { descending };
    if nearest_is_last {
        jobs.reverse();
    }
    jobs.truncate(page.limit);
    if nearest_is_last != descending {
        jobs.reverse();
    }
    jobs
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_base::id::{ProjectId, UserId};
    use weir_store::{JobDefinition, RunFacts};

    fn jobs(ids: std::ops::RangeInclusive<i64>) -> Vec<JobRecord> {
        ids.map(|id| JobRecord {
            id: JobId(id),
            project: ProjectId("p".into()),
            user: UserId("u".into()),
            user_name: "u".into(),
            definition: JobDefinition::default(),
            create_time: Timestamp(0),
            update_time: Timestamp(0),
            facts: RunFacts::default(),
            version: 0,
            deleted_at: None,
            seen_at: None,
        })
        .collect()
    }

    fn ids(cursor: Option<i64>, after_cursor: bool, limit: usize, order: Order) -> Vec<i64> {
        let page = Page { cursor: cursor.map(JobId), after_cursor, limit, order };
        page_of(jobs(1..=9), page).iter().map(|job| job.id.0).collect()
    }

    #[test]
    fn pages_go_on_beyond_the_cursor() {
        assert_eq!(ids(None, true, 3, Order::Descending), [9, 8, 7]);
        assert_eq!(ids(Some(7), true, 3, Order::Descending), [6, 5, 4]);
        assert_eq!(ids(None, true, 3, Order::Ascending), [1, 2, 3]);
        assert_eq!(ids(Some(3), true, 3, Order::Ascending), [4, 5, 6]);
        assert_eq!(ids(Some(100), true, 2, Order::Descending), [9, 8], "the cursor need not exist");
    }

    #[test]
    fn pages_before_the_cursor_are_nearest_to_it_and_keep_the_order() {
        assert_eq!(ids(Some(4), false, 3, Order::Descending), [7, 6, 5]);
        assert_eq!(ids(Some(7), false, 3, Order::Ascending), [4, 5, 6]);
        assert_eq!(ids(None, false, 2, Order::Descending), [9, 8]);
    }
}
