//! One user: makes random calls one after the other and keeps the model of what it has.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use reqwest::StatusCode;
use serde_json::Value;
use weir_testkit::service::Client;

use crate::audit::Expected;
use crate::calls::Call;
use crate::choice::Choice;
use crate::job::Place;
use crate::judge::{Others, judge};
use crate::log::Log;
use crate::reference::{Reference, ids_of};
use crate::wire::Body;

/// What all users share.
pub struct Shared {
    pub log: Log,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What the audit must have of the calls that were answered.
    expected: Vec<Expected>,
    /// Jobs whose worker was killed, and when.
    wounds: Vec<(i64, Instant)>,
    /// By user: the most SPUs of the shared cluster that its jobs may have held since the last rest.
    shared_spus: BTreeMap<String, i64>,
    /// Answers so far: acknowledged, refused, not known.
    answers: [u64; 3],
}

impl Shared {
    pub fn new(log: Log) -> Arc<Self> {
        Arc::new(Self { log, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what the audit must have of the calls that were answered.
    pub fn take_expected(&self) -> Vec<Expected> {
        std::mem::take(&mut self.state().expected)
    }

    /// Notes, before it happens, that the worker of a job is killed.
    pub fn wound(&self, job: i64) {
        self.state().wounds.push((job, Instant::now()));
    }

    /// Forgets who held what before a rest.
    pub fn forget_shared_spus(&self) {
        self.state().shared_spus.clear();
    }

    /// Returns how many calls were acknowledged, refused, and without an answer.
    pub fn answers(&self) -> [u64; 3] {
        self.state().answers
    }
}

/// What came back.
enum Answer {
    Done {
        request: String,
        body: Value,
    },
    Refused {
        request: String,
        code: String,
        body: Value,
    },
    /// The service died while the call was under way.
    Unknown(String),
    /// The service was not there.
    NotSent,
}

/// A user.
pub struct User {
    pub name: String,
    pub client: Client,
    pub model: Reference,
    /// The call whose answer is not known.
    pub unknown: Option<(Call, Instant)>,
    choice: Choice,
    wounds_seen: usize,
    shared: Arc<Shared>,
}

impl User {
    pub fn new(name: &str, client: Client, model: Reference, choice: Choice, shared: Arc<Shared>) -> Self {
        let name = name.to_string();
        Self { name, client, model, unknown: None, choice, wounds_seen: 0, shared }
    }

    /// Makes calls until the service is gone, or some of them when it stays.
    pub async fn make_calls(mut self, most: usize) -> anyhow::Result<Self> {
        for _ in 0..most {
            let call = self.choice.next(&self.model);
            if !self.make(call).await? {
                break;
            }
        }
        Ok(self)
    }

    /// Makes a call. Returns whether the service is still there.
    async fn make(&mut self, call: Call) -> anyhow::Result<bool> {
        self.claim_shared_spus(&call);
        let sent = Instant::now();
        let answer = self.send(&call).await;
        let took = sent.elapsed();
        self.take_wounds();
        let (request, refused) = match answer {
            Answer::NotSent => return Ok(false),
            Answer::Unknown(error) => {
                self.write(&call, took, &format!("no answer: {error}"));
                self.shared.state().answers[2] += 1;
                self.unknown = Some((call, sent));
                return Ok(false);
            }
            Answer::Done { request, body } => {
                self.write(&call, took, &format!("done {body}"));
                self.judge(&call, None)?;
                self.model.apply(&call, &ids_of(&body), sent)?;
                (request, false)
            }
            Answer::Refused { request, code, body } => {
                self.write(&call, took, &format!("{code} {}", body["error_cause"]));
                self.judge(&call, Some(&code))?;
                (request, true)
            }
        };
        let mut state = self.shared.state();
        state.answers[usize::from(refused)] += 1;
        state.expected.push(Expected { request, call, refused });
        Ok(true)
    }

    fn judge(&self, call: &Call, refused: Option<&str>) -> anyhow::Result<()> {
        let others: i64 = {
            let state = self.shared.state();
            let of_others = state.shared_spus.iter().filter(|(name, _)| **name != self.name);
            of_others.map(|(_, spus)| spus).sum()
        };
        judge(&self.model, call, refused, Others { shared_spus: others })
            .with_context(|| format!("{} calls", self.name))
    }

    /// Notes what the shared cluster may have to give to this user, before the others can notice it.
    fn claim_shared_spus(&self, call: &Call) {
        let (_, held) = self.model.held(Some(Place::Shared));
        let asked: i64 = match call {
            Call::Run { jobs, .. } => {
                let jobs = jobs.jobs.iter().filter_map(|id| self.model.jobs.get(id));
                jobs.filter(|job| job.place == Place::Shared).map(|job| job.spus).sum()
            }
            _ => 0,
        };
        let most = held + asked;
        let mut state = self.shared.state();
        let claimed = state.shared_spus.entry(self.name.clone()).or_default();
        *claimed = most.max(*claimed);
    }

    /// Takes the wounds of its jobs that it has not seen.
    pub fn take_wounds(&mut self) {
        let new: Vec<(i64, Instant)> = {
            let state = self.shared.state();
            state.wounds[self.wounds_seen..].to_vec()
        };
        self.wounds_seen += new.len();
        new.into_iter().for_each(|(job, at)| self.model.wound(job, at));
    }

    fn write(&self, call: &Call, took: Duration, answer: &str) {
        self.shared.log.write(&self.name, format_args!("{call:?} -> {answer} ({} ms)", took.as_millis()));
    }

    async fn send(&self, call: &Call) -> Answer {
        let (method, path, body) = call.request();
        let sent = match &body {
            Body::None => self.client.send(method, &path, None).await,
            Body::Json(json) => self.client.send(method, &path, Some(json)).await,
            Body::Form(parts) => self.client.send_form(method, &path, parts).await,
        };
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                let is_absent =
                    error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect);
                return if is_absent { Answer::NotSent } else { Answer::Unknown(format!("{error:#}")) };
            }
        };
        let request = response.headers().get("x-request-id").and_then(|value| value.to_str().ok());
        let request = request.unwrap_or_default().to_string();
        let is_success = response.status().is_success();
        let is_empty = response.status() == StatusCode::NO_CONTENT;
        match if is_empty { Ok(Value::Null) } else { response.json::<Value>().await } {
            Ok(body) if is_success => Answer::Done { request, body },
            Ok(body) => {
                let code = body["error_id"].as_str().unwrap_or_default().to_string();
                Answer::Refused { request, code, body }
            }
            Err(error) => Answer::Unknown(format!("{error:#}")),
        }
    }
}
