//! The repository of jobs.

use weir_base::id::{JobId, ProjectId, UserId};
use weir_base::savepoint::{SavepointAsk, SavepointPlace};
use weir_base::time::Timestamp;
use weir_store::{
    AlarmRecord, AuditFilter, AuditRecord, EndKind, Intent, JobDefinition, JobFilter, JobRange, JobRecord,
    NewJob, Report, RunFacts, RunPhase, SavepointFacts, Store, StoreError,
};

pub fn project() -> ProjectId {
    ProjectId("p1".into())
}

pub fn audit(event: &str) -> AuditRecord {
    AuditRecord {
        project: project(),
        user: UserId("u1".into()),
        user_name: "ann".into(),
        request_id: "r1".into(),
        source_ip: String::new(),
        service: "CS".to_string(),
        resource_type: "job".into(),
        resource_id: String::new(),
        resource_name: "t1".into(),
        event_name: event.into(),
        event_type: "ApiCall".into(),
        event_rating: "normal".into(),
        status: 200,
        op_result: "CS.11000::CREATE_JOB_SUCCESS:: done".into(),
        event_time: Timestamp(5),
    }
}

/// Returns the audit records of a project, newest first.
pub async fn audits(store: &Store, project: &ProjectId) -> Vec<AuditRecord> {
    let found = store.audit_records(project, &AuditFilter::default(), 0, 1_000).await.unwrap();
    found.into_iter().map(|stored| stored.record).collect()
}

fn new_job(name: &str) -> NewJob {
    NewJob {
        project: project(),
        user: UserId("u1".into()),
        user_name: "ann".into(),
        definition: JobDefinition { name: name.into(), cluster_id: Some(3), ..JobDefinition::default() },
        create_time: Timestamp(5),
    }
}

pub async fn create(store: &Store, name: &str) -> JobRecord {
    let id = store.create_job(&new_job(name), 100, audit("createJob")).await.unwrap();
    store.job(&project(), id).await.unwrap().unwrap()
}

fn running() -> RunFacts {
    RunFacts {
        intent: Intent::Run,
        intent_at: Timestamp(6),
        frozen_at: Some(Timestamp(7)),
        attempt: 2,
        submitted_at: Some(Timestamp(7)),
        accepted: true,
        reached_running: true,
        running_since: Some(Timestamp(8)),
        start_time: Timestamp(8),
        stopped_at: Some(Timestamp(9)),
        failures: 1,
        retry_at: Some(Timestamp(10)),
        end: Some(EndKind::CancelFailed),
        held: Some(weir_store::Held { run_mode: "exclusive_cluster".into(), cluster_id: Some(4), spus: 5 }),
        reason: "because".into(),
        savepoint: SavepointFacts {
            latest: Some(SavepointPlace::of_job(JobId(1), None)),
            resume: true,
            ask: Some(SavepointAsk {
                at: Timestamp(3),
                place: SavepointPlace::of_job(JobId(1), Some("b1".into())),
                stop: true,
            }),
            ..SavepointFacts::default()
        },
    }
}

async fn a_job_is_read_as_it_was_written(store: Store) {
    let job = create(&store, "t1").await;
    assert_eq!(job.definition, new_job("t1").definition);
    assert_eq!(job.facts, RunFacts::default());
    let facts = running();
    store.update_facts(&[(&job, facts.clone())], &[], &[], &[]).await.unwrap();
    let read = store.job(&project(), job.id).await.unwrap().unwrap();
    assert_eq!(read.facts, facts);
    assert_eq!(store.job(&ProjectId("p2".into()), job.id).await.unwrap(), None);
    let states = store.job_states(&project(), &JobFilter::default()).await.unwrap();
    assert_eq!(states.len(), 1);
    assert_eq!((states[0].id, &states[0].facts, states[0].seen_at), (job.id, &facts, read.seen_at));
}

async fn a_name_is_free_again_after_a_delete_but_an_id_never_is(store: Store) {
    let job = create(&store, "t1").await;
    let taken = store.create_job(&new_job("t1"), 100, audit("createJob")).await;
    assert!(matches!(taken, Err(StoreError::NameTaken)));
    store.delete_jobs(std::slice::from_ref(&job), Timestamp(9), &[audit("deleteJob")]).await.unwrap();
    assert_eq!(store.job(&project(), job.id).await.unwrap(), None);
    let again = create(&store, "t1").await;
    assert!(again.id > job.id);
    let waiting: Vec<JobId> = store.jobs_to_reconcile().await.unwrap().iter().map(|job| job.id).collect();
    assert_eq!(waiting, [job.id], "the deleted job has to be cleared away");
    let report = Report { attempt: 0, seen_at: Timestamp(7), metrics: serde_json::json!({}), graph: None };
    store.write_report(job.id, &report).await.unwrap();
    store.mark_cleared(job.id, &[]).await.unwrap();
    assert_eq!(store.stored_metrics(job.id).await.unwrap(), None, "nothing is left but the record");
    assert!(store.jobs_to_reconcile().await.unwrap().is_empty());
}

async fn of_two_writers_the_second_is_told(store: Store) {
    let job = create(&store, "t1").await;
    store.update_facts(&[(&job, running())], &[], &[], &[]).await.unwrap();
    let late = store.update_facts(&[(&job, RunFacts::default())], &[audit("stopJob")], &[], &[]).await;
    assert!(matches!(late, Err(StoreError::Conflict)));
    let events: Vec<String> = audits(&store, &project()).await.into_iter().map(|a| a.event_name).collect();
    assert_eq!(events, ["createJob"], "the audit record of the lost write is not there either");
}

async fn an_alarm_is_written_with_its_fact_or_not_at_all(store: Store) {
    let job = create(&store, "t1").await;
    let alarm = |id: &str| AlarmRecord {
        id: id.into(),
        project: project(),
        job: job.id,
        topic: "alarms".into(),
        body: "{}".into(),
        attempts: 0,
        due: Timestamp(5),
    };
    store.update_facts(&[(&job, running())], &[], &[alarm("a")], &[]).await.unwrap();
    assert!(store.update_facts(&[(&job, running())], &[], &[alarm("b")], &[]).await.is_err());
    assert_eq!(store.due_alarms(Timestamp(4), 9).await.unwrap(), []);
    assert_eq!(store.due_alarms(Timestamp(5), 9).await.unwrap(), [alarm("a")]);
    store.defer_alarm("a", Timestamp(8)).await.unwrap();
    assert_eq!(store.due_alarms(Timestamp(7), 9).await.unwrap(), []);
    let deferred = AlarmRecord { attempts: 1, due: Timestamp(8), ..alarm("a") };
    assert_eq!(store.due_alarms(Timestamp(8), 9).await.unwrap(), [deferred]);
    store.remove_alarm("a").await.unwrap();
    assert_eq!(store.due_alarms(Timestamp::MAX, 9).await.unwrap(), []);
}

async fn a_batch_is_written_whole_or_not_at_all(store: Store) {
    let (a, b) = (create(&store, "a").await, create(&store, "b").await);
    store.update_facts(&[(&b, running())], &[], &[], &[]).await.unwrap();
    assert!(store.update_facts(&[(&a, running()), (&b, running())], &[], &[], &[]).await.is_err());
    assert_eq!(store.job(&project(), a.id).await.unwrap().unwrap().facts, RunFacts::default());
}

async fn drafts_are_limited(store: Store) {
    create(&store, "a").await;
    let refused = store.create_job(&new_job("b"), 1, audit("createJob")).await;
    assert!(matches!(refused, Err(StoreError::TooManyDrafts { limit: 1 })));
}

async fn lists_match_parts_of_names_with_their_case(store: Store) {
    for name in ["cars", "Cars2", "bikes"] {
        create(&store, name).await;
    }
    let names = |part: &str| {
        let filter = JobFilter { name_part: Some(part.into()), cluster_id: Some(3), ..JobFilter::default() };
        let store = store.clone();
        async move {
            let jobs = store.jobs(&project(), &filter).await.unwrap();
            jobs.into_iter().map(|job| job.definition.name).collect::<Vec<_>>()
        }
    };
    assert_eq!(names("ars").await, ["cars", "Cars2"]);
    assert_eq!(names("car").await, ["cars"]);
    assert_eq!(names("%").await, Vec::<String>::new());
    let nobody = JobFilter { user: Some(UserId("u2".into())), ..JobFilter::default() };
    assert!(store.jobs(&project(), &nobody).await.unwrap().is_empty());
}

async fn a_range_has_the_jobs_that_match_from_one_end_on(store: Store) {
    for number in 1..=6 {
        create(&store, &format!("t{number}")).await;
    }
    create(&store, "other").await;
    let filter = JobFilter { name_part: Some("t".into()), ..JobFilter::default() };
    assert_eq!(store.count_jobs(&project(), &filter).await.unwrap(), 7);
    let filter = JobFilter { name_part: Some("t4".into()), ..JobFilter::default() };
    assert_eq!(store.count_jobs(&project(), &filter).await.unwrap(), 1);
    let ids = |above: Option<i64>, below: Option<i64>, from_greatest| {
        let store = store.clone();
        async move {
            let (above, below) = (above.map(JobId), below.map(JobId));
            let range = JobRange { above, below, from_greatest, offset: 0, limit: 2 };
            let jobs = store.jobs_in_range(&project(), &JobFilter::default(), range).await.unwrap();
            jobs.into_iter().map(|job| job.id.0).collect::<Vec<_>>()
        }
    };
    assert_eq!(ids(None, None, true).await, [7, 6]);
    assert_eq!(ids(None, None, false).await, [1, 2]);
    assert_eq!(ids(None, Some(4), true).await, [3, 2]);
    assert_eq!(ids(Some(4), None, false).await, [5, 6]);
    assert_eq!(ids(Some(6), None, true).await, [7]);
    let range = JobRange { above: None, below: None, from_greatest: true, offset: 5, limit: 9 };
    let jobs = store.jobs_in_range(&project(), &JobFilter::default(), range).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.id.0).collect::<Vec<_>>(), [2, 1]);
    let some = [JobId(4), JobId(99), JobId(2)];
    let jobs = store.jobs_by_id(&project(), &some).await.unwrap();
    assert_eq!(jobs.iter().map(|job| job.id.0).collect::<Vec<_>>(), [4, 2]);
    assert!(store.jobs_by_id(&ProjectId("p2".into()), &some).await.unwrap().is_empty());
}

async fn lists_are_filtered_by_type_and_owner(store: Store) {
    create(&store, "sql").await;
    let jar = create(&store, "jar").await;
    let definition = JobDefinition { job_type: "flink_jar_job".into(), ..jar.definition.clone() };
    store.update_definition(&jar, &definition, Timestamp(8), &audit("updateJob")).await.unwrap();
    let names = async |filter: JobFilter| {
        let jobs = store.jobs(&project(), &filter).await.unwrap();
        jobs.into_iter().map(|job| job.definition.name).collect::<Vec<_>>()
    };
    let text = |text: &str| Some(text.to_string());
    let all = JobFilter::default;
    assert_eq!(names(JobFilter { job_type: text("flink_sql_job"), ..all() }).await, ["sql"]);
    assert_eq!(names(JobFilter { job_type: text("flink_jar_job"), ..all() }).await, ["jar"]);
    assert_eq!(names(JobFilter { job_type_prefix: text("flink_"), ..all() }).await, ["sql", "jar"]);
    assert_eq!(names(JobFilter { job_type_prefix: text("spark_"), ..all() }).await, Vec::<String>::new());
    let owner = text(&jar.user_name);
    assert_eq!(names(JobFilter { user_name: owner, ..all() }).await, ["sql", "jar"]);
    assert_eq!(names(JobFilter { user_name: text("nobody"), ..all() }).await, Vec::<String>::new());
}

async fn jobs_are_found_by_how_far_they_are(store: Store) {
    let phases = [
        (Intent::Draft, None, RunPhase::Draft),
        (Intent::Run, None, RunPhase::UnderWay),
        (Intent::Recover, None, RunPhase::UnderWay),
        (Intent::Stop, None, RunPhase::Stopping),
        (Intent::Freeze, None, RunPhase::Stopping),
        (Intent::Stop, Some(EndKind::Cancelled), RunPhase::Ended(EndKind::Cancelled)),
        (Intent::Stop, Some(EndKind::CancelFailed), RunPhase::Ended(EndKind::CancelFailed)),
        (Intent::Run, Some(EndKind::Finished), RunPhase::Ended(EndKind::Finished)),
    ];
    for (number, (intent, end, _)) in phases.into_iter().enumerate() {
        let job = create(&store, &format!("t{number}")).await;
        let facts = RunFacts { intent, end, ..RunFacts::default() };
        store.update_facts(&[(&job, facts)], &[], &[], &[]).await.unwrap();
    }
    for (_, _, phase) in phases {
        let filter = JobFilter { phase: Some(phase), ..JobFilter::default() };
        let found = store.jobs(&project(), &filter).await.unwrap();
        let found: Vec<_> = found.iter().map(|job| (job.facts.intent, job.facts.end)).collect();
        let same_phase = phases.iter().filter(|(_, _, other)| *other == phase);
        let expected: Vec<_> = same_phase.map(|(intent, end, _)| (*intent, *end)).collect();
        assert_eq!(found, expected);
        assert_eq!(store.count_jobs(&project(), &filter).await.unwrap(), expected.len());
    }
}

async fn jobs_that_stand_still_are_found_by_their_leftovers(store: Store) {
    let place = SavepointPlace::of_job(JobId(7), Some("b1".into()));
    let left = SavepointFacts { leftovers: vec![place.clone()], ..SavepointFacts::default() };
    let kept = SavepointFacts { latest: Some(place), ..SavepointFacts::default() };
    let cases = [
        ("draft", Intent::Draft, None, &left, true),
        ("ended", Intent::Run, Some(EndKind::Failed), &left, true),
        ("frozen", Intent::Freeze, Some(EndKind::Frozen), &left, true),
        ("has a worker", Intent::Stop, Some(EndKind::CancelFailed), &left, false),
        ("under way", Intent::Run, None, &left, false),
        ("has no leftovers", Intent::Stop, Some(EndKind::Cancelled), &kept, false),
        ("deleted", Intent::Draft, None, &left, false),
    ];
    for (name, intent, end, savepoint, _) in cases {
        let job = create(&store, name).await;
        let facts = RunFacts { intent, end, savepoint: savepoint.clone(), ..RunFacts::default() };
        store.update_facts(&[(&job, facts)], &[], &[], &[]).await.unwrap();
        if name == "deleted" {
            let job = store.job(&project(), job.id).await.unwrap().unwrap();
            store.delete_jobs(&[job], Timestamp(9), &[audit("deleteJob")]).await.unwrap();
        }
    }
    let found = store.jobs_with_leftovers().await.unwrap();
    let found: Vec<&str> = found.iter().map(|job| job.definition.name.as_str()).collect();
    let expected: Vec<&str> = cases.iter().filter(|case| case.4).map(|case| case.0).collect();
    assert_eq!(found, expected);
}

async fn a_graph_stays_until_the_text_changes(store: Store) {
    let job = create(&store, "t1").await;
    let report = |graph| Report { attempt: 0, seen_at: Timestamp(7), metrics: serde_json::json!({}), graph };
    let graph = Some(serde_json::json!([{ "nodes": [] }]));
    store.write_report(job.id, &report(graph.clone())).await.unwrap();
    store.write_report(job.id, &report(None)).await.unwrap();
    assert_eq!(store.stored_graph(job.id).await.unwrap(), graph);
    let job = store.job(&project(), job.id).await.unwrap().unwrap();
    assert_eq!(job.seen_at, Some(Timestamp(7)));
    let definition = JobDefinition { sql_body: "new".into(), ..job.definition.clone() };
    store.update_definition(&job, &definition, Timestamp(8), &audit("updateJob")).await.unwrap();
    assert_eq!(store.stored_graph(job.id).await.unwrap(), None);
}

async fn buckets_are_authorized_all_or_none(store: Store) {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    store.claim_buckets(&names(&["b1", "b2"]), &project()).await.unwrap();
    store.authorize_buckets(&names(&["b1"]), |_| audit("authorizeBucket")).await.unwrap();
    assert!(store.authorize_buckets(&names(&["b2", "b1"]), |_| audit("authorizeBucket")).await.is_err());
    assert_eq!(store.authorized_buckets(&project()).await.unwrap().into_iter().collect::<Vec<_>>(), ["b1"]);
}

super::tests!(
    a_job_is_read_as_it_was_written,
    a_name_is_free_again_after_a_delete_but_an_id_never_is,
    of_two_writers_the_second_is_told,
    an_alarm_is_written_with_its_fact_or_not_at_all,
    a_batch_is_written_whole_or_not_at_all,
    drafts_are_limited,
    lists_match_parts_of_names_with_their_case,
    a_range_has_the_jobs_that_match_from_one_end_on,
    lists_are_filtered_by_type_and_owner,
    jobs_are_found_by_how_far_they_are,
    jobs_that_stand_still_are_found_by_their_leftovers,
    a_graph_stays_until_the_text_changes,
    buckets_are_authorized_all_or_none,
);
