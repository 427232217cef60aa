//! How the store finds the jobs of a status, which is computed and nothing that it could look for.

use weir_store::{EndKind, RunPhase};

use crate::status::Status;

/// Returns the phase of the jobs that can have a status, and whether the phase tells all: else what was seen of a job, and when,
/// decides. `None` for a status that no job has.
pub(crate) fn of_status(status: Status) -> Option<(RunPhase, bool)> {
    let ended = |kind| Some((RunPhase::Ended(kind), true));
    match status {
        Status::Init => Some((RunPhase::Draft, true)),
        Status::Submitting | Status::Running | Status::Savepointing | Status::ArrearageRecovering => {
            Some((RunPhase::UnderWay, false))
        }
        Status::Canceling => Some((RunPhase::Stopping, true)),
        Status::SubmitFail => ended(EndKind::SubmitFailed),
        Status::RunningException => ended(EndKind::Failed),
        Status::CancelSuccess => ended(EndKind::Cancelled),
        Status::CancelFail => ended(EndKind::CancelFailed),
        Status::Finish => ended(EndKind::Finished),
        Status::ArrearageStopped => ended(EndKind::Frozen),
        Status::Downloading | Status::Idle => None,
    }
}

#[cfg(test)]
mod tests {
    use weir_base::savepoint::{SavepointAsk, SavepointPlace};
    use weir_base::time::Timestamp;
    use weir_store::{Intent, RunFacts};

    use super::*;
    use crate::decide;
    use crate::options::Limits;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn phase_of(facts: &RunFacts) -> RunPhase {
        match (facts.intent, facts.end) {
            (Intent::Draft, _) => RunPhase::Draft,
            (_, Some(end)) => RunPhase::Ended(end),
            (Intent::Stop | Intent::Freeze, None) => RunPhase::Stopping,
            (Intent::Run | Intent::Recover, None) => RunPhase::UnderWay,
        }
    }

    /// Every intent with every end, seen and unseen, with and without a savepoint that is asked for.
    fn all_facts() -> Vec<RunFacts> {
        let ends = [
            None,
            Some(EndKind::SubmitFailed),
            Some(EndKind::Failed),
            Some(EndKind::Finished),
            Some(EndKind::Cancelled),
            Some(EndKind::CancelFailed),
            Some(EndKind::Frozen),
        ];
        let place = SavepointPlace { bucket: None, path: "p".to_string() };
        let ask = SavepointAsk { at: NOW, place, stop: true };
        let asking = decide::savepoint(&RunFacts::default(), ask, "ann");
        let mut all = Vec::new();
        for intent in [Intent::Draft, Intent::Run, Intent::Stop, Intent::Freeze, Intent::Recover] {
            for end in ends {
                for (running_since, facts) in [
                    (None, RunFacts::default()),
                    (Some(NOW), RunFacts::default()),
                    (Some(NOW), asking.clone()),
                ] {
                    all.push(RunFacts { intent, end, running_since, ..facts });
                }
            }
        }
        all
    }

    #[test]
    fn a_job_has_a_status_of_its_phase_and_one_that_tells_all_is_the_only_one() {
        for facts in all_facts() {
            for seen_at in [None, Some(NOW)] {
                let status = decide::status(&facts, seen_at, NOW, &Limits::default());
                let (phase, tells_all) = of_status(status).unwrap();
                assert_eq!(phase, phase_of(&facts), "{}", status.name());
                let same_phase =
                    Status::all().filter(|other| of_status(*other).is_some_and(|(other, _)| other == phase));
                assert_eq!(tells_all, same_phase.count() == 1, "{}", status.name());
            }
        }
    }
}
