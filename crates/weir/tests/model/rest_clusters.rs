//! What the service shows at rest of clusters and their peerings, beside the model.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::json;
use weir_testkit::service::Client;

use crate::cluster::{Cluster, ClusterWanted};
use crate::rest::Disagreement::{self, Final, Moving};
use crate::rest::{becomes, items, number, same, text};
use crate::user::User;

/// Compares all clusters; `used` says how many SPUs the jobs of one hold.
pub async fn compare_clusters(
    observer: &Client,
    users: &[User],
    used: impl Fn(i64) -> i64,
) -> Result<(), Disagreement> {
    let answer = observer.call(Method::GET, "/v1.0/{project}/reserved_clusters?limit=100", None).await?;
    let clusters: BTreeMap<i64, &Cluster> =
        users.iter().flat_map(|user| &user.model.clusters).map(|(id, cluster)| (*id, cluster)).collect();
    let mut present = BTreeSet::new();
    for shown in items(&answer["payload"]["clusters"]) {
        let id = number(&shown["cluster_id"]);
        let Some(cluster) = clusters.get(&id) else {
            return Err(Final(format!("there is a cluster that should not be: {shown}")));
        };
        present.insert(id);
        let status = match cluster.wanted {
            ClusterWanted::Run => "cluster_running",
            ClusterWanted::Stop => "cluster_stopped",
            ClusterWanted::Delete => "",
        };
        if shown["status_name"] != status {
            return Err(Moving(format!("expected is `{status}` of the cluster {shown}")));
        }
        let what = format!("cluster {id}");
        same(&what, &shown["name"], &json!(cluster.name))?;
        same(&what, &shown["desc"], &json!(cluster.desc))?;
        same(&what, &shown["maximum_spu_quota"], &json!(cluster.spus))?;
        becomes(&format!("the SPUs of {what}"), &shown["spu_used"], &json!(used(id)))?;
        if used(id) > cluster.spus {
            return Err(Final(format!("the jobs of {what} hold {} of {} SPUs", used(id), cluster.spus)));
        }
        let path = format!("/v1.0/{{project}}/reserved_cluster/{id}/hosts?limit=100");
        let answer = observer.call(Method::GET, &path, None).await?;
        let hosts: BTreeMap<i64, String> = items(&answer["payload"]["hosts_info"])
            .map(|host| (number(&host["id"]), text(&host["info"]["hostname"])))
            .collect();
        same(&format!("the hosts of {what}"), &json!(hosts), &json!(cluster.hosts))?;
        compare_peerings(observer, id, cluster).await?;
    }
    compare_networks(observer, &clusters).await?;
    let is_missing =
        |id: &i64, cluster: &Cluster| cluster.wanted != ClusterWanted::Delete && !present.contains(id);
    match clusters.iter().find(|(id, cluster)| is_missing(id, cluster)) {
        Some((id, _)) => Err(Final(format!("cluster {id} is not there"))),
        None => Ok(()),
    }
}

/// Compares the peerings of a cluster as it shows them itself.
async fn compare_peerings(observer: &Client, id: i64, cluster: &Cluster) -> Result<(), Disagreement> {
    let path = format!("/v1.0/{{project}}/reserved_cluster/{id}/peering");
    let answer = observer.call(Method::GET, &path, None).await?;
    let shown: BTreeMap<String, [String; 3]> = items(&answer["peerings"])
        .map(|one| {
            (text(&one["id"]), [&one["name"], &one["status"], &one["accept_vpc_info"]["vpc_id"]].map(text))
        })
        .collect();
    let expected: BTreeMap<&String, [&str; 3]> = cluster
        .peerings
        .iter()
        .map(|(id, one)| (id, [one.name.as_str(), one.state.status(), one.network.as_str()]))
        .collect();
    same(&format!("the peerings of cluster {id}"), &json!(shown), &json!(expected))
}

/// Compares what the owner of the other networks sees: every peering and route, and none of a cluster that is gone.
async fn compare_networks(observer: &Client, clusters: &BTreeMap<i64, &Cluster>) -> Result<(), Disagreement> {
    let answer = observer.call(Method::GET, "/v2.0/vpc/peerings", None).await?;
    let shown: BTreeMap<String, String> =
        items(&answer["peerings"]).map(|one| (text(&one["id"]), text(&one["status"]))).collect();
    let there = || clusters.values().filter(|cluster| cluster.wanted != ClusterWanted::Delete);
    let peerings = || there().flat_map(|cluster| &cluster.peerings);
    let expected: BTreeMap<&String, &str> = peerings().map(|(id, one)| (id, one.state.status())).collect();
    same("the peerings with networks", &json!(shown), &json!(expected))?;
    let answer = observer.call(Method::GET, "/v2.0/vpc/routes", None).await?;
    let shown: BTreeMap<String, [String; 2]> = items(&answer["routes"])
        .map(|one| (text(&one["id"]), [&one["nexthop"], &one["destination"]].map(text)))
        .collect();
    let routes = peerings().flat_map(|(peering, one)| one.routes.iter().map(move |route| (peering, route)));
    let expected: BTreeMap<&String, [&String; 2]> =
        routes.map(|(peering, (id, destination))| (id, [peering, destination])).collect();
    same("the routes over peerings", &json!(shown), &json!(expected))
}
