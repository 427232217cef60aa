//! Looking at jobs: `weir job list`, `show`, `check`, `graph`, `sinks` and `metrics`.

use anyhow::{Context, bail};
use clap::ArgMatches;
use reqwest::Method;
use serde_json::{Value, json};
use weir_client::Body;
use weir_sql::{CheckOptions, Cluster};

use super::flink;
use crate::commands::client::access::text;
use crate::commands::client::cluster;
use crate::commands::client::output::{Column, column, length, lines, rows, time};
use crate::commands::client::paging::List;
use crate::commands::client::session::Session;
use crate::commands::client::watch;
use crate::commands::text::for_output;
use crate::commands::variables::variables;
use crate::commands::{Exit, Failure, Outcome, check, explain};

const LIST: List<'_> = List { path: "/v1.0/{project}/jobs", member: "jobs", id: "job_id", what: "jobs" };

const SHORT: &[Column] = &[
    column("id", "job_id"),
    column("name", "name"),
    column("type", "job_type"),
    column("status", "status"),
    time("started (UTC)", "start_time"),
    length("running", "duration"),
    column("owner", "username"),
];

const LONG: &[Column] = &[
    column("id", "job_id"),
    column("name", "name"),
    column("status", "status"),
    column("mode", "run_mode"),
    column("cluster", "cluster_id"),
    column("SPUs", "job_config.spu_number"),
    column("parallelism", "job_config.parallel_number"),
    column("bucket", "job_config.obs_bucket"),
    time("changed (UTC)", "update_time"),
];

const DETAIL: &[Column] = &[
    column("id", "job_id"),
    column("name", "name"),
    column("description", "desc"),
    column("type", "job_type"),
    column("status", "status"),
    column("reason", "status_desc"),
    time("created (UTC)", "create_time"),
    time("changed (UTC)", "update_time"),
    time("started (UTC)", "start_time"),
    column("owner", "user_id"),
    column("mode", "run_mode"),
    column("cluster", "cluster_id"),
    column("SPUs", "job_config.spu_number"),
    column("parallelism", "job_config.parallel_number"),
    column("manager SPUs", "job_config.manager_spu"),
    column("executors", "job_config.executor_number"),
    column("executor SPUs", "job_config.executor_spu"),
    column("JAR", "jar_url"),
    column("main class", "main_class"),
    column("arguments", "args"),
    column("configuration", "job_config.config_url"),
    column("checkpoints", "job_config.checkpoint_enabled"),
    column("checkpoint mode", "job_config.checkpoint_mode"),
    column("checkpoint seconds", "job_config.checkpoint_interval"),
    column("bucket", "job_config.obs_bucket"),
    column("logs kept", "job_config.log_enabled"),
    column("topic", "job_config.smn_topic"),
    column("restarted", "job_config.restart_when_exception"),
    column("idle state seconds", "job_config.idle_state_retention"),
    column("dirty data", "job_config.dirty_data_strategy"),
    column("edge groups", "job_config.edge_group_ids"),
    column("JAR of functions", "job_config.udf_jar_url"),
    column("savepoint", "savepoint_path"),
    column("tags", "tags"),
    column("SQL", "sql_body"),
];

const GRAPH: &[Column] = &[
    column("id", "id"),
    column("operator", "operator"),
    column("parallelism", "parallelism"),
    column("inputs", "inputs"),
    column("description", "description"),
];

const SINKS: &[Column] = &[
    column("sink", "sink_name"),
    column("address", "url"),
    column("app id", "app_id"),
    column("encoding", "encode"),
    column("columns", "columns"),
];

const METRICS: &[Column] = &[
    column("job", "job"),
    column("operator", "name"),
    column("records", "records"),
    column("dirty", "corrupted_records"),
    column("per second", "rate"),
];

pub async fn list(session: &Session, matches: &ArgMatches) -> Outcome {
    let is_long = matches.get_flag("long");
    let mut query = vec![("show_detail", is_long.to_string())];
    for name in ["name", "status"] {
        query.extend(text(matches, name).map(|value| (name, value.to_string())));
    }
    if text(matches, "cluster").is_some() {
        query.push(("cluster_id", cluster::id(session, matches).await?.to_string()));
    }
    query.extend(matches.get_one::<i64>("parent").map(|id| ("root_job_id", id.to_string())));
    watch::show(matches, async || {
        let payload = LIST.read(session, matches, query.clone()).await?;
        if session.is_json() {
            return Ok(format!("{payload}\n"));
        }
        Ok(rows(if is_long { LONG } else { SHORT }, &payload["jobs"]))
    })
    .await
}

pub async fn show(session: &Session, matches: &ArgMatches) -> Outcome {
    let id = session.ask(session.client.job_id(text(matches, "job").unwrap_or_default())).await?;
    watch::show(matches, async || {
        let mut job = session.ask(session.client.job(id)).await?;
        if matches.get_flag("sql") {
            let sql = job["sql_body"].as_str().unwrap_or_default();
            return Ok(format!("{}\n", for_output(sql.trim_end_matches('\n'))));
        }
        if session.is_json() {
            return Ok(format!("{job}\n"));
        }
        // A job that never ran has written none, and those of edge nodes write none.
        let has_run_here = job["start_time"] != 0 && job["run_mode"] != "edge_node";
        let may_have_one = job["savepoint_path"].is_null() && has_run_here;
        if may_have_one && flink::has_savepoint(session, &job).await? {
            job["savepoint_path"] = json!("in the store of the service");
        }
        Ok(lines(DETAIL, &job))
    })
    .await
}

pub async fn check(session: &Session, matches: &ArgMatches) -> Outcome {
    let id = session.ask(session.client.job_id(text(matches, "job").unwrap_or_default())).await?;
    let job = session.ask(session.client.job(id)).await?;
    let options = options_of(&job, matches)?;
    let name = format!("job {id}");
    let sql = sql_of(&job, id, "check")?;
    let exit = check::report(&name, sql, &options, session.is_json());
    if exit == Exit::Done
        && let Cluster::Shared { .. } = options.cluster
    {
        note_restrictions(&name, sql, options);
    }
    Ok(exit)
}

/// Tells what of a job the service refuses when its shared cluster is restricted. It alone knows whether it is.
fn note_restrictions(name: &str, sql: &str, options: CheckOptions) {
    let restricted = CheckOptions { cluster: Cluster::Shared { restricted: true }, ..options };
    if let Err(errors) = weir_sql::check_all(sql, &weir_connectors::CATALOG, &restricted) {
        let errors = check::rendered(name, sql, &errors);
        eprintln!(
            "unless the option `shared_cluster_restricted` of the service is off, it refuses to run this:\n{errors}"
        );
    }
}

/// Returns how the SQL of a job is checked: by the rules that hold whatever the options of the service are.
fn options_of(job: &Value, matches: &ArgMatches) -> Result<CheckOptions, Failure> {
    let cluster = match job["run_mode"].as_str() {
        Some("exclusive_cluster") => Cluster::Exclusive,
        _ => Cluster::Shared { restricted: false },
    };
    let variables = variables(matches)?;
    // The service has taken the text.
    Ok(CheckOptions { cluster, variables, max_bytes: usize::MAX, ..CheckOptions::default() })
}

/// Returns the SQL of a job; one from a JAR has none.
fn sql_of<'a>(job: &'a Value, id: i64, verb: &str) -> anyhow::Result<&'a str> {
    if job["job_type"].as_str().is_some_and(|kind| kind.contains("_jar_")) {
        bail!("job {id} is made of a JAR and has no SQL, so there is nothing to {verb}");
    }
    let sql = job["sql_body"].as_str().filter(|sql| !sql.trim().is_empty());
    sql.with_context(|| format!("job {id} has no SQL, so there is nothing to {verb}"))
}

/// Shows the operators that the SQL of a job makes, whether it has run or not.
async fn plan(session: &Session, matches: &ArgMatches, id: i64) -> Outcome {
    let job = session.ask(session.client.job(id)).await?;
    let sql = sql_of(&job, id, "plan")?;
    let parallelism = job["job_config"]["parallel_number"].as_u64().and_then(|number| number.try_into().ok());
    let options = options_of(&job, matches)?;
    explain::operators(&format!("job {id}"), sql, &options, parallelism.unwrap_or(1), session.is_json())
}

pub async fn graph(session: &Session, matches: &ArgMatches) -> Outcome {
    let id = session.ask(session.client.job_id(text(matches, "job").unwrap_or_default())).await?;
    if matches.get_flag("plan") {
        return plan(session, matches, id).await;
    }
    let path = format!("/v1.0/{{project}}/job/{id}/execute_graph");
    let payload = session.ask(session.client.payload(&path, &[])).await?;
    let items = payload["execute_plan_items"].as_str().unwrap_or("[]");
    if session.is_json() {
        println!("{items}");
        return Ok(Exit::Done);
    }
    let mut plan: Value =
        serde_json::from_str(items).context("the graph that the service gave is no JSON")?;
    let nodes = plan[0]["nodes"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let nodes: Vec<Value> = nodes.into_iter().map(with_inputs).collect();
    print!("{}", rows(GRAPH, &Value::from(nodes)));
    Ok(Exit::Done)
}

/// Shows inputs by the ids of the operators that they come from.
fn with_inputs(mut node: Value) -> Value {
    let inputs = node["inputs"].as_array().into_iter().flatten().map(|input| input["id"].clone()).collect();
    node["inputs"] = Value::Array(inputs);
    node
}

/// Shows where the gateway has the records of a job's sinks.
pub async fn sinks(session: &Session, matches: &ArgMatches) -> Outcome {
    let id = session.ask(session.client.job_id(text(matches, "job").unwrap_or_default())).await?;
    let path = format!("/v1.0/{{project}}/job/{id}/apig_sinks");
    let payload = session.ask(session.client.payload(&path, &[])).await?;
    if session.is_json() {
        println!("{payload}");
        return Ok(Exit::Done);
    }
    let forms = payload["metadata"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sinks = payload["sinks"].as_array().into_iter().flatten().map(|sink| {
        let mut sink = sink.clone();
        if let Some(form) = forms.iter().find(|form| form["name"] == sink["sink_name"]) {
            sink["encode"] = form["encode"].clone();
            sink["columns"] =
                form["attrs"].as_array().into_iter().flatten().map(|column| column["name"].clone()).collect();
        }
        sink
    });
    print!("{}", rows(SINKS, &sinks.collect::<Vec<_>>().into()));
    Ok(Exit::Done)
}

pub async fn metrics(session: &Session, matches: &ArgMatches) -> Outcome {
    let ids = ids(session, matches).await?;
    watch::show(matches, async || {
        let body = Body::Json(json!({ "job_ids": ids }));
        let call = session.client.call(Method::POST, "/v1.0/{project}/jobs/metrics", &[], body);
        let payload = session.ask(call).await?["payload"].take();
        if session.is_json() {
            return Ok(format!("{payload}\n"));
        }
        let jobs = payload["jobs"].as_array().into_iter().flatten();
        Ok(rows(METRICS, &jobs.flat_map(operators).collect::<Vec<_>>().into()))
    })
    .await
}

/// Returns the sources and sinks of a job, and the rates of both together.
fn operators(job: &Value) -> Vec<Value> {
    let metrics = &job["metrics"];
    let mut found = Vec::new();
    for (list, rate) in [("sources", "total_read_rate"), ("sinks", "total_write_rate")] {
        let operators = metrics[list].as_array().map(Vec::as_slice).unwrap_or_default();
        for (place, operator) in operators.iter().enumerate() {
            let mut operator = operator.clone();
            operator["job"] = job["job_id"].clone();
            // The service tells one rate for all sources, and one for all sinks.
            if place == 0 {
                operator["rate"] = json!(format!("{:.1}", metrics[rate].as_f64().unwrap_or(0.0)));
            }
            found.push(operator);
        }
    }
    found
}

/// Returns the ids of the jobs that were given.
pub async fn ids(session: &Session, matches: &ArgMatches) -> Result<Vec<i64>, Failure> {
    let mut ids = Vec::new();
    for job in matches.get_many::<String>("job").into_iter().flatten() {
        ids.push(session.ask(session.client.job_id(job)).await?);
    }
    Ok(ids)
}
