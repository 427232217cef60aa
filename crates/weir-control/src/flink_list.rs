//! The list of jobs with the filters of the successor.

use std::collections::BTreeMap;

use weir_base::error::CsError;
use weir_base::id::JobId;
use weir_store::{JobFilter, JobRange, JobRecord, StoreError};

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
        let cluster_id = match &request.cluster_name {
            Some(name) => match clusters.iter().find(|(_, known)| *known == name) {
                Some((id, _)) => Some(*id),
                None => return Ok((0, Vec::new())),
            },
            None => None,
        };
        let prefix = request.job_type_prefix;
        let filter = JobFilter {
            name_part: request.name.clone(),
            user: caller.sees_only(),
            user_name: request.user_name.clone(),
            job_type: request.job_type.clone(),
            job_type_prefix: (!prefix.is_empty()).then(|| prefix.to_string()),
            cluster_id,
            phase: None,
        };
        let (total, jobs) = self.flink_page(caller, filter, request).await.map_err(fault)?;
        let mut page = Vec::new();
        for job in jobs {
            let cluster_name = job.definition.cluster_id.and_then(|id| clusters.get(&id)).cloned();
            page.push(FlinkJobView { job: self.view(job, with_graphs).await?, cluster_name });
        }
        Ok((total, page))
    }

    /// Returns how many jobs match, and a page of them. Only those of the page are read.
    async fn flink_page(
        &self,
        caller: &Caller,
        filter: JobFilter,
        request: &FlinkListRequest,
    ) -> Result<(usize, Vec<JobRecord>), StoreError> {
        let FlinkListRequest { offset, limit, newest_first, .. } = *request;
        let phase = match request.status.map(|status| (status, phase::of_status(status))) {
            // No job has that status.
            Some((_, None)) => return Ok((0, Vec::new())),
            // The store cannot tell this status from others of the phase.
            Some((status, Some((phase, false)))) => {
                let filter = JobFilter { phase: Some(phase), ..filter };
                let mut ids = self.ids_in_status(caller, &filter, status).await?;
                if newest_first {
                    ids.reverse();
                }
                let page: Vec<JobId> = ids.iter().copied().skip(offset).take(limit).collect();
                return Ok((ids.len(), self.store.jobs_by_id(&caller.project, &page).await?));
            }
            Some((_, Some((phase, true)))) => Some(phase),
            None => None,
        };
        let filter = JobFilter { phase, ..filter };
        let total = self.store.count_jobs(&caller.project, &filter).await?;
        let range = JobRange { above: None, below: None, from_greatest: newest_first, offset, limit };
        Ok((total, self.store.jobs_in_range(&caller.project, &filter, range).await?))
    }
}
