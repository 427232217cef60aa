//! Metrics as text for Prometheus: counters of calls, and what the operators of jobs report.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use weir_control::{MetricsView, Status};
use weir_runtime::{InForce, OperatorMetrics};

/// Upper bounds of the buckets of answer times, in seconds. The contract of control is two seconds.
const ANSWER_TIMES: [f64; 8] = [0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u32,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperatorLabels {
    job_id: i64,
    job: String,
    operator: String,
    operator_id: String,
    kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobLabels {
    job_id: i64,
    job: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ConfinementLabels {
    resource: String,
    by: String,
}

type Count = Counter<u64, AtomicU64>;
type Level = Gauge<i64, AtomicI64>;

/// The counters of the API.
#[derive(Debug)]
pub struct ApiMetrics {
    began: Instant,
    requests: Family<RequestLabels, Count>,
    answer_times: Histogram,
    /// What holds workers to the shares of their jobs.
    in_force: Option<InForce>,
}

impl Default for ApiMetrics {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            requests: Family::default(),
            answer_times: Histogram::new(ANSWER_TIMES),
            in_force: None,
        }
    }
}

impl ApiMetrics {
    /// Also tells what holds workers to the shares of their jobs.
    pub fn with_confinement(in_force: InForce) -> Self {
        Self { in_force: Some(in_force), ..Self::default() }
    }

    /// Counts an answered request; `code` is the CS code of an error answer.
    pub(crate) fn count_request(&self, method: &str, route: &str, status: u16, code: &str, took: Duration) {
        let labels = RequestLabels {
            method: method.to_string(),
            route: route.to_string(),
            status: u32::from(status),
            code: code.to_string(),
        };
        self.requests.get_or_create(&labels).inc();
        self.answer_times.observe(took.as_secs_f64());
    }

    /// Renders everything; `jobs` are those with a run under way.
    pub fn render(&self, jobs: &[(Status, MetricsView)]) -> Result<String, fmt::Error> {
        let mut registry = Registry::default();
        registry.register("weir_api_requests", "Requests answered", self.requests.clone());
        registry.register_with_unit(
            "weir_api_answer",
            "Time from the head of a request to its answer",
            Unit::Seconds,
            self.answer_times.clone(),
        );
        let uptime: Level = Gauge::default();
        uptime.set(i64::try_from(self.began.elapsed().as_secs()).unwrap_or(i64::MAX));
        registry.register_with_unit("weir_uptime", "Time since the service started", Unit::Seconds, uptime);
        register_confinement(&mut registry, self.in_force);
        register_jobs(&mut registry, jobs);
        register_operators(&mut registry, jobs);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}

fn register_confinement(registry: &mut Registry, in_force: Option<InForce>) {
    let Some(InForce { cores, memory }) = in_force else { return };
    let family: Family<ConfinementLabels, Level> = Family::default();
    for (resource, means) in [("cores", cores), ("memory", memory)] {
        let labels = ConfinementLabels { resource: resource.to_string(), by: means.to_string() };
        family.get_or_create(&labels).set(1);
    }
    registry.register("weir_worker_confinement", "What holds workers to the SPUs of their jobs", family);
}

fn register_jobs(registry: &mut Registry, jobs: &[(Status, MetricsView)]) {
    let by_status: Family<StatusLabels, Level> = Family::default();
    for (status, _) in jobs {
        by_status.get_or_create(&StatusLabels { status: status.name().to_string() }).inc();
    }
    registry.register("weir_jobs", "Jobs with a run under way, by status", by_status);
    let mut counts = JobFamilies { registry, jobs };
    counts.count("weir_job_checkpoints", "Complete checkpoints of the run", |m| m.checkpoints);
    counts.level("weir_job_checkpoint_duration_ms", "Duration of the last complete checkpoint", |m| {
        Some(m.checkpoint_duration_ms)
    });
    counts.level("weir_job_checkpoint_bytes", "Size of the last complete checkpoint", |m| {
        Some(m.checkpoint_bytes)
    });
    counts
        .level("weir_job_checkpoint_epoch", "Number of the last complete checkpoint", |m| m.checkpoint_epoch);
}

struct JobFamilies<'a> {
    registry: &'a mut Registry,
    jobs: &'a [(Status, MetricsView)],
}

impl JobFamilies<'_> {
    fn labels(view: &MetricsView) -> JobLabels {
        JobLabels { job_id: view.job.0, job: view.name.clone() }
    }

    fn count(&mut self, name: &str, help: &str, value: fn(&weir_runtime::JobMetrics) -> u64) {
        let family: Family<JobLabels, Count> = Family::default();
        for (_, view) in self.jobs {
            family.get_or_create(&Self::labels(view)).inc_by(value(&view.metrics));
        }
        self.registry.register(name, help, family);
    }

    fn level(&mut self, name: &str, help: &str, value: fn(&weir_runtime::JobMetrics) -> Option<u64>) {
        let family: Family<JobLabels, Level> = Family::default();
        for (_, view) in self.jobs {
            if let Some(value) = value(&view.metrics) {
                let level = family.get_or_create(&Self::labels(view));
                level.set(i64::try_from(value).unwrap_or(i64::MAX));
            }
        }
        self.registry.register(name, help, family);
    }
}

/// A counter of an operator: name, help text, value.
type OperatorCounter = (&'static str, &'static str, fn(&OperatorMetrics) -> u64);

/// The counters of an operator, named as in `weir_runtime::OperatorMetrics`.
const OPERATOR_COUNTERS: &[OperatorCounter] = &[
    ("weir_operator_records_in", "Rows taken in; for a source: records read, dirty ones included", |o| {
        o.records_in
    }),
    ("weir_operator_records_out", "Rows given out", |o| o.records_out),
    ("weir_operator_bytes", "Bytes read by a source or written by a sink", |o| o.bytes),
    ("weir_operator_dirty", "Records that could not be decoded or evaluated", |o| o.dirty),
    ("weir_operator_late", "Rows dropped because their window had closed", |o| o.late),
    ("weir_operator_busy_ms", "Time spent working, summed over subtasks", |o| o.busy_ms),
    ("weir_operator_backpressured_ms", "Time spent waiting for downstream, summed over subtasks", |o| {
        o.backpressured_ms
    }),
];

fn register_operators(registry: &mut Registry, jobs: &[(Status, MetricsView)]) {
    let operators = || {
        jobs.iter().flat_map(|(_, view)| view.metrics.operators.iter().map(move |operator| (view, operator)))
    };
    let labels = |view: &MetricsView, operator: &OperatorMetrics| OperatorLabels {
        job_id: view.job.0,
        job: view.name.clone(),
        operator: operator.name.clone(),
        operator_id: operator.id.clone(),
        kind: operator.kind.clone(),
    };
    for (name, help, value) in OPERATOR_COUNTERS {
        let family: Family<OperatorLabels, Count> = Family::default();
        for (view, operator) in operators() {
            family.get_or_create(&labels(view, operator)).inc_by(value(operator));
        }
        registry.register(*name, *help, family);
    }
    let watermarks: Family<OperatorLabels, Level> = Family::default();
    let lags: Family<OperatorLabels, Level> = Family::default();
    let states: Family<OperatorLabels, Level> = Family::default();
    let rates: Family<OperatorLabels, Gauge<f64, AtomicU64>> = Family::default();
    for (view, operator) in operators() {
        if let Some(watermark) = operator.watermark {
            watermarks.get_or_create(&labels(view, operator)).set(watermark);
        }
        if let Some(lag) = operator.lag_ms {
            lags.get_or_create(&labels(view, operator)).set(lag);
        }
        let state = i64::try_from(operator.state_bytes).unwrap_or(i64::MAX);
        states.get_or_create(&labels(view, operator)).set(state);
        rates.get_or_create(&labels(view, operator)).set(operator.rate);
    }
    registry.register("weir_operator_watermark_ms", "Watermark, milliseconds since the epoch", watermarks);
    registry.register("weir_operator_lag_ms", "How far event time is behind the clock", lags);
    registry.register("weir_operator_state_bytes", "Bytes of state held", states);
    registry.register("weir_operator_rate", "Records per second over the last minute", rates);
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_base::id::JobId;
    use weir_runtime::{JobMetrics, Means};

    #[test]
    fn operators_appear_with_their_job() {
        let operator = OperatorMetrics {
            id: "a".into(),
            name: "Source: DIS_7_CARS".into(),
            kind: "source".into(),
            records_in: 42,
            watermark: Some(1_000),
            ..OperatorMetrics::default()
        };
        let metrics = JobMetrics { operators: vec![operator], ..JobMetrics::default() };
        let view = MetricsView { job: JobId(7), name: "cars".into(), metrics };
        let in_force = InForce { cores: Means::Cgroup, memory: Means::Limits };
        let text = ApiMetrics::with_confinement(in_force).render(&[(Status::Running, view)]).unwrap();
        let labels = r#"{job_id="7",job="cars",operator="Source: DIS_7_CARS",operator_id="a",kind="source"}"#;
        assert!(text.contains(&format!("weir_operator_records_in_total{labels} 42")), "{text}");
        assert!(text.contains(&format!("weir_operator_watermark_ms{labels} 1000")), "{text}");
        assert!(text.contains("# HELP weir_operator_late "), "{text}");
        assert!(text.contains(r#"weir_jobs{status="job_running"} 1"#), "{text}");
        assert!(text.contains(r#"weir_worker_confinement{resource="cores",by="cgroup"} 1"#), "{text}");
        assert!(text.contains(r#"weir_worker_confinement{resource="memory",by="limits"} 1"#), "{text}");
    }
}
