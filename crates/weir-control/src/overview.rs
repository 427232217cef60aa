//! Totals of a project.

use std::time::Duration;

use weir_base::error::{CsError, codes};
use weir_base::money::Money;
use weir_base::time::Timestamp;
use weir_store::{BillingFilter, BillingMode, Held, JobFilter, StoreError};

use crate::billing::{Unit, pricing};
use crate::caller::Caller;
use crate::cluster::{self, ClusterStatus};
use crate::control::Control;
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
    /// What the running ones have cost since they started.
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
    /// All charges of the project.
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
    /// Adds one that runs: its SPUs, since when, and the SPUs that are charged for it.
    fn add_running(&mut self, spus: i64, since: Option<Timestamp>, charged: i64, control: &Control) {
        let time = since.map_or(Duration::ZERO, |since| control.now().since(since));
        self.running += 1;
        self.spus += spus;
        self.hours += time.as_secs_f64() / HOUR.as_secs_f64();
        self.charge += control.price(charged, time);
        self.price += control.price(charged, HOUR);
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
        let charged = self.store.count_charges(&caller.project, &BillingFilter::default()).await;
        let (_, total_cost) = charged.map_err(unreadable)?;
        Ok(Overview { total_cost: total_cost.as_f64(), jobs, clusters, unit: self.billing_unit() })
    }

    async fn totals_of_jobs(&self, caller: &Caller) -> Result<Totals, StoreError> {
        let mut totals = Totals::default();
        for job in self.store.jobs(&caller.project, &JobFilter::default()).await? {
            totals.all += 1;
            match self.status_of(&job) {
                Status::Running => {
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
        Ok(totals)
    }

    async fn totals_of_clusters(&self, caller: &Caller) -> Result<Totals, StoreError> {
        let mut totals = Totals::default();
        for cluster in self.store.clusters(&caller.project).await? {
            totals.all += 1;
            match cluster::state::status(&cluster.facts) {
                ClusterStatus::Running => {
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
        Ok(totals)
    }

    /// Returns what SPUs cost for a time; nothing, where nothing is metered.
    fn price(&self, spus: i64, time: Duration) -> f64 {
        let price = self.options.billing.as_ref().map_or(Money::ZERO, |billing| billing.price);
        pricing::charge(price, spus, time, 0).0.as_f64()
    }
}
