//! The repository of named networks, peerings and routes.

use weir_base::id::{ClusterId, ProjectId};
use weir_base::time::Timestamp;
use weir_store::{NetworkRecord, PeeringRecord, PeeringState, RouteRecord, Store, StoreError};

use crate::clusters::cluster;
use crate::jobs::{audit, project};

fn network(id: &str, name: &str) -> NetworkRecord {
    NetworkRecord {
        id: id.into(),
        project: project(),
        name: name.into(),
        cidr: "192.168.0.0/16".into(),
        created_at: Timestamp(1),
    }
}

fn peering(id: &str, cluster: ClusterId, vpc_id: &str, tenant: &ProjectId) -> PeeringRecord {
    PeeringRecord {
        id: id.into(),
        cluster,
        cluster_vpc_id: format!("vpc-c{cluster}"),
        name: format!("to {vpc_id}"),
        description: String::new(),
        vpc_id: vpc_id.into(),
        tenant: tenant.clone(),
        state: PeeringState::Asked,
        created_at: Timestamp(2),
        updated_at: Timestamp(2),
    }
}

fn route(id: &str, peering: &str) -> RouteRecord {
    RouteRecord {
        id: id.into(),
        peering_id: peering.into(),
        destination: "192.168.1.0/24".into(),
        created_at: Timestamp(3),
    }
}

/// Writes peerings with ids as given, the first two of cluster 1, the third of cluster 2, each with a route.
async fn three_peerings(store: &Store) -> [PeeringRecord; 3] {
    let (c1, c2) = (cluster(store, "c1").await, cluster(store, "c2").await);
    assert_eq!((c1.id, c2.id), (ClusterId(1), ClusterId(2)));
    for (id, name) in [("n1", "one"), ("n2", "two")] {
        store.add_network(&network(id, name), &audit("addNetwork")).await.unwrap();
    }
    let other = ProjectId("p2".into());
    let peerings = [
        peering("b", c1.id, "n1", &project()),
        peering("a", c1.id, "n2", &other),
        peering("c", c2.id, "n1", &project()),
    ];
    for record in &peerings {
        store.create_peering(record, &audit("createPeering")).await.unwrap();
        let id = format!("r{}", record.id);
        store.create_route(&route(&id, &record.id), &audit("createRoute")).await.unwrap();
    }
    peerings
}

fn ids(routes: &[RouteRecord]) -> Vec<&str> {
    routes.iter().map(|route| route.id.as_str()).collect()
}

async fn networks_have_names_of_their_own(store: Store) {
    store.add_network(&network("n2", "b"), &audit("addNetwork")).await.unwrap();
    store.add_network(&network("n1", "a"), &audit("addNetwork")).await.unwrap();
    let taken = store.add_network(&network("n3", "a"), &audit("addNetwork")).await;
    assert!(matches!(taken, Err(StoreError::NameTaken)));
    let elsewhere = NetworkRecord { project: ProjectId("p2".into()), ..network("n4", "a") };
    store.add_network(&elsewhere, &audit("addNetwork")).await.unwrap();
    assert_eq!(store.networks(&project()).await.unwrap(), [network("n1", "a"), network("n2", "b")]);
    assert_eq!(store.networks(&elsewhere.project).await.unwrap(), [elsewhere]);
}

async fn a_peering_is_seen_from_both_sides(store: Store) {
    let [first, second, third] = three_peerings(&store).await;
    let of_cluster = store.peerings_of_cluster(ClusterId(1)).await.unwrap();
    assert_eq!(of_cluster, [second.clone(), first.clone()], "made at the same time: by id");
    assert_eq!(store.peerings_of_tenant(&project()).await.unwrap(), [first.clone(), third.clone()]);
    assert_eq!(ids(&store.routes_of_cluster(ClusterId(1)).await.unwrap()), ["ra", "rb"]);
    let routes = store.routes_of_tenant(&project()).await.unwrap();
    let expected = [(route("rb", "b"), "vpc-c1".to_string()), (route("rc", "c"), "vpc-c2".to_string())];
    assert_eq!(routes, expected);
    let twice = peering("d", ClusterId(1), "n1", &project());
    assert!(store.create_peering(&twice, &audit("createPeering")).await.is_err(), "one for each network");

    let accepted = PeeringRecord {
        name: "new".into(),
        description: "d".into(),
        state: PeeringState::Accepted,
        updated_at: Timestamp(9),
        ..first
    };
    assert_eq!(store.open_destinations().await.unwrap(), []);
    store.update_peering(&accepted, &audit("acceptPeering")).await.unwrap();
    let open = [(ClusterId(1), route("rb", "b").destination)];
    assert_eq!(store.open_destinations().await.unwrap(), open, "over the one that is accepted");
    assert_eq!(store.peerings_of_tenant(&project()).await.unwrap(), [accepted.clone(), third]);
    store.delete_peering("b", &audit("deletePeering")).await.unwrap();
    let gone = store.update_peering(&accepted, &audit("acceptPeering")).await;
    assert!(matches!(gone, Err(StoreError::Conflict)));
    assert_eq!(store.peerings_of_cluster(ClusterId(1)).await.unwrap(), [second]);
    assert_eq!(ids(&store.routes_of_cluster(ClusterId(1)).await.unwrap()), ["ra"]);
    store.delete_route("ra", &audit("deleteRoute")).await.unwrap();
    assert_eq!(store.routes_of_cluster(ClusterId(1)).await.unwrap(), []);
}

async fn what_leads_to_a_network_or_a_cluster_goes_with_it(store: Store) {
    let [_, second, _] = three_peerings(&store).await;
    store.remove_network(&network("n1", "one"), &audit("removeNetwork")).await.unwrap();
    assert_eq!(store.networks(&project()).await.unwrap(), [network("n2", "two")]);
    assert_eq!(store.peerings_of_tenant(&project()).await.unwrap(), []);
    assert_eq!(store.routes_of_tenant(&project()).await.unwrap(), []);
    assert_eq!(store.peerings_of_cluster(ClusterId(1)).await.unwrap(), [second]);
    let c1 = store.cluster(&project(), ClusterId(1)).await.unwrap().unwrap();
    store.end_cluster(&c1, Timestamp(9)).await.unwrap();
    assert_eq!(store.peerings_of_cluster(ClusterId(1)).await.unwrap(), []);
    assert_eq!(store.routes_of_cluster(ClusterId(1)).await.unwrap(), []);
}

super::tests!(
    networks_have_names_of_their_own,
    a_peering_is_seen_from_both_sides,
    what_leads_to_a_network_or_a_cluster_goes_with_it,
);
