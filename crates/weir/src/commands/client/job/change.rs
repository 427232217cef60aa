//! Running, stopping and deleting jobs, and letting the service use buckets.

use clap::ArgMatches;
use reqwest::Method;
use serde_json::{Value, json};
use weir_client::{Body, Goal, JobState, Verdict};

use super::read::ids;
use crate::commands::client::access::text;
use crate::commands::client::made;
use crate::commands::client::output::{Column, column, rows};
use crate::commands::client::session::{Progress, Session, patience, sure, while_shown};
use crate::commands::{Exit, Failure, Outcome};

/// Jobs that are named one by one while they are waited for.
const MOST_NAMED: usize = 4;

const STATES: &[Column] = &[
    column("id", "job_id"),
    column("name", "name"),
    column("status", "status"),
    column("reason", "status_desc"),
];

pub async fn run(session: &Session, matches: &ArgMatches) -> Outcome {
    let resume = matches.get_flag("resume-savepoint").then(|| ("resumeSavePoint", "true".to_string()));
    let goal = match text(matches, "until") {
        Some("finished") => Goal::Finished,
        _ => Goal::Running,
    };
    let ids = ids(session, matches).await?;
    let answer = post(session, &ids, "run", resume).await?;
    if patience(matches).is_none() {
        let word = if ids.len() == 1 { "the job is submitted" } else { "the jobs are submitted" };
        return Ok(made(session, &answer, "", word));
    }
    wait(session, matches, &ids, goal).await
}

pub async fn stop(session: &Session, matches: &ArgMatches) -> Outcome {
    let savepoint = matches.get_flag("savepoint").then(|| ("triggerSavePoint", "true".to_string()));
    let ids = ids(session, matches).await?;
    let answer = post(session, &ids, "stop", savepoint).await?;
    if patience(matches).is_none() {
        let word = if ids.len() == 1 { "the job is being stopped" } else { "the jobs are being stopped" };
        return Ok(made(session, &answer, "", word));
    }
    wait(session, matches, &ids, Goal::Stopped).await
}

/// Asks for one job or for several, which is all or none.
async fn post(
    session: &Session,
    ids: &[i64],
    verb: &str,
    option: Option<(&str, String)>,
) -> Result<Value, Failure> {
    let query: Vec<_> = option.into_iter().collect();
    let (path, body) = match ids {
        [id] => (format!("/v1.0/{{project}}/job/{id}/{verb}"), Body::None),
        ids => (format!("/v1.0/{{project}}/job/{verb}"), Body::Json(json!(ids))),
    };
    session.ask(session.client.call(Method::POST, &path, &query, body)).await
}

/// Waits until the jobs are where they should be, and shows where they are.
pub async fn wait(session: &Session, matches: &ArgMatches, ids: &[i64], goal: Goal) -> Outcome {
    let Some(limit) = patience(matches) else { return Ok(Exit::Done) };
    let progress = Progress::new("");
    let verdicts =
        |states: &[JobState]| -> Vec<Verdict> { states.iter().map(|state| state.verdict(goal)).collect() };
    let waiting = weir_client::wait(
        limit,
        async || session.client.job_states(ids).await,
        |states| {
            progress.set(summary(states));
            verdicts(states).contains(&Verdict::Pending)
        },
    );
    let states = while_shown(&progress, waiting).await?;
    show(session, &states);
    let verdicts = verdicts(&states);
    if verdicts.contains(&Verdict::Missed) {
        return Ok(Exit::Refused);
    }
    Ok(if verdicts.contains(&Verdict::Pending) { Exit::Unfinished } else { Exit::Done })
}

/// Tells how far jobs are, in one line.
fn summary(states: &[JobState]) -> String {
    if states.len() <= MOST_NAMED {
        let states: Vec<String> =
            states.iter().map(|state| format!("{}: {}", state.name, state.status)).collect();
        return states.join(", ");
    }
    let mut statuses: Vec<&str> = states.iter().map(|state| state.status.as_str()).collect();
    statuses.sort_unstable();
    let groups = statuses.chunk_by(|a, b| a == b);
    groups.map(|group| format!("{} {}", group.len(), group[0])).collect::<Vec<_>>().join(", ")
}

fn show(session: &Session, states: &[JobState]) {
    let states = states.iter().map(|state| {
        json!({
            "job_id": state.id, "name": state.name, "status": state.status, "status_desc": state.status_desc,
        })
    });
    let states = states.collect::<Vec<_>>().into();
    match session.is_json() {
        true => println!("{states}"),
        false => print!("{}", rows(STATES, &states)),
    }
}

pub async fn delete(session: &Session, matches: &ArgMatches) -> Outcome {
    let ids = ids(session, matches).await?;
    let states = session.ask(session.client.job_states(&ids)).await?;
    let names: Vec<String> = states.iter().map(|job| format!("{} `{}`", job.id, job.name)).collect();
    let names = format!("{} {}", if ids.len() == 1 { "job" } else { "jobs" }, names.join(", "));
    sure(matches, &format!("delete {names}?"))?;
    let (path, body) = match ids.as_slice() {
        [id] => (format!("/v1.0/{{project}}/job/{id}"), Body::None),
        ids => ("/v1.0/{project}/job".to_string(), Body::Json(json!(ids))),
    };
    let answer = session.ask(session.client.call(Method::DELETE, &path, &[], body)).await?;
    Ok(made(session, &answer, "", &format!("deleted {names}")))
}

pub async fn authorize(session: &Session, matches: &ArgMatches) -> Outcome {
    let buckets: Vec<&String> = matches.get_many::<String>("bucket").into_iter().flatten().collect();
    let call =
        session.client.call(Method::POST, "/v1.0/{project}/obs_authorize", &[], Body::Json(json!(buckets)));
    let answer = session.ask(call).await?;
    let names = buckets.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    Ok(made(session, &answer, "", &format!("the service may use {names}")))
}
