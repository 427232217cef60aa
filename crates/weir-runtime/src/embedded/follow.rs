//! Follows the running job of a worker to its end: carries out what the service asks for, and tells it how the job is.

use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use weir_base::clock::Clock;
use weir_base::savepoint::SavepointOutcome;
use weir_base::time::{Timestamp, millis};
use weir_engine::job::{JobHandle, Outcome};

use super::protocol::Command;
use super::savepoints::{Prepared, Savepoints};
use crate::launch::Launched;
use crate::{JobMetrics, Observation, OperatorMetrics, RunState};

/// How often a running worker tells its counters.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);

/// Follows a running job to its end. Returns the final state.
pub(super) async fn follow(
    launched: &Launched,
    savepoints: &Savepoints<'_>,
    commands: &mut mpsc::Receiver<Command>,
    observation: &mut Observation,
    observations: &watch::Sender<Observation>,
    clock: &dyn Clock,
) -> RunState {
    let handle = &launched.handle;
    let mut report = tokio::time::interval(REPORT_INTERVAL);
    let mut last_ask = None;
    let mut writing: Option<BoxFuture<'_, SavepointOutcome>> = None;
    // A bucket that does not answer holds up neither the reports nor another command.
    let mut preparing: Option<BoxFuture<'_, Result<Prepared, SavepointOutcome>>> = None;
    let mut at_end = None;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
    let outcome = loop {
        let terminated = async {
            match &mut terminate {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        let written = async {
            match &mut writing {
                Some(writing) => writing.await,
                None => std::future::pending().await,
            }
        };
        let prepared = async {
            match &mut preparing {
                Some(preparing) => preparing.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            outcome = launched.wait() => break outcome,
            prepared = prepared => {
                preparing = None;
                match prepared {
                    Ok(prepared) => {
                        at_end = Some(prepared);
                        handle.suspend().await;
                    }
                    Err(outcome) => {
                        observation.savepoint = Some(outcome);
                        observations.send_replace(observation.clone());
                    }
                }
            }
            outcome = written => {
                writing = None;
                observation.savepoint = Some(outcome);
                observations.send_replace(observation.clone());
            }
            Some(command) = commands.recv() => match command {
                Command::Stop => handle.cancel(),
                Command::Suspend => handle.suspend().await,
                // Has been taken by who reads from the socket.
                Command::Reach(_) => {}
                // The service repeats what it has no answer to yet.
                Command::Savepoint(ask) if last_ask == Some(ask.at) => {}
                Command::Savepoint(ask) => {
                    last_ask = Some(ask.at);
                    if ask.stop {
                        preparing = Some(Box::pin(savepoints.prepare(ask)));
                    } else {
                        writing = Some(Box::pin(savepoints.write(ask)));
                    }
                }
            },
            _ = terminated => handle.suspend().await,
            _ = report.tick() => {
                observation.metrics = job_metrics(handle, clock.now());
                observation.at = clock.now();
                observations.send_replace(observation.clone());
            }
        }
    };
    observation.metrics = job_metrics(handle, clock.now());
    if let (Some(prepared), Outcome::Suspended) = (at_end, &outcome) {
        let finish = savepoints.finish(prepared);
        observation.savepoint = Some(while_alive(finish, commands, observation, observations, clock).await);
    }
    match outcome {
        Outcome::Finished => RunState::Finished,
        // Whoever still wants the job to run takes a suspended one up where it stopped.
        Outcome::Cancelled | Outcome::Suspended => RunState::Stopped,
        Outcome::Failed(reason) => RunState::Failed(reason),
    }
}

/// Waits for what may take longer than a worker may be silent, and tells the service meanwhile that it is alive. What the
/// service asks for comes too late for a job that has ended; it is taken, so that the service finds the socket read.
async fn while_alive<T>(
    work: impl Future<Output = T>,
    commands: &mut mpsc::Receiver<Command>,
    observation: &mut Observation,
    observations: &watch::Sender<Observation>,
    clock: &dyn Clock,
) -> T {
    let mut work = std::pin::pin!(work);
    let mut report = tokio::time::interval(REPORT_INTERVAL);
    loop {
        tokio::select! {
            done = &mut work => return done,
            Some(_) = commands.recv() => {}
            _ = report.tick() => {
                observation.at = clock.now();
                observations.send_replace(observation.clone());
            }
        }
    }
}

/// Returns the counters of a job as the service knows them.
fn job_metrics(handle: &JobHandle, now: Timestamp) -> JobMetrics {
    let checkpoints = handle.checkpoint_metrics();
    let operators = handle
        .metrics()
        .into_iter()
        .map(|node| OperatorMetrics {
            id: node.id,
            name: node.name,
            kind: node.kind.to_string(),
            records_in: node.records_in,
            records_out: node.records_out,
            bytes: node.bytes,
            dirty: node.dirty,
            late: node.late,
            watermark: node.watermark,
            lag_ms: node.watermark.map(|watermark| now.0.saturating_sub(watermark)),
            state_bytes: node.state_bytes,
            busy_ms: u64::try_from(node.busy.as_millis()).unwrap_or(u64::MAX),
            backpressured_ms: u64::try_from(node.backpressured.as_millis()).unwrap_or(u64::MAX),
            rate: node.rate,
        })
        .collect();
    JobMetrics {
        operators,
        checkpoints: checkpoints.completed,
        checkpoint_duration_ms: u64::try_from(millis(checkpoints.duration)).unwrap_or(0),
        checkpoint_bytes: checkpoints.bytes,
        checkpoint_epoch: checkpoints.epoch,
    }
}

#[cfg(test)]
mod tests {
    use weir_base::clock::SystemClock;

    use super::*;

    #[tokio::test]
    async fn a_worker_that_waits_tells_that_it_is_alive() {
        let mut observation = Observation::starting(1, Timestamp(0), None);
        let (observations, mut observed) = watch::channel(observation.clone());
        let (_sender, mut commands) = mpsc::channel(1);
        // Never ready unless something is told meanwhile.
        let work = async { observed.changed().await.is_ok() };
        assert!(while_alive(work, &mut commands, &mut observation, &observations, &SystemClock).await);
        assert_ne!(observation.at, Timestamp(0));
    }

    #[tokio::test]
    async fn a_worker_that_waits_takes_what_the_service_repeats() {
        let mut observation = Observation::starting(1, Timestamp(0), None);
        let (observations, _observed) = watch::channel(observation.clone());
        let (sender, mut commands) = mpsc::channel(1);
        let work = async {
            for _ in 0..6 {
                sender.send(Command::Stop).await.unwrap();
            }
        };
        let waited = while_alive(work, &mut commands, &mut observation, &observations, &SystemClock);
        tokio::time::timeout(Duration::from_secs(60), waited).await.expect("nobody takes the commands");
    }
}
