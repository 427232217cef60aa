//! Stops what accounts below 0 cannot pay, and restores it when they can.
//!
//! Both ask for the balance and for what is there, not for what has changed: a service that ended between a
//! settlement and the stop that follows from it makes up for it in its next minute.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use weir_base::error::{CsError, codes};
use weir_base::id::{ClusterId, ProjectId};
use weir_base::time::Timestamp;
use weir_cloud::identity::AssignmentTarget;
use weir_store::{BillingMode, ClusterIntent, ClusterRecord, Held, Intent, JobRecord, RunFacts, StoreError};

use crate::caller::{Caller, Role};
use crate::cluster::state::{self, ClusterStatus};
use crate::cluster::{self, Given};
use crate::control::Control;
use crate::decide;
use crate::run::{Usage, check_engine};
use crate::status::Status;

/// Longest time for all checks of a round: the reconciler waits for them, and a bucket or a topic elsewhere may not answer.
const CHECK_TIME: Duration = Duration::from_secs(10);

/// Clusters that could not be stopped or started, and why.
type Left = Vec<(ClusterId, String)>;

/// A job that may go on, or why it may not.
type Checked<'j> = (&'j JobRecord, Result<(), CsError>);

/// Accounts of projects, each looked up once.
struct Accounts<'a> {
    control: &'a Control,
    known: BTreeMap<String, Option<String>>,
    in_arrears: Vec<String>,
    /// The only account that is looked at, if not all.
    only: Option<&'a str>,
}

impl<'a> Accounts<'a> {
    async fn read(control: &'a Control, only: Option<&'a str>) -> Result<Self, StoreError> {
        let mut accounts = Self { control, known: BTreeMap::new(), in_arrears: Vec::new(), only };
        accounts.read_balances().await?;
        Ok(accounts)
    }

    /// Reads who owes now.
    async fn read_balances(&mut self) -> Result<(), StoreError> {
        // An installation that does not meter asks nobody to pay.
        if self.control.options.billing.is_some() {
            self.in_arrears = self.control.store.accounts_in_arrears().await?;
        }
        Ok(())
    }

    /// Whether the account of a project owes; `None` when it is not looked at or cannot be looked up.
    async fn owes(&mut self, project: &ProjectId) -> Option<bool> {
        if !self.known.contains_key(&project.0) {
            let account = self.control.account_of(&project.0).await;
            self.known.insert(project.0.clone(), account);
        }
        self.known_to_owe(project)
    }

    /// As [`Self::owes`], without looking for anything elsewhere: `None` also for an account that was not looked up before.
    fn known_to_owe(&self, project: &ProjectId) -> Option<bool> {
        let account = self.known.get(&project.0)?.as_deref()?;
        let looked_at = self.only.is_none_or(|only| only == account);
        looked_at.then(|| self.in_arrears.iter().any(|owing| owing == account))
    }
}

impl Control {
    /// Stops the jobs and clusters of accounts that owe. Returns the clusters that could not be stopped.
    pub(crate) async fn stop_unpaid(&self, only: Option<&str>, now: Timestamp) -> Result<Left, StoreError> {
        let mut accounts = Accounts::read(self, only).await?;
        let mut left = Vec::new();
        if accounts.in_arrears.is_empty() {
            return Ok(left);
        }
        let mut standing_still = BTreeSet::new();
        for cluster in self.store.all_clusters().await? {
            if cluster.facts.intent == ClusterIntent::Freeze {
                standing_still.insert(cluster.id.0);
            }
            if !can_be_stopped(&cluster) || accounts.owes(&cluster.project).await != Some(true) {
                continue;
            }
            match self.freeze_cluster(&cluster, now).await {
                Ok(()) => tracing::warn!(cluster_id = %cluster.id, "cluster stopped, its account owes"),
                // Somebody else was faster, here and below; the next round sees what it is like then.
                Err(StoreError::Conflict) => {}
                Err(error) => left.push((cluster.id, error.to_string())),
            }
        }
        for job in self.store.jobs_with_runs().await? {
            let Some(held) = self.held_by(&job) else { continue };
            let costs = match held.cluster_id {
                // One that could not be stopped together with its cluster.
                Some(id) => standing_still.contains(&id),
                None => held.is_shared(),
            };
            if !costs || !self.is_to_freeze(&job) || accounts.owes(&job.project).await != Some(true) {
                continue;
            }
            match self.write_facts(&[(&job, decide::freeze(&job.facts, now))], &[]).await {
                Ok(()) => tracing::warn!(job_id = %job.id, "job stopped, its account owes"),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        self.changed.notify_one();
        Ok(left)
    }

    fn is_to_freeze(&self, job: &JobRecord) -> bool {
        match self.status_of(job) {
            // Its worker is being ended.
            _ if job.deleted_at.is_some() => false,
            Status::Submitting | Status::Running => true,
            // One that is to stop with its savepoint does so by itself.
            Status::Savepointing => job.facts.savepoint.ask.as_ref().is_some_and(|ask| !ask.stop),
            // What its user stopped is to be stopped, not to go on later.
            Status::CancelFail => job.facts.intent == Intent::Freeze,
            _ => false,
        }
    }

    async fn freeze_cluster(&self, cluster: &ClusterRecord, now: Timestamp) -> Result<(), StoreError> {
        let jobs = self.jobs_holding_spus_of(cluster.id).await?;
        let frozen: Vec<(&JobRecord, RunFacts)> = jobs
            .iter()
            .filter(|job| self.is_to_freeze(job))
            .map(|job| (job, decide::freeze(&job.facts, now)))
            .collect();
        self.write_cluster(cluster, &state::frozen(&cluster.facts, now), &frozen, &[]).await
    }

    /// Lets go on what stands still in arrears and whose account owes no longer. Returns the clusters that could not
    /// be started. A job of a cluster goes on when its cluster runs.
    pub(crate) async fn restore_paid(&self, only: Option<&str>, now: Timestamp) -> Result<Left, StoreError> {
        let frozen = self.store.frozen_jobs().await?;
        self.turns.keep_only(&frozen);
        let clusters = self.store.all_clusters().await?;
        if frozen.is_empty() && !clusters.iter().any(stands_still) {
            return Ok(Vec::new());
        }
        let mut accounts = Accounts::read(self, only).await?;
        // All that is looked up elsewhere is looked up before others have to wait.
        for cluster in clusters.iter().filter(|cluster| stands_still(cluster)) {
            accounts.owes(&cluster.project).await;
        }
        let checked = self.check_frozen(&frozen, &clusters, &mut accounts).await;
        self.restore_checked(checked, accounts, now).await
    }

    /// Lets go on what was checked, and clusters.
    async fn restore_checked(
        &self,
        checked: Vec<Checked<'_>>,
        mut accounts: Accounts<'_>,
        now: Timestamp,
    ) -> Result<Left, StoreError> {
        // What goes on takes room, as what users run does.
        let _gate = self.gate.lock().await;
        // The checks took their time, and who owes again by now must start nothing.
        accounts.read_balances().await?;
        let mut left = Vec::new();
        let mut clusters = self.store.all_clusters().await?;
        for index in 0..clusters.len() {
            let cluster = &clusters[index];
            if !stands_still(cluster) || accounts.known_to_owe(&cluster.project) != Some(false) {
                continue;
            }
            match self.restore_cluster(cluster, &clusters, now).await {
                Ok(Some(restored)) => {
                    tracing::info!(cluster_id = %restored.id, "cluster runs again, its account was topped up");
                    clusters[index] = restored;
                }
                // Its user was faster, and restarts or deletes it.
                Ok(None) => {}
                Err(reason) => left.push((cluster.id, reason)),
            }
        }
        let mut usage = Usage::of(&self.store.jobs_with_runs().await?, self);
        usage.cluster_quotas = cluster::quotas(&clusters);
        for (job, check) in checked {
            if may_go_on(job, &clusters) && accounts.known_to_owe(&job.project) == Some(false) {
                self.restore_job(job, check, &mut usage, now).await?;
            }
        }
        self.changed.notify_one();
        Ok(left)
    }

    /// Checks the jobs that may go on now as a run of them does: they may have been changed while they stood still. This is
    /// done before others have to wait, and a job that is changed meanwhile has another version. What cannot be checked now is
    /// left for the next round.
    async fn check_frozen<'j>(
        &self,
        frozen: &'j [JobRecord],
        clusters: &[ClusterRecord],
        accounts: &mut Accounts<'_>,
    ) -> Vec<Checked<'j>> {
        let mut due = Vec::new();
        for job in frozen {
            if may_go_on(job, clusters) && accounts.owes(&job.project).await == Some(false) {
                due.push(job);
            }
        }
        let time = tokio::time::sleep(CHECK_TIME);
        let mut checked = self.turns.round(due, time, |job| self.check_now(job)).await;
        // There may be room for some of them only: whoever was there first, not whoever was checked first.
        checked.sort_by_key(|(job, _)| job.id);
        checked
    }

    async fn check_now<'j>(&self, job: &'j JobRecord) -> Option<Checked<'j>> {
        match self.check_goes_on(job).await {
            Err(error) if may_pass(&error) => {
                let reason = error.cause();
                tracing::warn!(job_id = %job.id, reason, "a job in arrears cannot be checked, will retry");
                None
            }
            result => Some((job, result)),
        }
    }

    async fn check_goes_on(&self, job: &JobRecord) -> Result<(), CsError> {
        let owner = Caller {
            user: job.user.clone(),
            user_name: job.user_name.clone(),
            audit_name: job.user_name.clone(),
            project: job.project.clone(),
            role: self.role_of_owner(job).await?,
            request_id: String::new(),
            source_ip: String::new(),
        };
        self.check_definition(&owner, job, false).await
    }

    /// Returns what the owner of a job may do. Where the job ran it may go on: an administrator may have run it there.
    async fn role_of_owner(&self, job: &JobRecord) -> Result<Role, CsError> {
        let ran_in = job.facts.held.as_ref().and_then(|held| held.cluster_id);
        if ran_in == Held::of(&job.definition).cluster_id {
            return Ok(Role::Administrator);
        }
        let unknown = |reason: String| codes::IAM_REQUEST_FAILED.error().because(reason);
        let Some(domain) = self.account_of(&job.project.0).await else {
            return Err(unknown("The account of the project cannot be looked up.".to_string()));
        };
        let mut names = Vec::new();
        for target in [AssignmentTarget::Project(job.project.0.clone()), AssignmentTarget::Domain(domain)] {
            let roles = self.identity.assigned_roles(&job.user.0, &target).await;
            names.extend(
                roles.map_err(|error| unknown(format!("{error}.")))?.into_iter().map(|role| role.name),
            );
        }
        Ok(Role::strongest(names))
    }

    /// Returns the cluster as it is then, `None` when it was changed at the same moment, or why it is not started.
    async fn restore_cluster(
        &self,
        cluster: &ClusterRecord,
        clusters: &[ClusterRecord],
        now: Timestamp,
    ) -> Result<Option<ClusterRecord>, String> {
        Given::to(clusters, Some(cluster.id))
            .admit_spus(cluster.definition.maximum_spu_quota, &self.options.clusters)
            .map_err(|error: CsError| error.cause())?;
        let facts = state::restarted(&cluster.facts, now);
        match self.write_cluster(cluster, &facts, &[], &[]).await {
            Ok(()) => Ok(Some(ClusterRecord { facts, version: cluster.version + 1, ..cluster.clone() })),
            Err(StoreError::Conflict) => Ok(None),
            Err(error) => Err(format!("{error}.")),
        }
    }

    async fn restore_job(
        &self,
        job: &JobRecord,
        check: Result<(), CsError>,
        usage: &mut Usage,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let quotas = self.store.spu_quotas(&job.project).await?;
        let admitted = check
            .and_then(|()| check_engine(&job.definition))
            .and_then(|()| usage.take(job, quotas.get(&job.user).copied(), self));
        let facts = match admitted {
            Ok(()) => decide::recover(&job.facts, Held::of(&job.definition), now),
            Err(refusal) => decide::not_recovered(&job.facts, &refusal.cause(), now),
        };
        match self.write_facts(&[(job, facts)], &[]).await {
            // Its user was faster and runs or deletes it.
            Err(StoreError::Conflict) => Ok(()),
            other => other,
        }
    }
}

/// Whether a cluster runs, or will in a moment, and is not paid for in advance.
fn can_be_stopped(cluster: &ClusterRecord) -> bool {
    let status = state::status(&cluster.facts);
    let runs = matches!(status, ClusterStatus::Running | ClusterStatus::Updating | ClusterStatus::Starting);
    runs && cluster.billing_mode == BillingMode::PayPerUse
}

/// Whether a cluster stands still because its account owes.
fn stands_still(cluster: &ClusterRecord) -> bool {
    state::status(&cluster.facts) == ClusterStatus::ArrearageStopped
}

/// Whether it is no fault of a job that it cannot be checked: something does not answer.
fn may_pass(error: &CsError) -> bool {
    [codes::BACKEND_INTERNAL_ERROR, codes::INTERNAL_ERROR, codes::IAM_REQUEST_FAILED].contains(&error.code)
}

/// Whether what a job ran in is there.
fn may_go_on(job: &JobRecord, clusters: &[ClusterRecord]) -> bool {
    if job.definition.run_mode == "shared_cluster" {
        return true;
    }
    let Some(id) = job.definition.cluster_id else { return false };
    clusters.iter().any(|c| c.id.0 == id && state::status(&c.facts) == ClusterStatus::Running)
}

#[cfg(test)]
mod tests {
    use weir_base::money::Money;
    use weir_store::{Book, EndKind, EntryKind, JobDefinition, NewEntry, Posting, RunFacts};

    use super::*;
    use crate::billing::BillingOptions;
    use crate::create::new_job;
    use crate::options::ControlOptions;
    use crate::{audit, success, testing};

    async fn charge(control: &Control, project: &ProjectId, micros: i64) {
        let posting = |book, micros| Posting { book, amount: Money::from_micros(micros), subject: None };
        let entry = NewEntry {
            domain: project.0.clone(),
            kind: EntryKind::Usage,
            note: String::new(),
            booked_at: Timestamp(1),
            postings: vec![posting(Book::Revenue, micros), posting(Book::Balance, -micros)],
        };
        control.store.book(&entry, &[]).await.unwrap();
    }

    #[tokio::test]
    async fn what_owes_again_while_it_is_checked_does_not_go_on() {
        let place = tempfile::tempdir().unwrap();
        let billing = Some(BillingOptions::default());
        let options = ControlOptions { billing, ..ControlOptions::default() };
        let control = testing::control(place.path(), options).await;
        let owner = Caller {
            user: weir_base::id::UserId("u1".to_string()),
            user_name: "ann".to_string(),
            audit_name: "ann".to_string(),
            project: ProjectId("p1".to_string()),
            role: Role::Administrator,
            request_id: String::new(),
            source_ip: String::new(),
        };
        let definition = JobDefinition {
            run_mode: "shared_cluster".to_string(),
            spu_number: 2,
            ..JobDefinition::default()
        };
        let subject = audit::Subject { resource_type: "job", id: "", name: "" };
        let record = audit::of_success(&owner, "createJob", subject, success::JOB_CREATED, Timestamp(1));
        let new = new_job(&owner, definition.clone(), Timestamp(1));
        let id = control.store.create_job(&new, 100, record).await.unwrap();
        let job = control.store.job(&owner.project, id).await.unwrap().unwrap();
        let facts = RunFacts {
            intent: Intent::Freeze,
            end: Some(EndKind::Frozen),
            held: Some(Held::of(&definition)),
            ..RunFacts::default()
        };
        control.store.update_facts(&[(&job, facts)], &[], &[], &[]).await.unwrap();
        let intent = async || control.store.job(&owner.project, id).await.unwrap().unwrap().facts.intent;
        for owes_again in [true, false] {
            let frozen = control.store.frozen_jobs().await.unwrap();
            let mut accounts = Accounts::read(&control, None).await.unwrap();
            assert_eq!(accounts.owes(&owner.project).await, Some(false));
            // As its checks have ended, somebody is charged.
            let change = if owes_again { 5 } else { -5 };
            charge(&control, &owner.project, change).await;
            let checked = vec![(&frozen[0], Ok(()))];
            control.restore_checked(checked, accounts, Timestamp(9)).await.unwrap();
            let expected = if owes_again { Intent::Freeze } else { Intent::Recover };
            assert_eq!(intent().await, expected);
            charge(&control, &owner.project, -10).await;
        }
    }
}
