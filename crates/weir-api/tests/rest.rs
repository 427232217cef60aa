//! Runs `tests/rest/*.yaml`: steps of request and expected answer.
//!
//! By default against a service in this process. With `WEIR_BASE_URL` (and `WEIR_PROJECT_ID`,
//! `WEIR_TOKEN` of an administrator) against that one: then only files marked `where: anywhere` run,
//! since the others need the users, limits and pretending runner of the service in this process.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::contract::witness::{Exchange, Seen, Witness};
use common::contract::{Contract, completeness};
use common::{World, coverage};
use serde::Deserialize;
use serde_json::Value;
use weir_base::clock::{Clock, SystemClock};
use weir_base::id::ProjectId;
use weir_control::{BillingOptions, switch_tracker};
use weir_store::Store;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/rest");

/// How long a step with `eventually` is repeated.
const EVENTUALLY: Duration = Duration::from_secs(20);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "where")]
    place: Place,
    /// Limits of the service in this process.
    #[serde(default)]
    limits: Limits,
    /// Whether refused calls about one job are made about a list of jobs, too; not where records of the audit are counted.
    #[serde(default = "yes")]
    batches: bool,
    steps: Vec<Step>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Network {
    id: String,
    cidr: String,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Place {
    Anywhere,
    InProcess,
}

#[derive(Deserialize, Default, Clone)]
#[serde(deny_unknown_fields)]
struct Limits {
    draft_limit: Option<u32>,
    user_spu_quota: Option<i64>,
    shared_cluster_spus: Option<i64>,
    /// Whether the tracker of the project is on.
    tracker: Option<bool>,
    project_cluster_spus: Option<i64>,
    exclusive_spus: Option<i64>,
    exclusive_sold_out: Option<bool>,
    exclusive_clusters_restricted: Option<bool>,
    /// The price of an SPU for an hour; without one nothing is metered.
    spu_hour_price: Option<String>,
    /// A network of the project.
    network: Option<Network>,
    manager_nodes: Option<BTreeMap<i64, i64>>,
    /// Ids of edge groups, which are their names too.
    edge_groups: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    name: String,
    request: Request,
    expect: Expect,
    /// Variables to set: name to JSON pointer into the answer.
    #[serde(default)]
    save: BTreeMap<String, String>,
    #[serde(default)]
    eventually: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    method: String,
    path: String,
    /// Whose token; `nobody` sends none.
    #[serde(rename = "as", default = "admin")]
    user: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    json: Option<Value>,
    text: Option<String>,
    /// The parts of a form, by the names of their fields.
    form: Option<BTreeMap<String, FormPart>>,
}

/// What a part of a form holds.
#[derive(Deserialize)]
#[serde(untagged)]
enum FormPart {
    Text(String),
    File { file: String, text: String },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    status: u16,
    /// `message_id` or `error_id`.
    code: Option<String>,
    /// Members that must be there with these values; others are not looked at.
    body: Option<Value>,
}

fn yes() -> bool {
    true
}

fn admin() -> String {
    "admin".to_string()
}

/// Where the steps go.
struct Target {
    client: reqwest::Client,
    base_url: String,
    tokens: BTreeMap<String, String>,
    variables: BTreeMap<String, Value>,
    /// Where a service in this process keeps its audit.
    store: Option<Store>,
    /// What holds the calls of a service elsewhere against the contract.
    witness: Witness,
}

#[test]
fn the_same_on_postgres() {
    common::databases::repeat_on_postgres();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_gets_its_answer() {
    let files = files();
    assert!(!files.is_empty(), "no files in {FOLDER}");
    let mut failures = Vec::new();
    let mut seen = Seen::default();
    let client = reqwest::Client::new();
    for path in files {
        let text = std::fs::read_to_string(&path).unwrap();
        let file: File =
            serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if let Some(base_url) = std::env::var_os("WEIR_BASE_URL") {
            if file.place == Place::Anywhere {
                run(&path, &file, remote(base_url.to_string_lossy().into_owned()), &mut failures).await;
            }
            continue;
        }
        let limits = file.limits.clone();
        let world = World::start(|options| {
            options.draft_limit = limits.draft_limit.unwrap_or(options.draft_limit);
            options.user_spu_quota = limits.user_spu_quota.unwrap_or(options.user_spu_quota);
            options.shared_cluster_spus = limits.shared_cluster_spus.unwrap_or(options.shared_cluster_spus);
            options.billing = limits
                .spu_hour_price
                .map(|price| BillingOptions { price: price.parse().unwrap(), ..BillingOptions::default() });
            let clusters = &mut options.clusters;
            clusters.project_spus = limits.project_cluster_spus.unwrap_or(clusters.project_spus);
            clusters.spus = limits.exclusive_spus.unwrap_or(clusters.spus);
            clusters.restricted = limits.exclusive_clusters_restricted.unwrap_or(clusters.restricted);
            clusters.sold_out = limits.exclusive_sold_out.unwrap_or(clusters.sold_out);
            if let Some(nodes) = limits.manager_nodes {
                clusters.manager_nodes = nodes;
            }
            let group = |id: String| weir_control::EdgeGroup { name: id.clone(), id };
            options.edge_groups = limits.edge_groups.unwrap_or_default().into_iter().map(group).collect();
        })
        .await;
        if file.limits.tracker == Some(false) {
            let project = ProjectId(world.project.clone());
            switch_tracker(world.control.store(), &project, false, SystemClock.now()).await.unwrap();
        }
        if let Some(network) = file.limits.network.clone() {
            world.add_network(&network.id, &network.cidr).await;
        }
        let mut variables = BTreeMap::from([
            ("project".to_string(), Value::from(world.project.clone())),
            ("domain".to_string(), Value::from(world.domain.clone())),
        ]);
        variables
            .extend(world.tokens.iter().map(|(name, token)| (format!("token_{name}"), token.clone().into())));
        variables.extend(world.users.iter().map(|(name, id)| (format!("user_{name}"), id.clone().into())));
        let target = Target {
            store: Some(world.control.store().clone()),
            client: client.clone(),
            base_url: world.base_url.clone(),
            tokens: world.tokens.clone(),
            variables,
            witness: Witness::default(),
        };
        run(&path, &file, target, &mut failures).await;
        seen.add(&world.witness.seen());
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        failures.extend(world.witness.take_faults().into_iter().map(|fault| format!("{file}: {fault}")));
    }
    if std::env::var_os("WEIR_BASE_URL").is_none() {
        let (unseen, excused) = (completeness::unseen(&seen), excused());
        let excuses = |excuse: &str, what: &str| match excuse.strip_suffix('*') {
            Some(begin) => what.starts_with(begin),
            None => what == excuse,
        };
        let missing = unseen.iter().filter(|what| !excused.keys().any(|excuse| excuses(excuse, what)));
        failures.extend(missing.map(|what| format!("no step shows: {what}")));
        let stale = excused.keys().filter(|excuse| !unseen.iter().any(|what| excuses(excuse, what)));
        failures
            .extend(stale.map(|what| format!("tests/contract/unseen.yaml excuses what is shown: {what}")));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// Every code of the catalogue is raised by a test, and no test is said to raise what the contract does not have.
#[test]
fn every_code_is_raised_by_a_test() {
    let covered = coverage::of_tests();
    let codes = weir_base::error::entries().map(|entry| entry.code);
    let not_raised: Vec<_> =
        codes.filter(|code| !covered.contains_key(&code.0)).map(|code| code.to_string()).collect();
    assert!(not_raised.is_empty(), "no test raises {not_raised:?}");
    let operations = &Contract::get().operations;
    for (code, raised) in &covered {
        for (operation, files) in raised {
            assert!(operations[operation].errors.contains(code), "{code} of {operation} in {files:?}");
        }
    }
    for row in coverage::rows() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(&row.file);
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(&format!("fn {}(", row.test)), "{} has no test {}", row.file, row.test);
    }
}

/// What of the contract the steps leave out, with the reasons.
fn excused() -> BTreeMap<String, String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/contract/unseen.yaml");
    serde_yaml_ng::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(FOLDER).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

fn remote(base_url: String) -> Target {
    let needed = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("set {name} too"));
    Target {
        client: reqwest::Client::new(),
        base_url,
        tokens: BTreeMap::from([("admin".to_string(), needed("WEIR_TOKEN"))]),
        variables: BTreeMap::from([("project".to_string(), needed("WEIR_PROJECT_ID").into())]),
        store: None,
        witness: Witness::default(),
    }
}

async fn run(path: &Path, file: &File, mut target: Target, failures: &mut Vec<String>) {
    // Names of jobs and buckets are unique, so that the steps can run twice against one service.
    let unique = weir_base::id::random_hex_id()[..8].to_string();
    target.variables.insert("unique".to_string(), unique.into());
    for step in &file.steps {
        let deadline = tokio::time::Instant::now() + EVENTUALLY;
        let mut complaint = attempt(step, &mut target).await;
        while complaint.is_some() && step.eventually && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
            complaint = attempt(step, &mut target).await;
        }
        let complaint = match complaint {
            None if file.batches => attempt_batch(step, &mut target).await,
            complaint => complaint,
        };
        if let Some(complaint) = complaint {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            failures.push(format!("{file}: {}: {complaint}", step.name));
        }
    }
    failures.extend(target.witness.take_faults());
}

/// Makes the call about a list of jobs that corresponds to a refused call about one; it is refused in the same way.
async fn attempt_batch(step: &Step, target: &mut Target) -> Option<String> {
    let batch = coverage::batch_of(&step.request.method, &step.request.path)?;
    let code = step.expect.code.clone().filter(|_| step.expect.status == 400)?;
    let job = batch.job.parse::<i64>().map_or_else(|_| Value::from(batch.job), Value::from);
    let request = Request {
        method: batch.method,
        path: batch.path,
        user: step.request.user.clone(),
        headers: step.request.headers.clone(),
        json: Some(Value::from(vec![job])),
        text: None,
        form: None,
    };
    let expect = Expect { status: 400, code: Some(code), body: None };
    let name = format!("{}, as a batch", step.name);
    let step = Step { name, request, expect, save: BTreeMap::new(), eventually: false };
    attempt(&step, target).await.map(|complaint| format!("as a batch: {complaint}"))
}

/// Makes the request of a step; returns what is wrong with the answer.
async fn attempt(step: &Step, target: &mut Target) -> Option<String> {
    let url = format!("{}{}", target.base_url, fill(&step.request.path, &target.variables));
    let method = step.request.method.parse().expect("a method");
    let mut request = target.client.request(method, url);
    if step.request.user != "nobody" {
        let token = target.tokens.get(&step.request.user);
        request = request.header("X-Auth-Token", token.unwrap_or_else(|| panic!("{}: who?", step.name)));
    }
    if let Some(json) = &step.request.json {
        request = request.header("Content-Type", "application/json");
        request = request.body(fill_json(json, &target.variables).to_string());
    }
    if let Some(text) = &step.request.text {
        request = request.body(fill(text, &target.variables));
    }
    if let Some(form) = &step.request.form {
        request = request.header("Content-Type", "multipart/form-data; boundary=limit");
        request = request.body(form_body(form, &target.variables));
    }
    for (name, value) in &step.request.headers {
        request = request.header(name, value);
    }
    let recorded = count_records(target.store.as_ref()).await;
    let request = request.build().expect("a request");
    let url = request.url().clone();
    let sent = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default().to_vec();
    let sent_type =
        request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let sent_type = sent_type.to_string();
    let answer = target.client.execute(request).await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.expect("a text");
    if target.store.is_none() {
        target.witness.hold(&Exchange {
            method: &step.request.method,
            path: url.path(),
            query: url.query().unwrap_or_default(),
            content_type: &sent_type,
            sent: &sent,
            status,
            headers: &headers,
            body: text.as_bytes(),
        });
    }
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    let code = ["error_id", "message_id", "error_code"]
        .iter()
        .find_map(|name| body.get(name))
        .and_then(Value::as_str);
    if status != step.expect.status || (step.expect.code.is_some() && code != step.expect.code.as_deref()) {
        let expected = format!("{} {}", step.expect.status, step.expect.code.as_deref().unwrap_or_default());
        return Some(format!("expected {expected}, got {status} {text}"));
    }
    let is_recorded = recorded.is_none() || count_records(target.store.as_ref()).await > recorded;
    if changes_something(&step.request, status) && !is_recorded {
        return Some("the call left no audit record".to_string());
    }
    if !headers.contains_key("x-request-id") {
        return Some("no X-Request-Id".to_string());
    }
    let of_streams = step.request.path.contains("/streams") || step.request.path.contains("/apps");
    let is_bare = status == 204 || (of_streams && text.is_empty());
    if !is_bare && headers.get("content-type").is_none_or(|value| value != "application/json") {
        return Some(format!("Content-Type is {:?}", headers.get("content-type")));
    }
    if text.contains('{') && body.get("error_cause").is_some_and(|cause| cause.to_string().contains('{')) {
        return Some(format!("a placeholder reached the client: {text}"));
    }
    if let Some(expected) = &step.expect.body {
        let expected = fill_json(expected, &target.variables);
        if let Some(difference) = difference("", &expected, &body) {
            return Some(format!("{difference}\n{text}"));
        }
    }
    for (name, pointer) in &step.save {
        let value = body.pointer(pointer).unwrap_or_else(|| panic!("{}: no {pointer} in {text}", step.name));
        target.variables.insert(name.clone(), value.clone());
    }
    None
}

/// Returns the body of a form.
fn form_body(form: &BTreeMap<String, FormPart>, variables: &BTreeMap<String, Value>) -> String {
    let mut body = String::new();
    for (name, part) in form {
        let (file, text) = match part {
            FormPart::Text(text) => (String::new(), text),
            FormPart::File { file, text } => (format!("; filename=\"{file}\""), text),
        };
        body.push_str("--limit\r\n");
        body.push_str(&format!("Content-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n"));
        body.push_str(&fill(text, variables));
        body.push_str("\r\n");
    }
    body + "--limit--\r\n"
}

/// Whether a call must be on record that is not for reading: one of the CS API that succeeded, one of another service also
/// when it was refused, as long as it is known who called.
fn changes_something(request: &Request, status: u16) -> bool {
    let of_cs = request.path.starts_with("/v1.0/${project}/") && !request.path.ends_with("/jobs/metrics");
    let of_vpc = request.path.starts_with("/v2.0/vpc/") && request.user != "nobody";
    let of_topics = request.path.starts_with("/v2/${project}/notifications/") && request.user != "nobody";
    let of_streams = ["/v2/${project}/streams", "/v2/${project}/apps", "/v2/${project}/stream/"];
    let of_dis = of_streams.iter().any(|path| request.path.starts_with(path)) && request.user != "nobody";
    let of_iam =
        request.path.starts_with("/v3") && !request.path.starts_with("/v3/auth/") && request.user != "nobody";
    let is_look = ["GET", "HEAD"].contains(&request.method.as_str());
    !is_look && ((of_cs && status < 300) || of_vpc || of_topics || of_dis || of_iam)
}

/// Counts audit records; `None` for a service elsewhere, whose audit is out of sight.
async fn count_records(store: Option<&Store>) -> Option<i64> {
    let query = sqlx::query_scalar("SELECT COUNT(*) FROM audit_records");
    Some(query.fetch_one(store?.pool()).await.expect("a count"))
}

/// Compares what is expected with what is there. `<absent>` and `<any>` say just that; `<text>words`
/// expects a text with these words in it; lists are compared whole.
fn difference(at: &str, expected: &Value, found: &Value) -> Option<String> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => expected.iter().find_map(|(name, value)| {
            let at = format!("{at}/{name}");
            match found.get(name) {
                None if value == "<absent>" => None,
                None => Some(format!("{at} is missing")),
                Some(_) if value == "<absent>" => Some(format!("{at} is there")),
                Some(found) => difference(&at, value, found),
            }
        }),
        (Value::Array(expected), Value::Array(list)) if expected.len() == list.len() => {
            let mut pairs = expected.iter().zip(list).enumerate();
            pairs.find_map(|(index, (expected, found))| difference(&format!("{at}/{index}"), expected, found))
        }
        (Value::String(text), _) if text == "<any>" => None,
        (Value::String(text), Value::String(found)) if text.starts_with("<text>") => {
            let words = &text["<text>".len()..];
            (!found.contains(words)).then(|| format!("{at}: no `{words}` in `{found}`"))
        }
        (expected, found) if expected == found => None,
        (expected, found) => Some(format!("{at}: expected {expected}, got {found}")),
    }
}

/// Replaces `${name}`; `${x*513}` stands for 513 times x.
fn fill(text: &str, variables: &BTreeMap<String, Value>) -> String {
    let mut filled = text.to_string();
    for (name, value) in variables {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_string);
        filled = filled.replace(&format!("${{{name}}}"), &value);
    }
    while let Some(start) = filled.find("${") {
        let end = start + filled[start..].find('}').expect("a closing brace");
        let (what, times) = filled[start + 2..end].split_once('*').expect("a variable that is known");
        let repeated = what.repeat(times.parse().expect("a number"));
        filled.replace_range(start..=end, &repeated);
    }
    filled
}

/// [`fill`] in every text; a text that is one variable takes on its type.
fn fill_json(value: &Value, variables: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::String(text) => {
            let whole = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
            match whole.and_then(|name| variables.get(name)) {
                Some(value) => value.clone(),
                None => Value::String(fill(text, variables)),
            }
        }
        Value::Array(items) => items.iter().map(|item| fill_json(item, variables)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, item)| (name.clone(), fill_json(item, variables))).collect()
        }
        other => other.clone(),
    }
}
