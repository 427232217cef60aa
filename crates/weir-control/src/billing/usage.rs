//! What a change of a job or cluster begins or ends to cost. Values in, values out.

use weir_base::time::Timestamp;
use weir_store::{
    BillingMode, ClusterIntent, ClusterRecord, JobRecord, Metered, NewUsage, RunFacts, UsageChange,
};

use crate::decide;
use crate::options::Limits;

/// Returns the SPUs that a job is charged for: its own while it holds them, in the shared cluster. An exclusive one
/// is charged for as a whole, and an edge job uses none here.
fn spus_of_job(job: &JobRecord, facts: &RunFacts, now: Timestamp, limits: &Limits) -> Option<i64> {
    let held = facts.held.as_ref().filter(|held| held.is_shared() && job.deleted_at.is_none())?;
    decide::status(facts, None, now, limits).holds_spus().then_some(held.spus)
}

/// Returns the SPUs that a cluster is charged for: while it runs, those for jobs and those of its manager node.
fn spus_of_cluster(cluster: &ClusterRecord) -> Option<i64> {
    let runs = cluster.facts.running_since.is_some() && cluster.facts.intent != ClusterIntent::Delete;
    let charged = runs && cluster.billing_mode == BillingMode::PayPerUse;
    charged.then_some(cluster.definition.maximum_spu_quota + cluster.definition.manager_node_spu)
}

/// Returns what the change of a job begins or ends.
pub(crate) fn of_job(job: &JobRecord, facts: &RunFacts, now: Timestamp, limits: &Limits) -> Vec<UsageChange> {
    let holds = |facts: &RunFacts| decide::status(facts, None, now, limits).holds_spus();
    match (holds(&job.facts), holds(facts)) {
        (false, true) => begin_of_job(job, facts, now, limits),
        // Whatever is open: one that costs nothing by itself has nothing open.
        (true, false) => vec![UsageChange::End { what: Metered::Job, id: job.id.0, at: now }],
        _ => Vec::new(),
    }
}

/// Returns the beginning of the use of a job that costs as it is.
pub(super) fn begin_of_job(
    job: &JobRecord,
    facts: &RunFacts,
    now: Timestamp,
    limits: &Limits,
) -> Vec<UsageChange> {
    let begin = spus_of_job(job, facts, now, limits).map(|spus| {
        UsageChange::Begin(NewUsage {
            project: job.project.clone(),
            what: Metered::Job,
            id: job.id.0,
            name: job.definition.name.clone(),
            spus,
            at: now,
        })
    });
    begin.into_iter().collect()
}

/// Returns what the change of a cluster begins or ends. Another size ends one stretch and begins another.
pub(crate) fn of_cluster(before: &ClusterRecord, after: &ClusterRecord, now: Timestamp) -> Vec<UsageChange> {
    let (was, is) = (spus_of_cluster(before), spus_of_cluster(after));
    if was == is {
        return Vec::new();
    }
    let end = was.map(|_| UsageChange::End { what: Metered::Cluster, id: before.id.0, at: now });
    end.into_iter().chain(begin_of_cluster(after, now)).collect()
}

/// Returns the beginning of the use of a cluster that costs as it is.
pub(super) fn begin_of_cluster(cluster: &ClusterRecord, now: Timestamp) -> Vec<UsageChange> {
    let begin = spus_of_cluster(cluster).map(|spus| {
        UsageChange::Begin(NewUsage {
            project: cluster.project.clone(),
            what: Metered::Cluster,
            id: cluster.id.0,
            name: cluster.name.clone(),
            spus,
            at: now,
        })
    });
    begin.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use weir_base::id::{ClusterId, JobId, ProjectId, UserId};
    use weir_store::{ClusterDefinition, EndKind, Held, JobDefinition};

    use super::*;
    use crate::cluster::state;

    fn job(run_mode: &str) -> JobRecord {
        JobRecord {
            id: JobId(7),
            project: ProjectId("p".into()),
            user: UserId("u".into()),
            user_name: "ann".into(),
            definition: JobDefinition {
                run_mode: run_mode.into(),
                spu_number: 3,
                ..JobDefinition::default()
            },
            create_time: Timestamp(0),
            update_time: Timestamp(0),
            facts: RunFacts::default(),
            version: 0,
            deleted_at: None,
            seen_at: None,
        }
    }

    fn cluster() -> ClusterRecord {
        ClusterRecord {
            id: ClusterId(4),
            project: ProjectId("p".into()),
            user: UserId("u".into()),
            name: "c1".into(),
            vpc_id: "v".into(),
            definition: ClusterDefinition::default(),
            billing_mode: BillingMode::PayPerUse,
            paid_until: None,
            facts: state::created(Timestamp(0)),
            created_at: Timestamp(0),
            version: 0,
        }
    }

    /// The beginnings as SPUs, the ends as their time.
    fn shown(changes: &[UsageChange]) -> Vec<String> {
        let show = |change: &UsageChange| match change {
            UsageChange::Begin(new) => format!("{} SPUs from {}", new.spus, new.at),
            UsageChange::End { at, .. } => format!("end at {at}"),
        };
        changes.iter().map(show).collect()
    }

    #[test]
    fn a_job_of_the_shared_cluster_costs_from_its_run_to_its_end() {
        let limits = Limits::default();
        let draft = job("shared_cluster");
        let running = decide::run(&draft.facts, Held::of(&draft.definition), false, Timestamp(5));
        assert_eq!(shown(&of_job(&draft, &running, Timestamp(5), &limits)), ["3 SPUs from 5"]);
        let started = JobRecord { facts: running.clone(), ..draft.clone() };
        let stopping = decide::stop(&running, &decide::StopReason::StoppedBy("ann".into()), Timestamp(8));
        assert_eq!(of_job(&started, &stopping, Timestamp(8), &limits), []);
        for end in [EndKind::Cancelled, EndKind::Failed, EndKind::Finished, EndKind::SubmitFailed] {
            let ended = RunFacts { end: Some(end), ..stopping.clone() };
            assert_eq!(shown(&of_job(&started, &ended, Timestamp(9), &limits)), ["end at 9"], "{end:?}");
        }
        let stuck = RunFacts { end: Some(EndKind::CancelFailed), ..stopping };
        assert_eq!(of_job(&started, &stuck, Timestamp(9), &limits), [], "its worker is there");
        for elsewhere in ["exclusive_cluster", "edge_node"] {
            let draft = job(elsewhere);
            let running = decide::run(&draft.facts, Held::of(&draft.definition), false, Timestamp(5));
            assert_eq!(of_job(&draft, &running, Timestamp(5), &limits), []);
        }
    }

    #[test]
    fn a_cluster_costs_while_it_runs_at_its_size() {
        let new = cluster();
        let with = |facts| ClusterRecord { facts, ..new.clone() };
        let running =
            with(weir_store::ClusterFacts { running_since: Some(Timestamp(3)), ..new.facts.clone() });
        assert_eq!(shown(&of_cluster(&new, &running, Timestamp(3))), ["102 SPUs from 3"]);
        let mut larger = running.clone();
        larger.definition.maximum_spu_quota = 200;
        assert_eq!(shown(&of_cluster(&running, &larger, Timestamp(4))), ["end at 4", "202 SPUs from 4"]);
        let stopping = with(state::stopped(&running.facts, Timestamp(5)));
        assert_eq!(of_cluster(&running, &stopping, Timestamp(5)), [], "its jobs still run");
        let deleting = with(state::deleted(&running.facts, Timestamp(5)));
        assert_eq!(shown(&of_cluster(&running, &deleting, Timestamp(5))), ["end at 5"]);
        let period = ClusterRecord { billing_mode: BillingMode::Period, ..running.clone() };
        assert_eq!(shown(&of_cluster(&running, &period, Timestamp(6))), ["end at 6"]);
        assert_eq!(shown(&of_cluster(&period, &running, Timestamp(7))), ["102 SPUs from 7"]);
    }
}
