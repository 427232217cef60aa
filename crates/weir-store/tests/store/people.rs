//! Templates, quotas, and the reading of the audit.

use std::collections::{BTreeMap, BTreeSet};

use weir_base::id::{ClusterId, ProjectId, TemplateId, UserId};
use weir_base::time::Timestamp;
use weir_cloud::identity::{AGENCY_ROLES, AssignmentTarget, ServiceAgencyError, Standing};
use weir_store::{AuditFilter, AuditRecord, QuotaChange, Store, StoreError, TemplateDefinition};

use super::accounts::{identity, options};
use super::jobs::{audit, audits, create, project};

fn template(name: &str) -> TemplateDefinition {
    TemplateDefinition { name: name.into(), sql_body: "x".into(), ..TemplateDefinition::default() }
}

fn of(user: &str, event: &str) -> AuditRecord {
    AuditRecord { user: UserId(user.into()), resource_type: "template".into(), ..audit(event) }
}

async fn a_template_has_a_name_of_its_own_until_it_is_deleted(store: Store) {
    let id = store.create_template(&template("t1"), 2, of("u1", "createTemplate")).await.unwrap();
    let taken = store.create_template(&template("t1"), 2, of("u2", "createTemplate")).await;
    assert!(matches!(taken, Err(StoreError::NameTaken)));
    let other = store.create_template(&template("t2"), 2, of("u2", "createTemplate")).await.unwrap();
    let full = store.create_template(&template("t3"), 2, of("u2", "createTemplate")).await;
    assert!(matches!(full, Err(StoreError::TooMany { limit: 2 })));
    let taken = store.update_template(other, &template("t1"), &of("u2", "updateTemplate")).await;
    assert!(matches!(taken, Err(StoreError::NameTaken)));
    store.update_template(other, &template("t2"), &of("u2", "updateTemplate")).await.unwrap();
    let found = store.template(&project(), id).await.unwrap().unwrap();
    assert_eq!((found.definition, found.user), (template("t1"), UserId("u1".into())));
    assert_eq!(store.template(&ProjectId("q".into()), id).await.unwrap(), None);
    assert_eq!(store.templates(&project(), Some(&UserId("u2".into()))).await.unwrap().len(), 1);
    store.delete_template(id, &of("u1", "deleteTemplate")).await.unwrap();
    let gone = store.delete_template(id, &of("u1", "deleteTemplate")).await;
    assert!(matches!(gone, Err(StoreError::Conflict)));
    let again = store.create_template(&template("t1"), 2, of("u1", "createTemplate")).await.unwrap();
    assert!(again > other && other > id, "ids are not given out twice");
    assert_eq!(store.templates(&project(), None).await.unwrap().len(), 2);
}

async fn a_quota_changes_only_in_what_is_said(store: Store) {
    let user = UserId("u1".into());
    let clusters = |ids: &[i64]| Some(ids.iter().copied().collect::<BTreeSet<_>>());
    let update = async |change: QuotaChange| {
        store.update_quota((&user, "ann"), &change, 1_000, &audit("updateUserQuota")).await.unwrap();
    };
    update(QuotaChange { spu_quota: None, clusters: clusters(&[2, 1]) }).await;
    assert_eq!(store.spu_quotas(&project()).await.unwrap(), BTreeMap::from([(user.clone(), 1_000)]));
    update(QuotaChange { spu_quota: Some(5), clusters: None }).await;
    assert_eq!(store.spu_quotas(&project()).await.unwrap(), BTreeMap::from([(user.clone(), 5)]));
    let assigned = store.clusters_of_users(&project()).await.unwrap();
    assert_eq!(assigned, BTreeMap::from([(user.clone(), BTreeSet::from([1, 2]))]));
    let own = store.clusters_of_user(&project(), &user).await.unwrap();
    assert_eq!(own, BTreeSet::from([ClusterId(1), ClusterId(2)]));
    update(QuotaChange { spu_quota: None, clusters: clusters(&[]) }).await;
    assert_eq!(store.clusters_of_users(&project()).await.unwrap(), BTreeMap::new());
}

async fn a_user_sees_the_records_of_own_calls_and_things(store: Store) {
    let job = create(&store, "j1").await;
    let id = store.create_template(&template("t1"), 9, of("u2", "createTemplate")).await.unwrap();
    let by_another = AuditRecord {
        user: UserId("u3".into()),
        resource_id: job.id.to_string(),
        event_time: Timestamp(1_000),
        ..audit("stopJob")
    };
    store.write_audit(&by_another).await.unwrap();
    store
        .delete_template(id, &AuditRecord { resource_id: id.to_string(), ..of("u3", "deleteTemplate") })
        .await
        .unwrap();

    let names = async |filter: AuditFilter| {
        let found = store.audit_records(&project(), &filter, 0, 10).await.unwrap();
        assert_eq!(store.count_audit_records(&project(), &filter).await.unwrap(), found.len() as i64);
        found.into_iter().map(|stored| stored.record.event_name).collect::<Vec<_>>()
    };
    let seen_by =
        |user: &str| AuditFilter { visible_to: Some(UserId(user.into())), ..AuditFilter::default() };
    assert_eq!(names(seen_by("u1")).await, ["stopJob", "createJob"]);
    assert_eq!(names(seen_by("u2")).await, ["deleteTemplate", "createTemplate"], "of a deleted one too");
    assert_eq!(names(seen_by("u3")).await, ["deleteTemplate", "stopJob"]);
    let late = AuditFilter { from: Some(Timestamp(1_000)), to: Some(Timestamp(1_000)), ..seen_by("u1") };
    assert_eq!(names(late).await, ["stopJob"]);
    let of_type = AuditFilter { resource_type: Some("template".into()), ..AuditFilter::default() };
    assert_eq!(names(of_type).await, ["deleteTemplate", "createTemplate"]);

    let all = store.audit_records(&project(), &AuditFilter::default(), 0, 10).await.unwrap();
    let before = AuditFilter { before: Some(all[1].id), ..AuditFilter::default() };
    assert_eq!(store.audit_records(&project(), &before, 0, 10).await.unwrap(), all[2..]);
    assert_eq!(store.audit_records(&project(), &AuditFilter::default(), 1, 2).await.unwrap(), all[1..3]);
    let one = AuditFilter { id: Some(all[2].id), ..AuditFilter::default() };
    assert_eq!(store.audit_records(&project(), &one, 0, 10).await.unwrap(), all[2..3]);
    assert_eq!(
        store.audit_records(&ProjectId("q".into()), &AuditFilter::default(), 0, 10).await.unwrap(),
        []
    );
}

async fn what_somebody_sent_is_cut_in_the_audit(store: Store) {
    let long = AuditRecord { resource_name: format!("a\0b\n{}", "ü".repeat(900)), ..audit("createJob") };
    store.write_audit(&long).await.unwrap();
    let kept = audits(&store, &project()).await.remove(0).resource_name;
    assert!(kept.starts_with("a b ü") && kept.len() <= 512 && kept.len() > 500, "{kept}");
}

async fn a_tracker_is_on_until_it_is_switched_off(store: Store) {
    let other = ProjectId("q".into());
    assert!(store.is_tracker_on(&project()).await.unwrap());
    for on in [false, true, false] {
        store.switch_tracker(on, &audit("updateTracker")).await.unwrap();
        assert_eq!(store.is_tracker_on(&project()).await.unwrap(), on);
    }
    assert!(store.is_tracker_on(&other).await.unwrap());
    assert_eq!(store.projects_without_tracker().await.unwrap(), BTreeSet::from([project()]));
    assert_eq!(audits(&store, &project()).await.len(), 3);
}

async fn who_uses_a_project_is_known(store: Store) {
    create(&store, "j1").await;
    let id = store.create_template(&template("t1"), 9, of("u2", "createTemplate")).await.unwrap();
    let users = |names: &[&str]| names.iter().map(|name| UserId((*name).into())).collect::<BTreeSet<_>>();
    assert_eq!(store.users_of_project(&project()).await.unwrap(), users(&["u1", "u2"]));
    store.delete_template(id, &of("u2", "deleteTemplate")).await.unwrap();
    assert_eq!(store.users_of_project(&project()).await.unwrap(), users(&["u1"]));
    assert_eq!(store.template(&project(), TemplateId(id.0)).await.unwrap(), None);
}

async fn an_account_keeps_its_agencies_and_its_standing(store: Store) {
    let identity = identity(&store);
    let made = identity.bootstrap(options()).await.unwrap();
    assert_eq!(identity.service_agency_roles(&made.project_id).await.unwrap(), AGENCY_ROLES);
    let agency = identity.agencies(&made.domain_id).await.unwrap().remove(0);
    let project = AssignmentTarget::Project(made.project_id.clone());
    identity.take_from_agency(&agency, project, "smn_adm").await.unwrap();
    // A restart does not give back what was taken away.
    identity.bootstrap(options()).await.unwrap();
    let left = identity.service_agency_roles(&made.project_id).await.unwrap();
    assert!(!left.contains(&"smn_adm") && left.len() == 5, "{left:?}");
    identity.delete_agency(&made.domain_id, &agency.id).await.unwrap();
    let missing = identity.service_agency_roles(&made.project_id).await;
    assert_eq!(missing, Err(ServiceAgencyError::Missing));

    assert_eq!(identity.standing(&made.domain_id).await.unwrap(), Standing::default());
    let standing = Standing { real_name_verified: false, restricted: true };
    identity.set_standing(&made.domain_id, standing, &[audit("setAccount")]).await.unwrap();
    assert_eq!(identity.standing(&made.domain_id).await.unwrap(), standing);
    assert!(identity.set_standing("nobody", standing, &[audit("setAccount")]).await.is_err());
}

super::tests!(
    what_somebody_sent_is_cut_in_the_audit,
    a_tracker_is_on_until_it_is_switched_off,
    an_account_keeps_its_agencies_and_its_standing,
    a_template_has_a_name_of_its_own_until_it_is_deleted,
    a_quota_changes_only_in_what_is_said,
    a_user_sees_the_records_of_own_calls_and_things,
    who_uses_a_project_is_known
);
