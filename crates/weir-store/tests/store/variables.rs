//! Global variables of projects.

use weir_base::id::{ProjectId, UserId};
use weir_base::time::Timestamp;
use weir_store::{AuditRecord, Store, VariableRecord};

fn audit(project: &ProjectId, event: &str) -> AuditRecord {
    AuditRecord {
        project: project.clone(),
        user: UserId(String::new()),
        user_name: "operator".to_string(),
        request_id: String::new(),
        source_ip: String::new(),
        service: "CS".to_string(),
        resource_type: "variable".to_string(),
        resource_id: String::new(),
        resource_name: "key".to_string(),
        event_name: event.to_string(),
        event_type: "OperatorCommand".to_string(),
        event_rating: "normal".to_string(),
        status: 200,
        op_result: String::new(),
        event_time: Timestamp(7),
    }
}

fn record(name: &str, sealed: &str) -> VariableRecord {
    VariableRecord { name: name.to_string(), sealed: sealed.to_string(), updated_at: Timestamp(7) }
}

async fn a_project_has_each_name_once_and_sees_its_own_alone(store: Store) {
    let (one, two) = (ProjectId("one".to_string()), ProjectId("two".to_string()));
    let set = audit(&one, "setVariable");
    assert!(store.set_variable(&one, &record("key", "a"), &set).await.unwrap());
    assert!(!store.set_variable(&one, &record("key", "b"), &set).await.unwrap());
    assert!(store.set_variable(&one, &record("KEY", "c"), &set).await.unwrap());
    assert_eq!(store.variables(&one).await.unwrap(), [record("KEY", "c"), record("key", "b")]);
    assert_eq!(store.variables(&two).await.unwrap(), []);
}

async fn what_happened_is_on_record_and_what_did_not_is_not(store: Store) {
    let project = ProjectId("p".to_string());
    let (set, removed) = (audit(&project, "setVariable"), audit(&project, "removeVariable"));
    store.set_variable(&project, &record("key", "a"), &set).await.unwrap();
    assert!(store.remove_variable(&project, "key", &removed).await.unwrap());
    assert!(!store.remove_variable(&project, "key", &removed).await.unwrap());
    assert_eq!(super::jobs::audits(&store, &project).await, [removed, set]);
}

super::tests!(
    a_project_has_each_name_once_and_sees_its_own_alone,
    what_happened_is_on_record_and_what_did_not_is_not
);
