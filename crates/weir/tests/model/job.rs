//! A job in the model: what was acknowledged, and what can have become of it.

use std::collections::BTreeSet;
use std::time::Instant;

/// What the text of a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Runs until it is stopped.
    Endless,
    /// Ends by itself after about a second.
    Bounded,
    /// Cannot be run.
    Wrong,
    /// Is kept for the nodes of an edge group, and not run.
    Edge,
    /// Has a JAR in a bucket, and is kept and not run.
    Jar,
    /// The same, but its JAR comes with the call.
    UploadedJar,
}

/// The edge group of the installation.
pub const EDGE_GROUP: &str = "line-1";

/// Where the JAR of JAR jobs is.
pub const JAR: &str = "checkpoints/jars/one.jar";

impl Kind {
    pub fn is_jar(self) -> bool {
        matches!(self, Self::Jar | Self::UploadedJar)
    }

    /// Whether it is kept and checked only.
    pub fn is_kept_only(self) -> bool {
        self.is_jar() || self == Self::Edge
    }

    pub fn job_type(self) -> &'static str {
        match self {
            Self::Endless | Self::Bounded | Self::Wrong => "flink_sql_job",
            Self::Edge => "flink_sql_edge_job",
            Self::Jar | Self::UploadedJar => "flink_jar_job",
        }
    }

    /// Returns the text.
    pub fn sql(self) -> &'static str {
        match self {
            Self::Endless => {
                r#"CREATE SOURCE STREAM s (a INT) WITH (type = "datagen", rows_per_second = "2");
CREATE SINK STREAM t (a INT) WITH (type = "blackhole");
INSERT INTO t SELECT a FROM s;"#
            }
            Self::Bounded => {
                r#"CREATE SOURCE STREAM s (a INT) WITH (type = "datagen", rows_per_second = "50", number_of_rows = "50");
CREATE SINK STREAM t (a INT) WITH (type = "blackhole");
INSERT INTO t SELECT a FROM s;"#
            }
            Self::Wrong => "INSERT INTO",
            Self::Edge => {
                r#"CREATE SOURCE STREAM s (a INT) WITH (type = "edgehub", topic = "x", encode = "json");
CREATE SINK STREAM t (a INT) WITH (type = "edgehub", topic = "y", encode = "json");
INSERT INTO t SELECT a FROM s;"#
            }
            Self::Jar | Self::UploadedJar => "",
        }
    }
}

/// Where a job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Shared,
    Cluster(i64),
    /// In a cluster that was deleted.
    Nowhere,
    /// On edge nodes.
    Edge,
}

impl Place {
    pub fn run_mode(self) -> &'static str {
        match self {
            Self::Shared => "shared_cluster",
            Self::Cluster(_) | Self::Nowhere => "exclusive_cluster",
            Self::Edge => "edge_node",
        }
    }
}

/// Whether something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chance {
    Never,
    Possible,
    Certain,
}

/// What was last asked of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    Nothing,
    Run,
    Stop,
    /// A savepoint of a job that goes on.
    Savepoint,
    /// A savepoint, then a stop.
    SavepointAndStop,
    /// Its cluster was stopped or deleted.
    ClusterStop,
}

/// A job.
#[derive(Debug, Clone)]
pub struct Job {
    pub name: String,
    pub desc: String,
    pub kind: Kind,
    pub spus: i64,
    pub restart: bool,
    pub snapshots: bool,
    pub place: Place,
    pub wanted: Wanted,
    /// What the last rest showed, unless something was asked since.
    pub settled: Option<String>,
    /// When the last run was asked for.
    pub run_at: Instant,
    /// Whether it has a savepoint to run from.
    pub savepoint: Chance,
    /// Where that one may be; without a bucket it is in the service's own store, which has no path.
    pub savepoint_paths: BTreeSet<Option<String>>,
    /// When its worker was killed, since the last run was asked for and since the last rest.
    pub wounds: Vec<Instant>,
}

impl Job {
    /// What of the settled statuses a kill of the worker cannot change.
    fn settled_for_good(&self) -> Option<&str> {
        let settled = self.settled.as_deref()?;
        (self.wounds.is_empty() || settled != "job_running").then_some(settled)
    }

    /// Returns the statuses that the job may come to rest in.
    pub fn outcomes(&self) -> BTreeSet<&str> {
        if let Some(settled) = self.settled_for_good() {
            return BTreeSet::from([settled]);
        }
        match self.wanted {
            Wanted::Nothing => BTreeSet::from(["job_init"]),
            Wanted::Run | Wanted::Savepoint => self.outcomes_of_run(),
            Wanted::Stop => BTreeSet::from(["job_cancel_success"]),
            Wanted::SavepointAndStop => {
                let mut outcomes = BTreeSet::from(["job_cancel_success"]);
                if !self.wounds.is_empty() || self.kind == Kind::Bounded {
                    outcomes.append(&mut self.outcomes_of_run());
                }
                outcomes
            }
            Wanted::ClusterStop => {
                let mut outcomes = self.outcomes_of_run();
                outcomes.remove("job_running");
                outcomes.insert("job_cancel_success");
                outcomes
            }
        }
    }

    fn outcomes_of_run(&self) -> BTreeSet<&str> {
        let mut outcomes =
            BTreeSet::from([if self.kind == Kind::Bounded { "job_finish" } else { "job_running" }]);
        // A job that is restarted is given up when it dies three times before it has ever come up.
        if !self.wounds.is_empty() && (!self.restart || self.wounds.len() > 2) {
            outcomes.extend(["job_running_exception", "job_submit_fail"]);
        }
        outcomes
    }

    /// Whether it runs or comes up until somebody stops it.
    fn surely_runs(&self) -> bool {
        matches!(self.wanted, Wanted::Run | Wanted::Savepoint)
            && self.outcomes().iter().all(|outcome| *outcome == "job_running")
    }

    /// Whether it holds its SPUs now.
    pub fn holds(&self) -> Chance {
        match self.settled_for_good() {
            Some("job_running") => Chance::Certain,
            Some(_) => Chance::Never,
            None if self.wanted == Wanted::Nothing => Chance::Never,
            None if self.surely_runs() => Chance::Certain,
            None => Chance::Possible,
        }
    }

    /// Whether a run is refused because of the status.
    pub fn refuses_run(&self) -> Chance {
        self.holds()
    }

    /// Whether a stop is refused because of the status; with `savepoint` also whether a savepoint of a job that goes on is.
    pub fn refuses_stop(&self, savepoint: bool) -> Chance {
        match self.settled_for_good() {
            // After a start of the service a job is submitted until its worker was heard of.
            Some("job_running") if savepoint => Chance::Possible,
            Some("job_running") => Chance::Never,
            Some(_) => Chance::Certain,
            None if self.wanted == Wanted::Nothing || self.wanted == Wanted::Stop => Chance::Certain,
            // While it writes a savepoint it is not stopped.
            None if self.surely_runs() && self.wanted == Wanted::Run && !savepoint => Chance::Never,
            None => Chance::Possible,
        }
    }

    /// Whether it has a savepoint at a rest in this status; `None` when nobody can know.
    pub fn has_savepoint_at_rest(&self, status: &str) -> Option<bool> {
        match (self.savepoint, self.wanted, status) {
            (Chance::Never, ..) => Some(false),
            (Chance::Certain, ..) => Some(true),
            (_, Wanted::Run, "job_running" | "job_finish") => Some(false),
            (_, Wanted::Savepoint, "job_running") if self.wounds.is_empty() => Some(true),
            (_, Wanted::SavepointAndStop, "job_cancel_success") => Some(true),
            _ => None,
        }
    }
}
