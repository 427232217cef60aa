//! Removes what a deleted job staged in sinks and never committed.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use weir_base::clock::Clock;
use weir_base::error::with_causes;
use weir_connectors::Network;

use super::folder::WorkerRequest;
use super::worker::{check, environment, objects};

/// Removes what the job staged outside of its folder, for each sink within `limit`. Returns what could not be removed and
/// why; what has gone with a bucket or a stream is no failure.
pub(super) async fn discard_staged(
    request: &WorkerRequest,
    clock: Arc<dyn Clock>,
    limit: Duration,
) -> Vec<String> {
    let job = match check(request) {
        Ok(job) => job,
        // A text that is refused has staged nothing, unless a global variable of its has gone since.
        Err(reason) => {
            tracing::info!(job_id = %request.start.job, reason, "what the job may have staged is not looked for");
            return Vec::new();
        }
    };
    let environment =
        objects(request, None).and_then(|objects| environment(request, objects, Network::default(), clock));
    let environment = match environment {
        Ok(environment) => environment,
        Err(reason) => return vec![reason],
    };
    // Side by side: a bucket that refuses or does not answer keeps nothing in another one.
    let discards = job.sinks.iter().map(|sink| async {
        let discarded = weir_connectors::discard_staged(sink, &environment);
        match tokio::time::timeout(limit, discarded).await {
            Ok(discarded) => discarded.err().map(|error| with_causes(&error)),
            Err(_) => Some(format!("stream `{}`: what it is written to does not answer", sink.name)),
        }
    });
    join_all(discards).await.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;
    use weir_base::clock::SystemClock;
    use weir_base::id::{JobId, ProjectId};
    use weir_base::settings::JobSettings;
    use weir_base::time::Timestamp;
    use weir_cloud::sealing::Sealer;

    use super::super::endpoint::answer;
    use super::super::folder::{OBJECTS_KEY, ObjectsPlace, WorkerConfig};
    use super::*;
    use crate::StartRequest;

    const LONG: Duration = Duration::from_secs(60);

    fn request(root: &std::path::Path, endpoint: String) -> WorkerRequest {
        let config = WorkerConfig::under(root);
        let sealed_secret_key = Sealer::new(&config.sealing_key).seal(OBJECTS_KEY, "s").unwrap();
        let objects = ObjectsPlace::S3 {
            endpoint,
            region: "us-east-1".to_string(),
            access_key: "a".to_string(),
            sealed_secret_key,
        };
        let sink = |name: &str| {
            format!(
                "CREATE SINK STREAM {name} (a BIGINT) WITH (type = 'obs', encode = 'csv', obs_dir = 'bucket-{name}/out', \
                 rolling_size = '1k'); INSERT INTO {name} SELECT a FROM s;"
            )
        };
        let sql = ["a", "b", "c"].map(sink).concat();
        let start = StartRequest {
            job: JobId(7),
            project: ProjectId("p1".to_string()),
            cluster: None,
            name: "j1".to_string(),
            attempt: 1,
            sql: format!("CREATE SOURCE STREAM s (a BIGINT) WITH (type = 'datagen'); {sql}"),
            variables: Default::default(),
            buckets: ["a", "b", "c"].map(|name| format!("bucket-{name}")).into(),
            settings: JobSettings::default(),
            spus: 2,
            resume: false,
            fresh_since: Timestamp(0),
            savepoint: None,
        };
        let config = WorkerConfig { objects, ..config };
        WorkerRequest { start, config, bounds: None, log_begin: None, namespace: None }
    }

    #[tokio::test]
    async fn a_bucket_that_refuses_a_removal_is_told_and_keeps_nothing_in_another_one() {
        let key = |name: &str| format!(".weir/staging/job-7/{name}/5/0-1");
        let listed = |name: &str| {
            format!(
                "<ListBucketResult><Name>bucket-{name}</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>\
                 <Contents><Key>{}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag>\
                 <Size>1</Size></Contents></ListBucketResult>",
                key(name)
            )
        };
        let (in_a, in_b) = (listed("a"), listed("b"));
        let deleted = format!("<DeleteResult><Deleted><Key>{}</Key></Deleted></DeleteResult>", key("b"));
        let refused = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
        let answers = [
            ("HEAD /bucket-c", "404 Not Found", ""),
            ("HEAD ", "200 OK", ""),
            ("GET /bucket-a", "200 OK", in_a.as_str()),
            ("GET /bucket-b", "200 OK", &in_b),
            ("POST /bucket-a", "403 Forbidden", refused),
            ("POST /bucket-b", "200 OK", &deleted),
        ];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let mut asked = Vec::new();
        let serve = async {
            while let Ok((stream, _)) = listener.accept().await {
                asked.extend(answer(stream, &answers).await);
            }
        };
        let root = tempfile::tempdir().unwrap();
        let request = request(root.path(), endpoint);
        let failures = tokio::select! {
            failures = discard_staged(&request, Arc::new(SystemClock), LONG) => failures,
            () = serve => unreachable!("it serves for ever"),
        };
        assert!(asked.iter().any(|asked| asked.starts_with("POST /bucket-b")), "{asked:?}");
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(failures[0].contains("stream `a`") && failures[0].contains("403 Forbidden"), "{failures:?}");
    }

    #[tokio::test]
    async fn a_bucket_that_does_not_answer_is_told_by_the_stream() {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = tempfile::tempdir().unwrap();
        let request = request(root.path(), format!("http://{}", silent.local_addr().unwrap()));
        let failures = discard_staged(&request, Arc::new(SystemClock), Duration::from_millis(10)).await;
        let told =
            ["a", "b", "c"].map(|name| format!("stream `{name}`: what it is written to does not answer"));
        assert_eq!(failures, told);
    }
}
