//! Totals of a project.

use std::time::Duration;

use weir_base::error::{CsError, codes};
use weir_base::id::ProjectId;
use weir_base::money::Money;
use weir_base::time::Timestamp;
use weir_store::{BillingMode, Held, JobFilter, Metered, StoreError, UsageRecord};

use crate::billing::{Unit, pricing};
use crate::caller::Caller;
use crate::cluster::{self, ClusterStatus};
use crate::control::Control;
use crate::decide;
use crate::status::Status;

/// Totals of jobs or of clusters.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// All.
    pub all: usize,
    /// Running.
    pub running: usize,
    /// Finished; only jobs finish.
    pub finished: usize,
    /// Failed.
    pub exception: usize,
    /// The rest.
    pub other: usize,
    /// What the use of the running ones has cost since they were run, restarts after failures included.
    pub charge: f64,
    /// What they cost in an hour.
    pub price: f64,
    /// Their SPUs.
    pub spus: i64,
    /// Their running time together, in hours.
    pub hours: f64,
}

/// Totals of a project.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Overview {
    /// All charges of the project, with those that are not settled yet.
    pub total_cost: f64,
    /// Jobs.
    pub jobs: Totals,
    /// Exclusive clusters.
    pub clusters: Totals,
    /// Unit of charges and prices.
    pub unit: Unit,
}

const HOUR: Duration = Duration::from_secs(3_600);

impl Totals {
    /// Adds one that runs: its SPUs, since when, and the SPUs that are charged for it now.
    fn add_running(&mut self, spus: i64, since: Option<Timestamp>, charged: i64, control: &Control) {
        let time = since.map_or(Duration::ZERO, |since| control.now().since(since));
        self.running += 1;
        self.spus += spus;
        self.hours += time.as_secs_f64() / HOUR.as_secs_f64();
        self.price += pricing::per_hour(control.present_price(), charged).as_f64();
    }
}

impl Control {
    /// Returns the totals of the caller's project.
    pub async fn overview(&self, caller: &Caller) -> Result<Overview, CsError> {
        let unreadable = |error: StoreError| {
            tracing::error!(%error, "the overview could not be computed");
            codes::QUERY_OVERVIEW_FAILED.error().because(format!("{error}."))
        };
        let jobs = self.totals_of_jobs(caller).await.map_err(unreadable)?;
        let clusters = self.totals_of_clusters(caller).await.map_err(unreadable)?;
        let total_cost = self.total_cost(&caller.project).await.map_err(unreadable)?;
        Ok(Overview { total_cost: total_cost.as_f64(), jobs, clusters, unit: self.billing_unit() })
    }

    async fn totals_of_jobs(&self, caller: &Caller) -> Result<Totals, StoreError> {
        let mut totals = Totals::default();
        let mut runs = Vec::new();
        let (now, limits) = (self.now(), &self.options.limits);
        for job in self.store.job_states(&caller.project, &JobFilter::default()).await? {
            totals.all += 1;
            match decide::status(&job.facts, job.seen_at, now, limits) {
                Status::Running => {
                    runs.push((job.id.0, job.facts.intent_at));
                    let held = job.facts.held.as_ref();
                    let spus = held.map_or(0, |held| held.spus);
                    // An exclusive cluster is charged for as a whole.
                    let charged = if held.is_some_and(Held::is_shared) { spus } else { 0 };
                    totals.add_running(spus, job.facts.running_since, charged, self);
                }
                Status::Finish => totals.finished += 1,
                status if status.is_failure() => totals.exception += 1,
                _ => totals.other += 1,
            }
        }
        totals.charge = self.charge_of_runs(&caller.project, Metered::Job, &runs).await?.as_f64();
        Ok(totals)
    }

    async fn totals_of_clusters(&self, caller: &Caller) -> Result<Totals, StoreError> {
        let mut totals = Totals::default();
        let mut runs = Vec::new();
        for cluster in self.store.clusters(&caller.project).await? {
            totals.all += 1;
            match cluster::state::status(&cluster.facts) {
                ClusterStatus::Running => {
                    runs.push((cluster.id.0, cluster.facts.intent_at));
                    let spus = cluster.definition.maximum_spu_quota;
                    let charged = match cluster.billing_mode {
                        BillingMode::PayPerUse => spus + cluster.definition.manager_node_spu,
                        // It is paid for already.
                        BillingMode::Period => 0,
                    };
                    totals.add_running(spus, cluster.facts.running_since, charged, self);
                }
                ClusterStatus::CreateFail | ClusterStatus::DeleteFail => totals.exception += 1,
                _ => totals.other += 1,
            }
        }
        totals.charge = self.charge_of_runs(&caller.project, Metered::Cluster, &runs).await?.as_f64();
        Ok(totals)
    }

    /// Returns all that a project has cost until now: what is in the ledger, and what will be. It is never less than what of it
    /// runs has cost.
    async fn total_cost(&self, project: &ProjectId) -> Result<Money, StoreError> {
        let mut sum = self.store.charged(project).await?;
        if self.options.billing.is_some() {
            for used in self.store.unsettled_usage_of(project).await? {
                sum = sum + self.unsettled_charge(&used);
            }
        }
        Ok(sum)
    }

    /// Returns what the use of jobs or clusters has cost since each was run: what is in the ledger, and what will be.
    async fn charge_of_runs(
        &self,
        project: &ProjectId,
        what: Metered,
        runs: &[(i64, Timestamp)],
    ) -> Result<Money, StoreError> {
        if self.options.billing.is_none() {
            return Ok(Money::ZERO);
        }
        let is_of_run = |id: i64, begin: Timestamp| runs.iter().any(|run| run.0 == id && run.1 <= begin);
        let ids: Vec<i64> = runs.iter().map(|(id, _)| *id).collect();
        let mut sum = Money::ZERO;
        for used in self.store.charges_of_use(what, &ids).await? {
            if is_of_run(used.id, used.begin) {
                sum = sum + used.charge;
            }
        }
        for used in self.store.unsettled_usage_of(project).await? {
            if used.what == what && is_of_run(used.id, used.begun_at) {
                sum = sum + self.unsettled_charge(&used);
            }
        }
        Ok(sum)
    }

    /// Returns what a settlement would charge for use now.
    fn unsettled_charge(&self, used: &UsageRecord) -> Money {
        let until = used.ended_at.unwrap_or(self.now()).max(used.settled_until);
        let time = until.since(used.settled_until);
        pricing::charge(self.present_price(), used.spus, time, used.remainder).0
    }

    /// Returns what an SPU costs in an hour; nothing, where nothing is metered.
    fn present_price(&self) -> Money {
        self.options.billing.as_ref().map_or(Money::ZERO, |billing| billing.price)
    }
}
