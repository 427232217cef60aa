//! Settles what was used, and says at the start of the service what goes on.

use std::collections::BTreeMap;

use weir_base::id::JobId;
use weir_base::time::Timestamp;
use weir_store::{BillingMode, ClusterRecord, Metered, StoreError, UsageChange, UsageRecord};

use super::{settlement, usage};
use crate::cluster::of_expiry;
use crate::control::Control;

/// Somebody else settles at the same moment only when a caller asks for it just then.
const ATTEMPTS: usize = 5;

impl Control {
    /// Takes up metering where the last service process left it. Jobs whose workers went on without the service
    /// ran meanwhile; the others did not and are not charged for that time. A service that does not meter forgets
    /// what it has not charged for.
    pub(crate) async fn begin_metering(&self, adopted: &[JobId]) -> Result<(), StoreError> {
        let now = self.now();
        if self.options.billing.is_none() {
            return self.store.stop_metering().await;
        }
        let Some(settled_at) = self.store.settled_at().await? else {
            // Nothing was metered until now.
            self.store.stop_metering().await?;
            return self.meter_what_runs(now).await;
        };
        let mut ends = Vec::new();
        for used in self.store.unsettled_usage().await? {
            let went_on = used.what == Metered::Cluster || adopted.contains(&JobId(used.id));
            if used.ended_at.is_none() && !went_on {
                // What ran after the last settlement is not known, at most a minute.
                ends.push(UsageChange::End { what: used.what, id: used.id, at: settled_at });
            }
        }
        self.store.change_usage(&ends).await?;
        self.meter_what_runs(now).await
    }

    /// Begins the use of everything that costs and is not metered.
    async fn meter_what_runs(&self, now: Timestamp) -> Result<(), StoreError> {
        let limits = &self.options.limits;
        let jobs = self.store.jobs_with_runs().await?;
        let clusters = self.store.all_clusters().await?;
        let begins: Vec<UsageChange> = jobs
            .iter()
            .flat_map(|job| usage::begin_of_job(job, &job.facts, now, limits))
            .chain(clusters.iter().flat_map(|cluster| usage::begin_of_cluster(cluster, now)))
            .collect();
        self.store.change_usage(&begins).await?;
        // From here on the service meters, whatever happens to it before the first settlement.
        self.settle(now).await
    }

    /// Lets clusters whose subscription has ended be paid for by use, from its end.
    async fn end_subscriptions(&self, now: Timestamp) -> Result<(), StoreError> {
        for cluster in self.store.all_clusters().await? {
            let Some(end) = cluster.paid_until.filter(|end| *end <= now) else { continue };
            let after = ClusterRecord { billing_mode: BillingMode::PayPerUse, ..cluster.clone() };
            let began = cluster.facts.running_since.map_or(end, |since| since.max(end));
            let usage = self.usage_of_cluster(&cluster, &after, began);
            let audit = of_expiry(&cluster, now);
            let mode = (BillingMode::PayPerUse, None);
            match self.store.set_billing_mode(&cluster, mode, None, &audit, &usage).await {
                Ok(()) => tracing::info!(cluster_id = %cluster.id, "the subscription of a cluster has ended"),
                // Somebody else changed it just now; it is for the next settlement.
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Charges for all that was used until `now`. Repeating it charges nothing twice.
    pub(crate) async fn settle(&self, now: Timestamp) -> Result<(), StoreError> {
        self.end_subscriptions(now).await?;
        let Some(options) = &self.options.billing else { return Ok(()) };
        for _ in 0..ATTEMPTS {
            let used = self.with_accounts(self.store.unsettled_usage().await?).await;
            let settlement = settlement::settle(&used, options.price, now);
            match self.store.settle(&settlement.entries, &settlement.marks, now).await {
                Err(StoreError::Conflict) => {}
                other => return other,
            }
        }
        Err(StoreError::Conflict)
    }

    /// Finds who pays. What belongs to a project that cannot be looked up now is settled the next time.
    async fn with_accounts(&self, used: Vec<UsageRecord>) -> Vec<(String, UsageRecord)> {
        let mut accounts: BTreeMap<String, Option<String>> = BTreeMap::new();
        let mut known = Vec::new();
        for usage in used {
            let project = usage.project.0.clone();
            if !accounts.contains_key(&project) {
                accounts.insert(project.clone(), self.account_of(&project).await);
            }
            if let Some(Some(account)) = accounts.get(&project) {
                known.push((account.clone(), usage));
            }
        }
        known
    }

    /// Returns the account (domain) of a project, `None` when it cannot be looked up.
    pub(crate) async fn account_of(&self, project: &str) -> Option<String> {
        match self.identity.project(project).await {
            Ok(Some(project)) => Some(project.domain_id),
            // A project that is gone: what it used is kept apart.
            Ok(None) => Some(project.to_string()),
            Err(error) => {
                tracing::error!(%error, project, "the account of a project could not be looked up, will retry");
                None
            }
        }
    }
}
