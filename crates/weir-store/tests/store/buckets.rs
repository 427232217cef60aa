//! Whose buckets are.

use weir_base::id::ProjectId;
use weir_store::Store;

use super::jobs::audit;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

async fn projects(store: &Store, ids: &[&str]) {
    sqlx::query("INSERT INTO account_domains (id, name) VALUES ('d', 'd') ON CONFLICT DO NOTHING")
        .execute(store.pool())
        .await
        .unwrap();
    for id in ids {
        let insert =
            "INSERT INTO account_projects (id, domain_id, name, description) VALUES ($1, 'd', $1, '')";
        sqlx::query(insert).bind(*id).execute(store.pool()).await.unwrap();
    }
}

async fn a_bucket_has_one_owner_until_it_is_given_away(store: Store) {
    let (one, two) = (ProjectId("one".to_string()), ProjectId("two".to_string()));
    assert_eq!(store.bucket_owner("b1").await.unwrap(), None);
    store.claim_buckets(&names(&["b1", "b2"]), &one).await.unwrap();
    store.claim_buckets(&names(&["b2", "b3"]), &two).await.unwrap();
    assert_eq!(store.bucket_owner("b2").await.unwrap(), Some(one.clone()));
    assert_eq!(store.buckets_of(&two).await.unwrap().into_iter().collect::<Vec<_>>(), ["b3"]);
    store.give_bucket("b2", &two, &[]).await.unwrap();
    store.give_bucket("b4", &two, &[]).await.unwrap();
    assert_eq!(store.buckets_of(&one).await.unwrap().into_iter().collect::<Vec<_>>(), ["b1"]);
    assert_eq!(store.buckets_of(&two).await.unwrap().into_iter().collect::<Vec<_>>(), ["b2", "b3", "b4"]);
    assert_eq!(store.bucket_owners().await.unwrap().len(), 4);
}

async fn an_authorization_is_worth_nothing_without_the_bucket(store: Store) {
    let record = audit("authorizeBucket");
    store.authorize_buckets(&names(&["b1"]), |_| record.clone()).await.unwrap();
    assert!(store.authorized_buckets(&record.project).await.unwrap().is_empty(), "nobody's");
    store.give_bucket("b1", &ProjectId("other".to_string()), &[]).await.unwrap();
    assert!(store.authorized_buckets(&record.project).await.unwrap().is_empty(), "of another project");
    store.give_bucket("b1", &record.project, &[]).await.unwrap();
    assert!(store.authorized_buckets(&record.project).await.unwrap().contains("b1"));
}

async fn a_project_is_the_only_one_until_there_is_another(store: Store) {
    assert_eq!(store.only_project().await.unwrap(), None);
    projects(&store, &["one"]).await;
    assert_eq!(store.only_project().await.unwrap(), Some(ProjectId("one".to_string())));
    projects(&store, &["two"]).await;
    assert_eq!(store.only_project().await.unwrap(), None);
}

super::tests!(
    a_bucket_has_one_owner_until_it_is_given_away,
    an_authorization_is_worth_nothing_without_the_bucket,
    a_project_is_the_only_one_until_there_is_another,
);
