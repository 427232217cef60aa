//! Alarms: a message to the topic of a job when it fails.
//!
//! [`of_change`] decides about them. They are stored with the facts that they tell of, and [`Alarms`] publishes them, so
//! that each entry into an alarming status gives one message whatever becomes of the process.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use weir_base::error::{CsError, codes};
use weir_base::id::{ProjectId, random_hex_id};
use weir_base::time::Timestamp;
use weir_cloud::notifications::PublishError;
use weir_store::{AlarmRecord, JobDefinition, JobRecord, RunFacts, StoreError};

use crate::control::Control;
use crate::decide;
use crate::options::Limits;

const SUBJECT: &str = "Weir job alarm";
/// Alarms published between two looks into the store.
const AT_ONCE: i64 = 64;
/// Longest time between two looks into the store.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
const FIRST_RETRY: Duration = Duration::from_secs(10);
const LONGEST_RETRY: Duration = Duration::from_secs(300);
/// With waits of up to five minutes this is a day: a notification service that is away for longer has lost the alarm.
const MOST_ATTEMPTS: u32 = 292;

/// Returns the alarm that a change of facts gives.
pub(crate) fn of_change(
    job: &JobRecord,
    facts: &RunFacts,
    now: Timestamp,
    limits: &Limits,
) -> Option<AlarmRecord> {
    let topic = job.definition.smn_topic.clone()?;
    let before = decide::status(&job.facts, job.seen_at, now, limits);
    let after = decide::status(facts, job.seen_at, now, limits);
    if before == after || !after.is_alarming() {
        return None;
    }
    let body = json!({
        "project_id": job.project,
        "job_id": job.id,
        "job_name": job.definition.name,
        "job_type": job.definition.job_type,
        "status": after.name(),
        "status_desc": facts.reason,
        "cluster_id": job.definition.cluster_id,
        "user_name": job.user_name,
        "time": now,
    });
    Some(AlarmRecord {
        id: random_hex_id(),
        project: job.project.clone(),
        job: job.id,
        topic,
        body: body.to_string(),
        attempts: 0,
        due: now,
    })
}

impl Control {
    /// Refuses a definition whose topic is not there.
    pub(crate) async fn check_topic(
        &self,
        project: &ProjectId,
        definition: &JobDefinition,
    ) -> Result<(), CsError> {
        let Some(topic) = &definition.smn_topic else { return Ok(()) };
        match self.publisher.find_topic(project, topic).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) | Err(PublishError::NoTopic) => {
                Err(codes::SMN_TOPIC_NOT_EXIST.error().with("topic", topic))
            }
            Err(error) => {
                tracing::error!(%error, topic, "the topic of a job could not be looked up");
                Err(codes::BACKEND_INTERNAL_ERROR.error().because(format!("{error}.")))
            }
        }
    }
}

/// The one task that publishes alarms.
pub struct Alarms {
    control: Arc<Control>,
}

impl Alarms {
    /// Makes the task of a service; there must be only one.
    pub fn new(control: Arc<Control>) -> Self {
        Self { control }
    }

    /// Publishes what is due, until `shutdown` is ready. What is left then is published by the next process.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let published = tokio::select! {
                biased;
                () = &mut shutdown => break,
                published = self.publish_due() => published,
            };
            if let Err(error) = published {
                tracing::error!(%error, "alarms of jobs could not be read or noted, will retry");
            }
            tokio::select! {
                () = &mut shutdown => break,
                () = self.control.alarmed.notified() => {}
                () = self.control.clock.sleep(LOOK_AGAIN) => {}
            }
        }
    }

    async fn publish_due(&self) -> Result<(), StoreError> {
        for alarm in self.control.store.due_alarms(self.control.now(), AT_ONCE).await? {
            self.publish(&alarm).await?;
        }
        Ok(())
    }

    async fn publish(&self, alarm: &AlarmRecord) -> Result<(), StoreError> {
        let AlarmRecord { id, project, job, topic, body, attempts, .. } = alarm;
        let store = &self.control.store;
        match self.control.publisher.publish(id, project, topic, SUBJECT, body).await {
            Ok(()) => {
                tracing::info!(job_id = %job, topic, message_id = id, "alarm of a job published");
                store.remove_alarm(id).await
            }
            Err(PublishError::Unavailable(reason)) if attempts + 1 < MOST_ATTEMPTS => {
                if *attempts == 0 {
                    tracing::warn!(job_id = %job, topic, reason, "an alarm could not be published, will retry");
                }
                store.defer_alarm(id, self.control.now().plus(retry_delay(*attempts))).await
            }
            Err(error) => {
                tracing::error!(job_id = %job, topic, %error, alarm = body, "an alarm was given up");
                store.remove_alarm(id).await
            }
        }
    }
}

/// Returns the delay after so many tries and one more.
fn retry_delay(attempts: u32) -> Duration {
    FIRST_RETRY.saturating_mul(1 << attempts.min(10)).min(LONGEST_RETRY)
}

#[cfg(test)]
mod tests {
    use weir_base::id::{JobId, UserId};
    use weir_store::{EndKind, Intent};

    use super::*;

    fn job(facts: RunFacts) -> JobRecord {
        JobRecord {
            id: JobId(7),
            project: ProjectId("p".into()),
            user: UserId("u".into()),
            user_name: "ann".into(),
            definition: JobDefinition {
                name: "j".into(),
                smn_topic: Some("alarms".into()),
                ..JobDefinition::default()
            },
            create_time: Timestamp(0),
            update_time: Timestamp(0),
            facts,
            version: 0,
            deleted_at: None,
            seen_at: None,
        }
    }

    #[test]
    fn an_alarm_tells_of_each_entry_once() {
        let limits = Limits::default();
        let running = RunFacts { intent: Intent::Run, ..RunFacts::default() };
        let ended = |end| RunFacts { end: Some(end), reason: "out of luck".into(), ..running.clone() };
        let alarm = |before: &RunFacts, after: &RunFacts| {
            of_change(&job(before.clone()), after, Timestamp(5), &limits)
        };
        let failed = alarm(&running, &ended(EndKind::Failed)).unwrap();
        let body: serde_json::Value = serde_json::from_str(&failed.body).unwrap();
        let expected = json!({
            "project_id": "p", "job_id": 7, "job_name": "j", "job_type": "flink_sql_job",
            "status": "job_running_exception", "status_desc": "out of luck", "cluster_id": null,
            "user_name": "ann", "time": 5,
        });
        assert_eq!((failed.topic.as_str(), body), ("alarms", expected));
        assert!(alarm(&running, &ended(EndKind::SubmitFailed)).unwrap().body.contains("job_submit_fail"));
        for quiet in [EndKind::Finished, EndKind::Cancelled, EndKind::CancelFailed] {
            assert_eq!(alarm(&running, &ended(quiet)), None, "{quiet:?}");
        }
        let failed = ended(EndKind::Failed);
        assert_eq!(alarm(&failed, &failed), None, "it is in the status already");
        assert_eq!(alarm(&failed, &running), None, "it runs again");
        assert!(alarm(&running, &failed).is_some(), "and fails again");
        let mut without_topic = job(running);
        without_topic.definition.smn_topic = None;
        assert_eq!(of_change(&without_topic, &failed, Timestamp(5), &limits), None);
    }

    #[test]
    fn delays_double_up_to_five_minutes_and_make_a_day() {
        let delays: Vec<u64> = (0..8).map(|attempts| retry_delay(attempts).as_secs()).collect();
        assert_eq!(delays, [10, 20, 40, 80, 160, 300, 300, 300]);
        let all: Duration = (0..MOST_ATTEMPTS - 1).map(retry_delay).sum();
        assert!(all > Duration::from_secs(23 * 3_600) && all < Duration::from_secs(25 * 3_600));
    }
}
