//! The list of jobs with the filters of the successor.

use std::collections::BTreeMap;

use weir_base::error::CsError;
use weir_store::JobFilter;

use crate::caller::Caller;
use crate::control::{Control, fault};
use crate::phase;
use crate::query::JobView;
use crate::status::Status;

/// Which jobs the list holds, and which part of it is wanted.
#[derive(Debug, Clone, Default)]
pub struct FlinkListRequest {
    /// Part of the name.
    pub name: Option<String>,
    /// Status.
    pub status: Option<Status>,
    /// Name of an exclusive cluster.
    pub cluster_name: Option<String>,
    /// Name of the owner.
    pub user_name: Option<String>,
    /// Type.
    pub job_type: Option<String>,
    /// How the type begins.
    pub job_type_prefix: &'static str,
    /// Parent of edge sub-jobs.
    pub root_job_id: Option<i64>,
    /// Jobs to leave out first.
    pub offset: usize,
    /// Most jobs of a page.
    pub limit: usize,
    /// Whether the newest job comes first.
    pub newest_first: bool,
}

/// A job in the list.
#[derive(Debug, Clone)]
pub struct FlinkJobView {
    /// The job.
    pub job: JobView,
    /// The name of its exclusive cluster.
    pub cluster_name: Option<String>,
}

impl Control {
    /// Lists the jobs that the caller may read. Returns how many match and those of the page.
    pub async fn list_flink_jobs(
        &self,
        caller: &Caller,
        request: &FlinkListRequest,
        with_graphs: bool,
    ) -> Result<(usize, Vec<FlinkJobView>), CsError> {
        if request.root_job_id.is_some() {
            // Only edge jobs have sub-jobs, and this release runs none.
            return Ok((0, Vec::new()));
        }
        let clusters = self.store.clusters(&caller.project).await.map_err(fault)?;
        let clusters: BTreeMap<i64, String> =
            clusters.into_iter().map(|cluster| (cluster.id.0, cluster.name)).collect();
        let filter = JobFilter {
            name_part: request.name.clone(),
            user: caller.sees_only(),
            cluster_id: None,
            phase: request.status.and_then(phase::of_status).map(|(phase, _)| phase),
        };
        let mut jobs = self.store.jobs(&caller.project, &filter).await.map_err(fault)?;
        jobs.retain(|job| {
            let definition = &job.definition;
            let cluster = definition.cluster_id.and_then(|id| clusters.get(&id));
            request.status.is_none_or(|status| self.status_of(job) == status)
                && request.cluster_name.as_ref().is_none_or(|name| Some(name) == cluster)
                && request.user_name.as_ref().is_none_or(|name| *name == job.user_name)
                && request.job_type.as_ref().is_none_or(|job_type| *job_type == definition.job_type)
                && definition.job_type.starts_with(request.job_type_prefix)
        });
        if request.newest_first {
            jobs.reverse();
        }
        let total = jobs.len();
        let mut page = Vec::new();
        for job in jobs.into_iter().skip(request.offset).take(request.limit) {
            let cluster_name = job.definition.cluster_id.and_then(|id| clusters.get(&id)).cloned();
            page.push(FlinkJobView { job: self.view(job, with_graphs).await?, cluster_name });
        }
        Ok((total, page))
    }
}
