//! Every acknowledged call has exactly one record of each resource, every refused one exactly one of what it was
//! refused for, and there are no others.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail, ensure};
use reqwest::Method;
use weir_testkit::service::Client;

use crate::calls::{Call, Resource, Trail};

/// Records in a page of the trace list.
const PAGE: usize = 200;

/// A record as the trace list shows it.
#[derive(Debug, Clone)]
pub struct Record {
    request: String,
    /// The name of the user who called.
    user: String,
    event: String,
    /// `normal`, `warning` or `incident`.
    rating: String,
    resource: String,
    name: String,
}

/// What a call must have left.
pub struct Expected {
    pub request: String,
    pub call: Call,
    pub refused: bool,
}

/// Reads the audit as it grows.
#[derive(Default)]
pub struct Auditor {
    /// The newest record that was read.
    newest: Option<String>,
    /// Records that were compared.
    pub compared: usize,
}

impl Auditor {
    /// Skips what there is.
    pub async fn skip(&mut self, client: &Client) -> anyhow::Result<()> {
        self.read_new(client).await?;
        Ok(())
    }

    /// Reads what is new, compares it with what calls must have left, and says of each call whose answer is not known
    /// what it made, or `None` for one that did not happen. Such calls come with the names of their users.
    pub async fn compare(
        &mut self,
        client: &Client,
        expected: Vec<Expected>,
        unknown: &[(&str, &Call)],
    ) -> anyhow::Result<Vec<Option<Vec<String>>>> {
        let mut by_request: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        for record in self.read_new(client).await? {
            self.compared += 1;
            // What the service did by itself belongs to no call of a user, nor do the settlements at rests.
            if !record.request.is_empty() && record.event != "settleAccount" {
                by_request.entry(record.request.clone()).or_default().push(record);
            }
        }
        for Expected { request, call, refused } in expected {
            let records = by_request.remove(&request).unwrap_or_default();
            let fits = match refused {
                true => of_refused(call.trail().event, &records),
                false => of_acknowledged(&call.trail(), &records),
            };
            let how = if refused { "refused" } else { "acknowledged" };
            ensure!(fits, "{call:?} was {how}, and the audit has of it {records:?}");
        }
        let mut found = vec![None; unknown.len()];
        for records in by_request.into_values() {
            if records.iter().all(|record| record.rating == "warning") {
                let is_it = |(user, call): &(&str, &Call)| {
                    *user == records[0].user && of_refused(call.trail().event, &records)
                };
                ensure!(unknown.iter().any(is_it), "nobody made the refused call {records:?}");
                continue;
            }
            let of_call = unknown.iter().zip(&mut found);
            let is_of = |user: &str| records.iter().any(|record| record.user == user);
            let mut fitting = of_call.filter(|((user, call), found)| {
                found.is_none() && is_of(user) && of_acknowledged(&call.trail(), &records)
            });
            match fitting.next() {
                Some((_, found)) => *found = Some(ids(&records)),
                None => bail!(
                    "the audit has {records:?}, which no call can have left, or not so; unknown is {unknown:?}"
                ),
            }
        }
        Ok(found)
    }

    async fn read_new(&mut self, client: &Client) -> anyhow::Result<Vec<Record>> {
        let mut records = Vec::new();
        let mut next = String::new();
        let before = self.newest.clone();
        loop {
            let path = format!("/v3/{{project}}/traces?service_type=CS&limit={PAGE}&next={next}");
            let answer = client.call(Method::GET, &path, None).await?;
            for trace in answer["traces"].as_array().context("no traces")? {
                let text = |name: &str| trace[name].as_str().unwrap_or_default().to_string();
                let id = text("trace_id");
                if before.as_ref() == Some(&id) {
                    return Ok(records);
                }
                if records.is_empty() {
                    self.newest = Some(id);
                }
                records.push(Record {
                    request: text("request_id"),
                    user: trace["user"]["name"].as_str().unwrap_or_default().to_string(),
                    event: text("trace_name"),
                    rating: text("trace_rating"),
                    resource: text("resource_id"),
                    name: text("resource_name"),
                });
            }
            match answer["meta_data"]["marker"].as_str() {
                Some(marker) => next = marker.to_string(),
                None => return Ok(records),
            }
        }
    }
}

/// Whether records are those of a refused call: one, or one of each of the jobs that it was refused for.
fn of_refused(event: &str, records: &[Record]) -> bool {
    let about: BTreeSet<&String> = records.iter().map(|record| &record.resource).collect();
    !records.is_empty()
        && about.len() == records.len()
        && records.iter().all(|record| record.rating == "warning" && record.event == event)
}

/// Whether records are those of an acknowledged call: one of each resource, and no more but of what follows from it.
fn of_acknowledged(trail: &Trail, records: &[Record]) -> bool {
    let follows = |record: &Record| trail.follows.is_some_and(|event| record.event == event);
    let records: Vec<&Record> = records.iter().filter(|record| !follows(record)).collect();
    let is_about = |record: &Record, resource: &Resource| match resource {
        Resource::Id(id) => record.resource == *id,
        Resource::Account => true,
        Resource::Named(name) => record.name == *name && !record.resource.is_empty(),
    };
    let about: BTreeSet<&String> = records.iter().map(|record| &record.resource).collect();
    records.len() == trail.resources.len()
        && about.len() == records.len()
        && records.iter().all(|record| record.rating == "normal" && record.event == trail.event)
        && trail.resources.iter().all(|resource| records.iter().any(|record| is_about(record, resource)))
}

fn ids(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.resource.clone()).collect()
}
