//! The worker: runs one job and tells the service about it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use object_store::local::LocalFileSystem;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use weir_base::clock::{Clock, SystemClock};
use weir_base::savepoint::SavepointPlace;
use weir_base::variables::Redactor;
use weir_cloud::gateway::Gateway;
use weir_cloud::objects::{Objects, ObjectsConfig, S3Config};
use weir_cloud::sealing::Sealer;
use weir_cloud::streams::LocalStreams;
use weir_connectors::{Environment, FileAccess, Network};
use weir_engine::checkpoint::CheckpointStorage;
use weir_sql::{CheckOptions, Cluster, Job};

use super::confine::Outside;
use super::folder::{Folder, OBJECTS_KEY, ObjectsPlace, WorkerRequest};
use super::follow::follow;
use super::logs::Logs;
use super::savepoints::{self, Savepoints};
use super::serve::serve;
use super::socket;
use crate::launch::{Launch, Launched};
use crate::{Observation, RunState};

/// Runs the job whose request lies in `folder`, until it ends. Returns whether it ended well. In a process that has moved
/// into the network of its cluster, `outside` is what has not.
pub async fn run_worker(folder: &Path, outside: Option<&Outside>) -> Result<bool, String> {
    let folder = Folder::at(folder);
    let request =
        folder.read_request().map_err(|e| format!("the request of the worker cannot be read: {e}"))?;
    let listener = socket::listen(folder.path())
        .map_err(|e| format!("the socket of the worker cannot be opened: {e}"))?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut observation = Observation::starting(request.start.attempt, clock.now(), Some(std::process::id()));
    let (observations, observed) = watch::channel(observation.clone());
    let (commands, mut command_receiver) = mpsc::channel(4);
    let network = match outside {
        Some(outside) => Network::with_names(&request.start.settings.network, outside.names()),
        None => Network::new(&request.start.settings.network),
    };
    tokio::spawn(serve(listener, observed.clone(), commands, network.clone()));
    let objects = objects(&request, outside.map(|outside| outside.handle().clone()))?;
    // The service copies what comes after the last copy.
    let copying =
        Logs::of(&request, &objects, &folder).map(|logs| tokio::spawn(logs.copy_while_running(observed)));

    let launched = async {
        let environment = environment(&request, objects.clone(), network, clock.clone())?;
        launch(&request, &folder, &environment, clock.clone()).await
    };
    let launched = tokio::select! {
        launched = launched => Some(launched),
        // Stopped or suspended before it has read anything: there is nothing to keep.
        _ = command_receiver.recv() => None,
    };
    let state = match launched {
        None => RunState::Stopped,
        Some(Ok((launched, storage))) => {
            let now = clock.now();
            if let Err(error) = folder.write_running_since(request.start.attempt, now) {
                tracing::warn!(%error, "since when the job runs cannot be noted");
            }
            observation.state = RunState::Running;
            observation.running_since = Some(now);
            observation.graph = Some(launched.graph.clone());
            let savepoints =
                Savepoints::new(&launched.handle, storage, &request, &objects, &folder, clock.as_ref());
            follow(
                &launched,
                &savepoints,
                &mut command_receiver,
                &mut observation,
                &observations,
                clock.as_ref(),
            )
            .await
        }
        Some(Err(reason)) => RunState::Failed(reason),
    };
    let ended_well = !matches!(state, RunState::Failed(_));
    if let RunState::Failed(reason) = &state {
        tracing::error!(reason, "job failed");
    }
    if let Some(copying) = copying {
        copying.abort();
        // Gone before the service copies the whole.
        let _ = copying.await;
    }
    observation.state = state;
    observation.at = clock.now();
    folder
        .write_result(&observation)
        .map_err(|e| format!("the result of the worker cannot be written: {e}"))?;
    observations.send_replace(observation);
    // Lets the service read the last observation from the socket; the result file tells it otherwise.
    tokio::time::sleep(Duration::from_millis(50)).await;
    Ok(ended_well)
}

async fn launch(
    request: &WorkerRequest,
    folder: &Folder,
    environment: &Environment,
    clock: Arc<dyn Clock>,
) -> Result<(Launched, CheckpointStorage), String> {
    let start = &request.start;
    let job = check(request)?;
    forget_other_sinks(&job, request).await?;
    let checkpoints = start.settings.checkpoint.as_ref().map(|checkpoint| SavepointPlace {
        bucket: Some(checkpoint.bucket.clone()),
        path: format!("jobs/checkpoint/{}", start.job),
    });
    let storage = match &checkpoints {
        Some(place) => savepoints::storage_of(place, &environment.objects, folder).await?,
        None => local_storage(folder)?,
    };
    // A user may make the checkpoints of an earlier run the savepoint of this one.
    let is_own = start.savepoint.is_some() && start.savepoint == checkpoints;
    if !start.resume && !is_own {
        storage.remove_all().await.map_err(|e| e.to_string())?;
    }
    // Only now: beside this mark there are no checkpoints but those of this run, and those that it starts from.
    folder.mark_begun().map_err(|e| format!("the folder of the worker cannot be written: {e}"))?;
    let savepoint = match &start.savepoint {
        Some(_) if is_own => Some(storage.clone()),
        Some(place) => Some(savepoints::storage_of(place, &environment.objects, folder).await?),
        None => None,
    };
    let launch = Launch {
        job: &job,
        id: start.job.0,
        name: &start.name,
        environment,
        storage: storage.clone(),
        resume: start.resume,
        savepoint,
        fresh_since: start.fresh_since,
    };
    let launched = launch.start(clock).await?;
    if start.settings.checkpoint.is_none() && launched.restored.is_some() {
        // It was made to survive one restart of the service. After a later crash it would be stale.
        storage.remove_all().await.map_err(|e| e.to_string())?;
    }
    if launched.from_savepoint && start.settings.checkpoint.is_some() {
        // The savepoint goes when the job runs: from then on a restart needs a checkpoint of this run. A job that
        // ends before tells how.
        launched.handle.checkpoint().await;
    }
    tracing::info!(restored = launched.restored, "job runs");
    Ok((launched, storage))
}

/// Removes the records of sinks that an earlier text of the job had: the gateway serves those of the last run.
async fn forget_other_sinks(job: &Job, request: &WorkerRequest) -> Result<(), String> {
    let names = job.sinks.iter().map(|sink| sink.name.to_uppercase()).collect();
    let kept = Gateway::new(&request.config.gateway).keep_only(request.start.job, names).await;
    kept.map_err(|e| format!("the records for the gateway cannot be sorted out: {e}"))
}

/// Checks the text of the job once more. The service has done so; what it allows to whom is its affair, so
/// that nothing is restricted here.
pub(super) fn check(request: &WorkerRequest) -> Result<Job, String> {
    let variables = request.variables()?;
    let options = CheckOptions {
        max_bytes: usize::MAX,
        cluster: Cluster::Local,
        time_zone: request.start.settings.time_zone.clone(),
        variables,
        ..CheckOptions::default()
    };
    weir_sql::check(&request.start.sql, &weir_connectors::CATALOG, &options).map_err(|e| e.to_string())
}

fn local_storage(folder: &Folder) -> Result<CheckpointStorage, String> {
    storage_in(&folder.checkpoints(), "suspended")
}

/// Returns the storage of checkpoints in a directory of this machine.
pub(super) fn storage_in(directory: &Path, name: &str) -> Result<CheckpointStorage, String> {
    let failed = |error: String| format!("the folder for checkpoints cannot be made: {error}");
    std::fs::create_dir_all(directory).map_err(|e| failed(e.to_string()))?;
    let store = LocalFileSystem::new_with_prefix(directory).map_err(|e| failed(e.to_string()))?;
    // A checkpoint that the disk does not hold is none.
    Ok(CheckpointStorage::new(Arc::new(store.with_fsync(true)), name))
}

pub(super) fn environment(
    request: &WorkerRequest,
    objects: Objects,
    network: Network,
    clock: Arc<dyn Clock>,
) -> Result<Environment, String> {
    let WorkerRequest { start, config, .. } = request;
    let streams = LocalStreams::open(&config.streams, clock.clone())
        .map_err(|e| format!("the stream store cannot be opened: {e}"))?;
    Ok(Environment {
        objects,
        streams: Arc::new(streams),
        project: start.project.0.clone(),
        job: format!("job-{}", start.job),
        run: start.fresh_since,
        files: FileAccess::Under(config.file_directories.clone()),
        settings: start.settings.clone(),
        network,
        gateway: Some((Gateway::new(&config.gateway), start.job)),
        print: Arc::new(weir_connectors::LogPrint::new(clock.clone())),
        sinks: HashMap::new(),
        sources: HashMap::new(),
        clock,
    })
}

/// Returns the objects that the job reaches: everything in a worker that reads or writes a bucket does it through them.
/// Those behind an endpoint are reached by the threads of `runtime`, which need not be in the network of the caller.
pub(super) fn objects(request: &WorkerRequest, runtime: Option<Handle>) -> Result<Objects, String> {
    let all = Objects::new(match &request.config.objects {
        ObjectsPlace::Local(path) => ObjectsConfig::Local(path.clone()),
        ObjectsPlace::S3 { endpoint, region, access_key, sealed_secret_key } => {
            let opened = Sealer::new(&request.config.sealing_key).open(OBJECTS_KEY, sealed_secret_key);
            ObjectsConfig::S3(S3Config {
                endpoint: endpoint.clone(),
                region: region.clone(),
                access_key: access_key.clone(),
                secret_key: opened.map_err(|error| error.to_string())?,
                runtime,
            })
        }
    });
    Ok(all.within(request.start.buckets.clone()))
}

/// How a worker shall log.
#[derive(Debug, Clone)]
pub struct WorkerLogging {
    /// Filter of levels.
    pub level: String,
    /// Whether lines are JSON.
    pub json: bool,
    /// The job, which every line names.
    pub job: i64,
    /// The attempt.
    pub attempt: u64,
    /// Takes the values of the job's variables out of the lines.
    pub redactor: Redactor,
}

/// Returns how the worker whose request lies in `folder` shall log.
pub fn worker_logging(folder: &Path) -> Result<WorkerLogging, String> {
    let request = Folder::at(folder)
        .read_request()
        .map_err(|e| format!("the request of the worker cannot be read: {e}"))?;
    // A variable that cannot be opened fails the job a little later, with its reason; nothing can show its value.
    let variables = request.variables().unwrap_or_default();
    Ok(WorkerLogging {
        redactor: Redactor::new(&variables, &request.start.sql),
        level: request.config.log_level,
        json: request.config.log_json,
        job: request.start.job.0,
        attempt: request.start.attempt,
    })
}

#[cfg(test)]
mod tests {
    use weir_base::id::{JobId, ProjectId};
    use weir_base::settings::{CheckpointMode, CheckpointSettings, DirtyDataPolicy, JobSettings};
    use weir_base::time::Timestamp;
    use weir_cloud::sealing::Sealer;
    use weir_engine::checkpoint::Manifest;
    use weir_engine::job::Outcome;

    use super::super::folder::WorkerConfig;
    use super::*;
    use crate::{StartRequest, variable_owner};

    const SQL: &str = "CREATE SOURCE STREAM s (a INT) WITH (type = 'datagen');\n\
                       CREATE SINK STREAM o (a INT) WITH (type = 'dis', channel = 'x-{{key}}', encode = 'json');\n\
                       INSERT INTO o SELECT a FROM s";

    fn request(place: &Path, variables: &[(&str, String)]) -> WorkerRequest {
        let start = StartRequest {
            job: JobId(7),
            project: ProjectId("p1".to_string()),
            cluster: None,
            name: "j1".to_string(),
            attempt: 2,
            sql: SQL.to_string(),
            variables: variables.iter().map(|(name, sealed)| (name.to_string(), sealed.clone())).collect(),
            buckets: ["mine".to_string()].into(),
            settings: JobSettings::default(),
            spus: 2,
            resume: true,
            fresh_since: Timestamp(0),
            savepoint: None,
        };
        let config = WorkerConfig::under(place);
        WorkerRequest { start, config, bounds: None, log_begin: None, namespace: None }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_job_reaches_the_buckets_of_its_project_and_no_other() {
        let source = |bucket: &str| {
            format!(
                "type = 'obs', bucket = '{bucket}', object_name = 'in/', row_delimiter = '\\n', field_delimiter = ','"
            )
        };
        let sink = |bucket: &str| {
            format!("type = 'obs', encode = 'csv', obs_dir = '{bucket}/out', rolling_size = '1k'")
        };
        let sql = |source: &str, sink: &str| {
            format!(
                "CREATE SOURCE STREAM s (a INT) WITH ({source});\n\
                 CREATE SINK STREAM o (a INT) WITH ({sink});\nINSERT INTO o SELECT a FROM s"
            )
        };
        let kept = |bucket: &str| DirtyDataPolicy::Save(format!("{bucket}/dirty"));
        let checkpoints = |bucket: &str| {
            let (mode, interval) = (CheckpointMode::ExactlyOnce, Duration::from_secs(10));
            Some(CheckpointSettings { mode, interval, bucket: bucket.to_string() })
        };
        let savepoint = |bucket: &str| SavepointPlace::parse(&format!("{bucket}/saved"));
        let mine = sql(&source("mine"), &sink("mine"));
        let foreign = [
            (sql(&source("theirs"), &sink("mine")), kept("mine"), checkpoints("mine"), None),
            (sql(&source("mine"), &sink("theirs")), kept("mine"), checkpoints("mine"), None),
            (mine.clone(), kept("theirs"), checkpoints("mine"), None),
            (mine.clone(), kept("mine"), checkpoints("theirs"), None),
            (mine.clone(), kept("mine"), checkpoints("mine"), savepoint("theirs")),
            // Their own bucket is there, so that nothing else can be what is refused.
            (mine.clone(), kept("mine"), checkpoints("mine"), None),
        ];
        for (number, (sql, dirty_data, checkpoint, savepoint)) in foreign.into_iter().enumerate() {
            let place = tempfile::tempdir().unwrap();
            for bucket in ["mine", "theirs"] {
                std::fs::create_dir_all(place.path().join("objects").join(bucket).join("in")).unwrap();
                std::fs::write(place.path().join("objects").join(bucket).join("in/1"), "7\n").unwrap();
            }
            let mut request = request(place.path(), &[]);
            request.start.sql = sql;
            request.start.savepoint = savepoint;
            request.start.settings = JobSettings { dirty_data, checkpoint, ..JobSettings::default() };
            let folder = Folder::new(&place.path().join("workers"), JobId(7));
            folder.make().unwrap();
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let reach = objects(&request, None).unwrap();
            let environment = environment(&request, reach, Network::default(), clock.clone()).unwrap();
            let ended = match launch(&request, &folder, &environment, clock).await {
                Ok((launched, _)) => match launched.wait().await {
                    Outcome::Failed(reason) => Err(reason.to_string()),
                    _ => Ok(()),
                },
                Err(reason) => Err(reason),
            };
            match ended {
                Ok(()) => assert_eq!(number, 5, "reached a foreign bucket"),
                Err(reason) => {
                    assert!(number < 5 && reason.contains("no bucket `theirs`"), "{number}: {reason}")
                }
            }
            let theirs = std::fs::read_dir(place.path().join("objects/theirs")).unwrap();
            assert_eq!(theirs.count(), 1, "{number}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_run_does_not_remove_the_checkpoints_that_it_is_to_start_from() {
        let place = tempfile::tempdir().unwrap();
        let checkpoint = place.path().join("objects/mine/jobs/checkpoint/7/chk-5");
        std::fs::create_dir_all(&checkpoint).unwrap();
        let manifest = checkpoint.join("manifest.json");
        // No release can read it: the job does not start, so that nothing newer can replace it.
        let unreadable = Manifest { format: 999, epoch: 5, ..Manifest::default() };
        std::fs::write(&manifest, serde_json::to_vec(&unreadable).unwrap()).unwrap();
        let seal = Sealer::new(place.path().join("sealing.key"));
        let value = seal.seal(&variable_owner(&ProjectId("p1".into()), "key"), "v").unwrap();
        let mut request = request(place.path(), &[("key", value)]);
        request.start.resume = false;
        request.start.savepoint = SavepointPlace::parse("mine/jobs/checkpoint/7");
        let (mode, interval) = (CheckpointMode::ExactlyOnce, Duration::from_secs(10));
        let checkpoint = Some(CheckpointSettings { mode, interval, bucket: "mine".to_string() });
        request.start.settings = JobSettings { checkpoint, ..JobSettings::default() };
        let folder = Folder::new(&place.path().join("workers"), JobId(7));
        folder.make().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let reach = objects(&request, None).unwrap();
        let environment = environment(&request, reach, Network::default(), clock.clone()).unwrap();
        let reason = launch(&request, &folder, &environment, clock).await.map(|_| ()).unwrap_err();
        assert!(reason.contains("its format 999 is not"), "{reason}");
        assert!(manifest.exists());
    }

    #[test]
    fn a_worker_opens_the_variables_of_its_job() {
        let place = tempfile::tempdir().unwrap();
        let sealer = Sealer::new(place.path().join("sealing.key"));
        let seal =
            |project: &str| sealer.seal(&variable_owner(&ProjectId(project.into()), "key"), "v").unwrap();
        let job = check(&request(place.path(), &[("key", seal("p1"))])).unwrap();
        assert_eq!(job.sinks[0].options.get("channel"), Some("x-v"));
        let foreign = check(&request(place.path(), &[("key", seal("p2"))])).unwrap_err();
        assert!(foreign.starts_with("a global variable cannot be read: `p1/key` was sealed"), "{foreign}");
    }

    #[test]
    fn a_restart_without_the_variable_of_the_job_fails_with_that_reason() {
        let place = tempfile::tempdir().unwrap();
        let reason = check(&request(place.path(), &[])).unwrap_err();
        assert_eq!(
            reason,
            "CS.13005: line 2, column 63: unknown global variable `key` (no global variable is defined)"
        );
    }
}
