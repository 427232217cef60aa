//! Metrics of jobs.

use serde::Serialize;
use utoipa::ToSchema;
use weir_control::MetricsView;
use weir_runtime::OperatorMetrics;

/// Metrics of several jobs.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueryJobMetricsResponsePayload {
    /// One entry per job, in the order of the request.
    pub jobs: Vec<JobMetric>,
}

/// Metrics of a job.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobMetric {
    /// The job.
    pub job_id: i64,
    /// Its counters, from the start of the present or last run.
    pub metrics: JobMetricDetail,
}

/// Counters of a job.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobMetricDetail {
    /// One entry per source.
    pub sources: Vec<OperatorMetric>,
    /// One entry per sink.
    pub sinks: Vec<OperatorMetric>,
    /// Records per second over the last minute.
    pub total_read_rate: f64,
    /// Records per second over the last minute.
    pub total_write_rate: f64,
}

/// Counters of a source or sink.
#[derive(Debug, Serialize, ToSchema)]
pub struct OperatorMetric {
    /// Operator name.
    pub name: String,
    /// Records read or written.
    pub records: i64,
    /// Dirty records of a source; 0 for a sink.
    pub corrupted_records: i64,
}

impl From<MetricsView> for JobMetric {
    fn from(view: MetricsView) -> Self {
        let of_kind = |kind: &str| -> Vec<&OperatorMetrics> {
            view.metrics.operators.iter().filter(|operator| operator.kind == kind).collect()
        };
        let (sources, sinks) = (of_kind("source"), of_kind("sink"));
        // A `f64` sum of nothing is -0.0, which would show.
        let rate = |operators: &[&OperatorMetrics]| operators.iter().fold(0.0, |sum, o| sum + o.rate);
        let metrics = JobMetricDetail {
            total_read_rate: rate(&sources),
            total_write_rate: rate(&sinks),
            sources: sources.iter().map(|o| entry(&o.name, o.records_in, o.dirty)).collect(),
            sinks: sinks.iter().map(|o| entry(&o.name, o.records_out, 0)).collect(),
        };
        Self { job_id: view.job.0, metrics }
    }
}

fn entry(name: &str, records: u64, dirty: u64) -> OperatorMetric {
    let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    OperatorMetric { name: name.to_string(), records: signed(records), corrupted_records: signed(dirty) }
}
