//! Where jobs are, and where they should get.

use serde_json::Value;

use crate::call::Client;
use crate::error::ClientError;
use crate::wait::Verdict;

/// Where jobs should get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// They run, or have run to their end.
    Running,
    /// They have run to their end.
    Finished,
    /// They run no more.
    Stopped,
    /// They have written the savepoint that they were asked for, and run.
    Saved,
}

impl Goal {
    /// Judges a status. One that is not known may lead anywhere.
    pub fn verdict(self, status: &str) -> Verdict {
        use Verdict::{Missed, Pending, Reached};
        match (self, status) {
            (Self::Running, "job_running" | "job_savepointing" | "job_finish") => Reached,
            (Self::Finished, "job_finish") => Reached,
            (Self::Running, "job_canceling") => Missed,
            (
                Self::Running | Self::Finished,
                "job_init"
                | "job_submit_fail"
                | "job_running_exception"
                | "job_cancel_success"
                | "job_cancel_fail"
                | "job_arrearage_stopped",
            ) => Missed,
            (Self::Running | Self::Finished, _) => Pending,
            (
                Self::Stopped,
                "job_init"
                | "job_submit_fail"
                | "job_running_exception"
                | "job_cancel_success"
                | "job_finish"
                | "job_arrearage_stopped",
            ) => Reached,
            // A job that runs again after a stop was accepted could not write its savepoint.
            (Self::Stopped, "job_cancel_fail" | "job_running") => Missed,
            (Self::Stopped, _) => Pending,
            (Self::Saved, "job_running") => Reached,
            // A job that is started again after a failure is still asked for it.
            (Self::Saved, "job_savepointing" | "job_submitting") => Pending,
            (Self::Saved, _) => Missed,
        }
    }
}

/// What is known of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobState {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: String,
    /// Cause and advice, or empty.
    pub status_desc: String,
}

impl JobState {
    /// Judges where the job is. One that could not write its savepoint runs on, and says why.
    pub fn verdict(&self, goal: Goal) -> Verdict {
        match goal {
            Goal::Saved if self.status == "job_running" && !self.status_desc.is_empty() => Verdict::Missed,
            goal => goal.verdict(&self.status),
        }
    }
}

impl Client {
    /// Returns the detail of a job.
    pub async fn job(&self, id: i64) -> Result<Value, ClientError> {
        self.payload(&format!("/v1.0/{{project}}/job/{id}"), &[]).await
    }

    /// Returns what is known of jobs.
    pub async fn job_states(&self, ids: &[i64]) -> Result<Vec<JobState>, ClientError> {
        let mut states = Vec::new();
        for id in ids {
            let detail = self.job(*id).await?;
            let text = |member: &str| detail[member].as_str().unwrap_or_default().to_string();
            let (name, status, status_desc) = (text("name"), text("status"), text("status_desc"));
            states.push(JobState { id: *id, name, status, status_desc });
        }
        Ok(states)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_runs_on_without_its_savepoint_says_why() {
        let mut state = JobState {
            id: 1,
            name: "j".to_string(),
            status: "job_running".to_string(),
            status_desc: String::new(),
        };
        assert_eq!(state.verdict(Goal::Saved), Verdict::Reached);
        state.status_desc = "the savepoint could not be written".to_string();
        assert_eq!(
            (state.verdict(Goal::Saved), state.verdict(Goal::Running)),
            (Verdict::Missed, Verdict::Reached)
        );
    }

    #[test]
    fn every_status_leads_somewhere() {
        use Verdict::{Missed, Pending, Reached};
        #[rustfmt::skip]
        let table = [
            // status                   running  finished stopped  saved
            ("job_init",                Missed,  Missed,  Reached, Missed),
            ("job_submitting",          Pending, Pending, Pending, Pending),
            ("job_submit_fail",         Missed,  Missed,  Reached, Missed),
            ("job_running",             Reached, Pending, Missed,  Reached),
            ("job_running_exception",   Missed,  Missed,  Reached, Missed),
            ("job_downloading",         Pending, Pending, Pending, Missed),
            ("job_idle",                Pending, Pending, Pending, Missed),
            ("job_savepointing",        Reached, Pending, Pending, Pending),
            ("job_canceling",           Missed,  Pending, Pending, Missed),
            ("job_cancel_success",      Missed,  Missed,  Reached, Missed),
            ("job_cancel_fail",         Missed,  Missed,  Missed,  Missed),
            ("job_finish",              Reached, Reached, Reached, Missed),
            ("job_arrearage_stopped",   Missed,  Missed,  Reached, Missed),
            ("job_arrearage_recovering",Pending, Pending, Pending, Missed),
        ];
        for (status, running, finished, stopped, saved) in table {
            let verdicts =
                [Goal::Running, Goal::Finished, Goal::Stopped, Goal::Saved].map(|goal| goal.verdict(status));
            assert_eq!(verdicts, [running, finished, stopped, saved], "{status}");
        }
    }
}
