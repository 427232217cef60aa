//! The repositories of clusters, their hosts and networks.

use weir_base::id::{ClusterId, ProjectId, UserId};
use weir_base::time::Timestamp;
use weir_store::{
    BillingMode, ClusterBeginning, ClusterDefinition, ClusterFacts, ClusterIntent, ClusterRecord,
    HostMapping, Intent, NewCluster, RunFacts, Store, StoreError,
};

use crate::jobs::{audit, create, project};

fn facts() -> ClusterFacts {
    ClusterFacts {
        intent: ClusterIntent::Run,
        intent_at: Timestamp(1),
        beginning: ClusterBeginning::Create,
        provisioned_at: None,
        starting_at: None,
        running_since: None,
        updating_since: None,
        halted_at: None,
        failed: false,
        reason: String::new(),
    }
}

pub async fn cluster(store: &Store, name: &str) -> ClusterRecord {
    let new = NewCluster {
        project: project(),
        user: UserId("u1".into()),
        name: name.into(),
        vpc_id: format!("vpc-{name}"),
        definition: ClusterDefinition::default(),
        facts: facts(),
        created_at: Timestamp(5),
    };
    let id = store.create_cluster(&new, audit("createCluster")).await.unwrap();
    store.cluster(&project(), id).await.unwrap().unwrap()
}

async fn a_cluster_is_read_as_it_was_written_and_writers_do_not_undo_each_other(store: Store) {
    let first = cluster(&store, "c1").await;
    assert_eq!((first.facts.clone(), first.billing_mode), (facts(), BillingMode::PayPerUse));
    let changed = ClusterFacts { reason: "because".into(), halted_at: Some(Timestamp(7)), ..facts() };
    store.write_cluster(&first, &changed, &[], &[], &[]).await.unwrap();
    let stale = store.write_cluster(&first, &facts(), &[], &[], &[]).await;
    assert!(matches!(stale, Err(StoreError::Conflict)));
    let read = store.cluster(&project(), first.id).await.unwrap().unwrap();
    assert_eq!(read.facts, changed);
    assert_eq!(store.cluster(&ProjectId("p2".into()), first.id).await.unwrap(), None);
    let renamed = ClusterRecord { name: "c2".into(), ..read.clone() };
    cluster(&store, "c3").await;
    let taken = ClusterRecord { name: "c3".into(), ..read.clone() };
    let taken = store.update_cluster(&read, &taken, &audit("updateCluster"), &[]).await;
    assert!(matches!(taken, Err(StoreError::NameTaken)));
    store.update_cluster(&read, &renamed, &audit("updateCluster"), &[]).await.unwrap();
    let read = store.cluster(&project(), first.id).await.unwrap().unwrap();
    let mode = (BillingMode::Period, Some(Timestamp(99)));
    store.set_billing_mode(&read, mode, None, &audit("x"), &[]).await.unwrap();
    let stale = store.set_billing_mode(&read, mode, None, &audit("x"), &[]).await;
    assert!(matches!(stale, Err(StoreError::Conflict)));
    let all = store.all_clusters().await.unwrap();
    let shown = |cluster: &ClusterRecord| (cluster.name.clone(), cluster.billing_mode, cluster.paid_until);
    let names: Vec<_> = all.iter().map(shown).collect();
    let expected = [
        ("c2".into(), BillingMode::Period, Some(Timestamp(99))),
        ("c3".into(), BillingMode::PayPerUse, None),
    ];
    assert_eq!(names, expected);
}

async fn a_stop_writes_cluster_and_jobs_together_or_not_at_all(store: Store) {
    let c1 = cluster(&store, "c1").await;
    let job = create(&store, "t1").await;
    let running = RunFacts { intent: Intent::Run, ..RunFacts::default() };
    store.update_facts(&[(&job, running.clone())], &[], &[], &[]).await.unwrap();
    let stopped = RunFacts { intent: Intent::Stop, ..running };
    let halted = ClusterFacts { intent: ClusterIntent::Stop, ..facts() };
    // The job was written since it was read.
    let stale = store.write_cluster(&c1, &halted, &[(&job, stopped.clone())], &[], &[]).await;
    assert!(matches!(stale, Err(StoreError::Conflict)));
    assert_eq!(store.cluster(&project(), c1.id).await.unwrap().unwrap().facts, facts());
    let job = store.job(&project(), job.id).await.unwrap().unwrap();
    store.write_cluster(&c1, &halted, &[(&job, stopped)], &[audit("stopCluster")], &[]).await.unwrap();
    assert_eq!(store.job(&project(), job.id).await.unwrap().unwrap().facts.intent, Intent::Stop);
}

async fn the_end_of_a_cluster_takes_its_names_along_and_leaves_its_jobs(store: Store) {
    // The jobs of these tests are in cluster 3.
    for name in ["c1", "c2"] {
        cluster(&store, name).await;
    }
    let c3 = cluster(&store, "c3").await;
    assert_eq!(c3.id, ClusterId(3));
    let job = create(&store, "t1").await;
    let hosts = [("a".to_string(), "10.0.0.1".to_string()), ("B".to_string(), "10.0.0.1".to_string())];
    let ids = store.add_hosts(c3.id, &hosts, &audit("addHosts")).await.unwrap();
    let twice =
        store.add_hosts(c3.id, &[("b".to_string(), "10.0.0.2".to_string())], &audit("addHosts")).await;
    assert!(twice.is_err(), "a name has no case");
    let changed = HostMapping { id: ids[0], hostname: "c".into(), ip: "10.0.0.3".into() };
    store.update_host(c3.id, &changed, &audit("updateHosts")).await.unwrap();
    store.delete_hosts(c3.id, &ids[1..], &audit("deleteHosts")).await.unwrap();
    assert_eq!(store.hosts(c3.id).await.unwrap(), [changed]);
    store.end_cluster(&c3, Timestamp(9)).await.unwrap();
    assert_eq!(store.cluster(&project(), c3.id).await.unwrap(), None);
    assert_eq!(store.hosts(c3.id).await.unwrap(), []);
    let job = store.job(&project(), job.id).await.unwrap().unwrap();
    assert_eq!(job.definition.cluster_id, None);
    cluster(&store, "c3").await;
}

super::tests!(
    a_cluster_is_read_as_it_was_written_and_writers_do_not_undo_each_other,
    a_stop_writes_cluster_and_jobs_together_or_not_at_all,
    the_end_of_a_cluster_takes_its_names_along_and_leaves_its_jobs,
);
