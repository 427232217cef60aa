//! Pages of lists: every list is read from each place, in both orders and both directions, and each page is compared with
//! what it must have of the whole.
#![allow(clippy::unwrap_used)] // A test that cannot go on has failed.

mod common;

use std::time::Duration;

use common::{SQL, World};
use serde_json::{Value, json};

/// A list that is paged by the id of its last record.
struct List {
    path: String,
    member: &'static str,
    id: &'static str,
    /// Whether a page can be what is before the cursor.
    has_next: bool,
}

/// Something of everything that is listed.
async fn furnished() -> (World, i64) {
    let world = World::start(|_| {}).await;
    let mut clusters = Vec::new();
    for name in ["c1", "c2", "c3", "c4"] {
        let small = json!({ "name": name, "maximum_spu_quota": 20 });
        let (code, body) = world.call("POST", "/reserved_cluster", Some(small)).await;
        assert_eq!(code, "CS.20000", "{body}");
        clusters.push(body["payload"]["cluster_id"].as_i64().unwrap());
    }
    let cluster = clusters[0];
    runs(&world, cluster).await;
    for number in 1..=5 {
        let more = json!({ "run_mode": "exclusive_cluster", "cluster_id": cluster, "sql_body": SQL });
        world.create(&format!("of-cluster-{number}"), more).await;
        world.create(&format!("shared-{number}"), json!({})).await;
        let host =
            json!({ "hosts_info": [{ "hostname": format!("h{number}"), "ip": format!("10.0.0.{number}") }] });
        let path = format!("/reserved_cluster/{cluster}/hosts");
        let (_, body) = world.call("POST", &path, Some(host)).await;
        assert_eq!(body[0]["message_id"], "CS.22018", "{body}");
        let template = json!({ "name": format!("t{number}") });
        assert_eq!(world.call("POST", "/job_template", Some(template)).await.0, "CS.18020");
    }
    // The list has the users that are known to the service.
    for user in ["ann", "bob", "reader", "stranger"] {
        let path = format!("/user_quota/{}", world.users[user]);
        let (code, body) = world.call("PATCH", &path, Some(json!({ "spu_quota": 5 }))).await;
        assert!(body.get("error_id").is_none() && !code.is_empty(), "{body}");
    }
    (world, cluster)
}

async fn runs(world: &World, cluster: i64) {
    for _ in 0..500 {
        let (_, body) = world.call("GET", &format!("/reserved_cluster/{cluster}"), None).await;
        if body["payload"]["status_code"] == 5 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("cluster {cluster} does not run");
}

/// Reads a page; returns the total and the values of a member of the records, as texts.
async fn read(world: &World, path: &str, place: &str, id: &str) -> (i64, Vec<String>) {
    let (_, body) = world.call("GET", path, None).await;
    let records = body.pointer(place).and_then(Value::as_array).unwrap_or_else(|| panic!("{path}: {body}"));
    let text = |record: &Value| match &record[id] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let total =
        ["/payload/total", "/job_list/total_count"].iter().find_map(|place| body.pointer(place)?.as_i64());
    (total.unwrap(), records.iter().map(text).collect())
}

/// What a page must have of all records, which are in the order of the list.
fn page_of(all: &[String], cursor: Option<&str>, next: bool, limit: usize) -> Vec<String> {
    let place = cursor.map(|cursor| all.iter().position(|id| id == cursor).unwrap());
    let (from, to) = match (place, next) {
        (None, _) => (0, limit),
        (Some(place), true) => (place + 1, place + 1 + limit),
        (Some(place), false) => (place.saturating_sub(limit), place),
    };
    all[from.min(all.len())..to.min(all.len())].to_vec()
}

#[test]
fn the_same_on_postgres() {
    common::databases::repeat_on_postgres();
}

#[tokio::test]
async fn pages_by_the_last_id_in_both_orders_and_directions() {
    let (world, cluster) = furnished().await;
    let list = |path: &str, member, id, has_next| List { path: path.to_string(), member, id, has_next };
    for List { path, member, id, has_next } in [
        list("/jobs", "jobs", "job_id", true),
        list(&format!("/reserved_cluster/{cluster}/jobs"), "jobs", "job_id", true),
        list("/reserved_clusters", "clusters", "cluster_id", true),
        list(&format!("/reserved_cluster/{cluster}/hosts"), "hosts_info", "id", true),
        list("/user_quotas", "users", "user_id", true),
        list("/job_templates", "templates", "template_id", false),
    ] {
        let place = format!("/payload/{member}");
        let (total, mut ascending) = read(&world, &format!("{path}?order=asc&limit=100"), &place, id).await;
        assert!(ascending.len() >= 4 && usize::try_from(total).unwrap() == ascending.len(), "{path}");
        let is_number = ascending[0].parse::<u64>().is_ok() && ascending[0].len() < 20;
        let key = |id: &String| (if is_number { id.parse::<u64>().unwrap() } else { 0 }, id.clone());
        assert!(ascending.windows(2).all(|two| key(&two[0]) < key(&two[1])), "{path}: {ascending:?}");
        for order in ["asc", "desc"] {
            if order == "desc" {
                ascending.reverse();
            }
            let all = &ascending;
            let cursors = std::iter::once(None).chain(all.iter().map(|id| Some(id.as_str())));
            for cursor in cursors {
                for (next, limit) in [(true, 1), (true, 2), (true, 100), (false, 1), (false, 3)] {
                    if !next && !has_next {
                        continue;
                    }
                    let mut asked = format!("{path}?order={order}&limit={limit}&next={next}");
                    if let Some(cursor) = cursor {
                        asked.push_str(&format!("&cursor={cursor}"));
                    }
                    let found = read(&world, &asked, &place, id).await;
                    assert_eq!(found, (total, page_of(all, cursor, next, limit)), "{asked}");
                }
            }
        }
        // Descending, and after the cursor, unless something else is said.
        let second = format!("{path}?limit=2&cursor={}", ascending[0]);
        assert_eq!(read(&world, &second, &place, id).await.1, ascending[1..3], "{second}");
    }
}

#[tokio::test]
async fn pages_of_the_successors_list_by_an_offset() {
    let (world, _) = furnished().await;
    let place = "/job_list/jobs";
    let (total, mut all) = read(&world, "/streaming/jobs?limit=100&order=asc", place, "job_id").await;
    assert_eq!((total, all.len()), (10, 10));
    for order in ["asc", "desc"] {
        if order == "desc" {
            all.reverse();
        }
        for (offset, limit) in [(0, 0), (0, 3), (3, 3), (9, 3), (10, 3), (1_000, 100)] {
            let asked = format!("/streaming/jobs?order={order}&offset={offset}&limit={limit}");
            let page: Vec<_> = all.iter().skip(offset).take(limit).cloned().collect();
            assert_eq!(read(&world, &asked, place, "job_id").await, (total, page), "{asked}");
        }
    }
}

#[tokio::test]
async fn pages_of_the_audit_by_number_and_by_event() {
    let (world, _) = furnished().await;
    let traces = async |query: &str| {
        let path = format!("/audit_logs?resource_type=job{query}");
        read(&world, &path, "/payload/traces", "resource_id").await
    };
    let (total, all) = traces("&limit=50").await;
    assert_eq!((total, all.len()), (10, 10));
    let newest_first: Vec<_> = all.iter().map(|id| id.parse::<i64>().unwrap()).collect();
    assert!(newest_first.windows(2).all(|two| two[0] > two[1]), "{newest_first:?}");
    for number in 0..5 {
        let page: Vec<_> = all.iter().skip(3 * number).take(3).cloned().collect();
        assert_eq!(traces(&format!("&limit=3&page_number={number}")).await, (10, page), "{number}");
    }
    // The ids of events are those of the trace list.
    let url = format!("/v3/{}/traces?resource_type=job&limit=100", world.project);
    let listed: Value = world.request_of("GET", &url, "admin").send().await.unwrap().json().await.unwrap();
    let events: Vec<_> =
        listed["traces"].as_array().unwrap().iter().map(|t| t["trace_id"].as_str().unwrap()).collect();
    assert_eq!(events.len(), 10, "{listed}");
    for (place, event) in events.iter().enumerate() {
        let page: Vec<_> = all.iter().skip(place + 1).take(2).cloned().collect();
        let asked = format!("&limit=2&cursor={event}&page_number=3");
        assert_eq!(traces(&asked).await, (10, page), "{asked}");
    }
    assert_eq!(traces(&format!("&limit=2&resource_id={}", all[4])).await, (1, vec![all[4].clone()]));
}
