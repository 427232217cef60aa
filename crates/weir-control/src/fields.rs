//! The fields of a create or update request, and the rules of each. Pure: no stored state is read.
//!
//! Fields are checked in the order of the schema; for one field: missing, length, characters, range.

use weir_base::error::{CsError, ErrorCode, codes};
use weir_base::settings::DirtyDataPolicy;
use weir_store::JobDefinition;

use crate::jar;

/// Longest job name in bytes.
const NAME_BYTES: usize = 57;
/// Longest description in bytes.
const DESC_BYTES: usize = 512;
/// Tags: how many, and how many characters each key and value may have.
const TAGS: (usize, usize, usize) = (20, 128, 255);
/// SPUs that manage a SQL job and do not compute.
const MANAGER_SPUS: i64 = 1;

/// `checkpoint_interval`, where an explicit null is an error of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CheckpointInterval {
    /// Not sent.
    #[default]
    Absent,
    /// Sent as null.
    Null,
    /// Sent as a number of seconds.
    Seconds(i64),
}

/// The fields as sent; `None` is absent or null.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)] // The names and meanings are those of `JobDefinition`.
pub struct SentFields {
    pub name: Option<String>,
    pub desc: Option<String>,
    /// Create only.
    pub template_id: Option<i64>,
    pub cluster_id: Option<i64>,
    pub sql_body: Option<String>,
    pub run_mode: Option<String>,
    pub spu_number: Option<i64>,
    pub parallel_number: Option<i64>,
    pub checkpoint_enabled: Option<bool>,
    pub checkpoint_mode: Option<String>,
    pub checkpoint_interval: CheckpointInterval,
    pub obs_bucket: Option<String>,
    pub log_enabled: Option<bool>,
    pub smn_topic: Option<String>,
    pub restart_when_exception: Option<bool>,
    pub idle_state_retention: Option<i64>,
    pub edge_group_ids: Option<String>,
    pub tags: Option<String>,
    pub sys_enterprise_project_id: Option<String>,
    pub udf_jar_url: Option<String>,
    pub dirty_data_strategy: Option<String>,
    /// Create only.
    pub job_type: Option<String>,
}

impl SentFields {
    /// Whether the request says where the job runs. A cluster that was taken away, or deleted, is no reason to refuse the change
    /// of something else.
    pub(crate) fn names_cluster(&self) -> bool {
        self.run_mode.is_some() || self.cluster_id.is_some()
    }

    /// Returns a definition in which what was sent replaces what `base` has. An empty text clears a
    /// field; outside the exclusive mode `cluster_id` is not kept.
    pub(crate) fn over(&self, base: &JobDefinition) -> JobDefinition {
        let text = |sent: &Option<String>, base: &str| sent.clone().unwrap_or_else(|| base.to_string());
        let clearable = |sent: &Option<String>, base: &Option<String>| match sent {
            Some(text) => (!text.trim().is_empty()).then(|| text.clone()),
            None => base.clone(),
        };
        let run_mode = text(&self.run_mode, &base.run_mode);
        let cluster_id =
            if run_mode == "exclusive_cluster" { self.cluster_id.or(base.cluster_id) } else { None };
        JobDefinition {
            name: text(&self.name, &base.name),
            desc: text(&self.desc, &base.desc),
            job_type: text(&self.job_type, &base.job_type),
            run_mode,
            cluster_id,
            sql_body: text(&self.sql_body, &base.sql_body),
            spu_number: self.spu_number.unwrap_or(base.spu_number),
            parallel_number: self.parallel_number.unwrap_or(base.parallel_number),
            checkpoint_enabled: self.checkpoint_enabled.unwrap_or(base.checkpoint_enabled),
            checkpoint_mode: clearable(&self.checkpoint_mode, &base.checkpoint_mode),
            checkpoint_interval: match self.checkpoint_interval {
                CheckpointInterval::Seconds(seconds) => seconds,
                CheckpointInterval::Absent | CheckpointInterval::Null => base.checkpoint_interval,
            },
            obs_bucket: clearable(&self.obs_bucket, &base.obs_bucket),
            log_enabled: self.log_enabled.unwrap_or(base.log_enabled),
            smn_topic: clearable(&self.smn_topic, &base.smn_topic),
            restart_when_exception: self.restart_when_exception.unwrap_or(base.restart_when_exception),
            idle_state_retention: match self.idle_state_retention {
                Some(0) => JobDefinition::default().idle_state_retention,
                sent => sent.unwrap_or(base.idle_state_retention),
            },
            edge_group_ids: clearable(&self.edge_group_ids, &base.edge_group_ids),
            tags: clearable(&self.tags, &base.tags),
            sys_enterprise_project_id: clearable(
                &self.sys_enterprise_project_id,
                &base.sys_enterprise_project_id,
            ),
            udf_jar_url: clearable(&self.udf_jar_url, &base.udf_jar_url),
            dirty_data_strategy: clearable(&self.dirty_data_strategy, &base.dirty_data_strategy),
            ..base.clone()
        }
    }
}

/// Checks a create request.
pub(crate) fn check_create(sent: &SentFields, sql_max_bytes: usize) -> Result<(), CsError> {
    if sent.name.is_none() {
        return Err(codes::JOB_NAME_EMPTY.error());
    }
    let definition = sent.over(&JobDefinition::default());
    check_name_and_desc(sent)?;
    check_cluster(sent.run_mode.as_deref().unwrap_or_default(), &definition)?;
    if sent.sql_body.is_none() && sent.template_id.is_none() {
        return Err(required("sql_body"));
    }
    check_sql_length(&definition.sql_body, sql_max_bytes)?;
    if sent.run_mode.is_none() {
        return Err(required("run_mode"));
    }
    check_rest(sent, &definition)
}

/// Checks what an update sends by itself, before the stored job is looked at.
pub(crate) fn check_sent(sent: &SentFields, sql_max_bytes: usize) -> Result<(), CsError> {
    check_name_and_desc(sent)?;
    check_sql_length(sent.sql_body.as_deref().unwrap_or_default(), sql_max_bytes)?;
    check_range(sent.spu_number.unwrap_or(1), 1..=400, codes::SPU_NUMBER_OUT_OF_RANGE)?;
    check_range(sent.parallel_number.unwrap_or(1), 1..=50, codes::PARALLEL_NUMBER_OUT_OF_RANGE)?;
    if sent.checkpoint_enabled == Some(true) {
        check_interval(sent.checkpoint_interval, None)?;
    }
    check_idle_state_retention(sent.idle_state_retention)?;
    check_tags(sent.tags.as_deref().unwrap_or_default(), codes::INVALID_REQUEST_BODY)?;
    check_dirty_data(sent.dirty_data_strategy.as_deref())
}

/// Checks what an update makes of a stored definition.
pub(crate) fn check_merged(
    sent: &SentFields,
    merged: &JobDefinition,
    sql_max_bytes: usize,
) -> Result<(), CsError> {
    if sent.names_cluster() {
        check_cluster(&merged.run_mode, merged)?;
    }
    check_sql_length(&merged.sql_body, sql_max_bytes)?;
    check_rest(sent, merged)
}

/// Returns a definition that comes from elsewhere as a request that sends it would make it.
pub(crate) fn taken_in(definition: &JobDefinition) -> JobDefinition {
    if jar::is_jar(definition) {
        return jar::SentJar::default().over(definition);
    }
    let retention = Some(definition.idle_state_retention);
    SentFields { idle_state_retention: retention, ..SentFields::default() }.over(definition)
}

/// Checks a definition that comes from elsewhere as a create request would be. What it names outside of itself is
/// looked at when the job runs.
pub(crate) fn check_definition(definition: &JobDefinition, sql_max_bytes: usize) -> Result<(), CsError> {
    let sent = SentFields {
        name: Some(definition.name.clone()),
        desc: Some(definition.desc.clone()),
        idle_state_retention: Some(definition.idle_state_retention),
        ..SentFields::default()
    };
    check_name_and_desc(&sent)?;
    check_sql_length(&definition.sql_body, sql_max_bytes)?;
    check_is_int32(definition)?;
    if jar::is_jar(definition) {
        let bucket = definition.obs_bucket.clone().or(Some("any".to_string()));
        let definition = JobDefinition { has_jar: true, obs_bucket: bucket, ..definition.clone() };
        return jar::check_fields(&jar::SentJar::default(), &definition);
    }
    let is_known =
        matches!(definition.run_mode.as_str(), "shared_cluster" | "exclusive_cluster" | "edge_node")
            && matches!(definition.job_type.as_str(), "flink_sql_job" | "flink_sql_edge_job");
    if !is_known {
        return Err(codes::INVALID_REQUEST_BODY
            .error()
            .because(format!("job_type is {}, run_mode is {}.", definition.job_type, definition.run_mode)));
    }
    // A job without its bucket can be imported; the run asks for it.
    let bucket = definition.obs_bucket.clone().or(Some("any".to_string()));
    check_rest(&sent, &JobDefinition { obs_bucket: bucket, ..definition.clone() })
}

/// Refuses numbers that a client could not read: on the wire they have 32 bits. Most have bounds besides.
fn check_is_int32(definition: &JobDefinition) -> Result<(), CsError> {
    let numbers = [
        ("checkpoint_interval", definition.checkpoint_interval),
        ("idle_state_retention", definition.idle_state_retention),
        ("spu_number", definition.spu_number),
        ("parallel_number", definition.parallel_number),
        ("manager_spu", definition.manager_spu),
        ("executor_number", definition.executor_number.unwrap_or_default()),
        ("executor_spu", definition.executor_spu.unwrap_or_default()),
    ];
    match numbers.into_iter().find(|(_, number)| i32::try_from(*number).is_err()) {
        Some((name, number)) => Err(codes::INVALID_REQUEST_BODY
            .error()
            .because(format!("{name} is {number}, which has more than 32 bits."))),
        None => Ok(()),
    }
}

fn required(name: &'static str) -> CsError {
    codes::PARAMETER_REQUIRED.error().with("name", name)
}

pub(crate) fn check_name_and_desc(sent: &SentFields) -> Result<(), CsError> {
    if let Some(name) = &sent.name {
        if name.trim().is_empty() {
            return Err(codes::JOB_NAME_EMPTY.error());
        }
        if name.len() > NAME_BYTES {
            return Err(codes::JOB_NAME_TOO_LONG.error());
        }
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
            return Err(codes::JOB_NAME_INVALID.error());
        }
    }
    if sent.desc.as_ref().is_some_and(|desc| desc.len() > DESC_BYTES) {
        return Err(codes::JOB_DESC_TOO_LONG.error());
    }
    Ok(())
}

fn check_cluster(run_mode: &str, definition: &JobDefinition) -> Result<(), CsError> {
    if run_mode == "exclusive_cluster" && definition.cluster_id.is_none() {
        return Err(required("cluster_id"));
    }
    Ok(())
}

/// Checks the length of a text.
pub(crate) fn check_sql_length(text: &str, sql_max_bytes: usize) -> Result<(), CsError> {
    if text.len() > sql_max_bytes {
        return Err(codes::SQL_BODY_TOO_LONG.error().because(format!("It has {} bytes.", text.len())));
    }
    Ok(())
}

/// Checks the fields from `spu_number` on.
fn check_rest(sent: &SentFields, definition: &JobDefinition) -> Result<(), CsError> {
    check_range(definition.spu_number, 1..=400, codes::SPU_NUMBER_OUT_OF_RANGE)?;
    check_range(definition.parallel_number, 1..=50, codes::PARALLEL_NUMBER_OUT_OF_RANGE)?;
    let compute_spus = (definition.spu_number - MANAGER_SPUS).max(1);
    if definition.parallel_number > 4 * compute_spus {
        return Err(codes::PARALLELISM_EXCEEDS_SPU.error().because(format!(
            "{} SPUs compute with at most {}.",
            definition.spu_number,
            4 * compute_spus
        )));
    }
    check_checkpoint(sent, definition)?;
    check_bucket(definition)?;
    check_idle_state_retention(sent.idle_state_retention)?;
    if definition.run_mode == "edge_node" && definition.edge_group_ids.is_none() {
        return Err(codes::EDGE_GROUP_REQUIRED.error());
    }
    check_tags(definition.tags.as_deref().unwrap_or_default(), codes::INVALID_REQUEST_BODY)?;
    if definition.udf_jar_url.is_some() && definition.run_mode == "shared_cluster" {
        return Err(codes::UDF_NOT_SUPPORTED_IN_SHARED_CLUSTER.error());
    }
    check_dirty_data(definition.dirty_data_strategy.as_deref())?;
    if (definition.job_type == "flink_sql_edge_job") != (definition.run_mode == "edge_node") {
        return Err(codes::JOB_TYPE_RUN_MODE_MISMATCH
            .error()
            .because(format!("job_type is {}, run_mode is {}.", definition.job_type, definition.run_mode)));
    }
    Ok(())
}

fn check_range(value: i64, allowed: std::ops::RangeInclusive<i64>, code: ErrorCode) -> Result<(), CsError> {
    if allowed.contains(&value) { Ok(()) } else { Err(code.error()) }
}

fn check_checkpoint(sent: &SentFields, definition: &JobDefinition) -> Result<(), CsError> {
    let mode = definition.checkpoint_mode.as_deref();
    if !definition.checkpoint_enabled {
        return match mode {
            None | Some("exactly_once" | "at_least_once") => Ok(()),
            // With snapshots on this has a code of its own; with snapshots off it is a value outside its enum.
            Some(_) => Err(codes::INVALID_REQUEST_BODY
                .error()
                .because("checkpoint_mode is neither exactly_once nor at_least_once.")),
        };
    }
    if !matches!(mode, Some("exactly_once" | "at_least_once")) {
        return Err(codes::CHECKPOINT_MODE_INVALID.error());
    }
    check_interval(sent.checkpoint_interval, Some(definition.checkpoint_interval))
}

fn check_interval(sent: CheckpointInterval, effective: Option<i64>) -> Result<(), CsError> {
    let seconds = match (sent, effective) {
        (CheckpointInterval::Null, _) => return Err(codes::CHECKPOINT_INTERVAL_INVALID.error()),
        (CheckpointInterval::Seconds(seconds), _) | (CheckpointInterval::Absent, Some(seconds)) => seconds,
        (CheckpointInterval::Absent, None) => return Ok(()),
    };
    check_range(seconds, 1..=999_999, codes::CHECKPOINT_INTERVAL_INVALID)
}

fn check_bucket(definition: &JobDefinition) -> Result<(), CsError> {
    if definition.obs_bucket.is_some() {
        return Ok(());
    }
    match (definition.checkpoint_enabled, definition.log_enabled) {
        (true, true) => Err(codes::OBS_BUCKET_REQUIRED.error()),
        (true, false) => Err(codes::CHECKPOINT_OBS_BUCKET_EMPTY.error()),
        (false, true) => Err(codes::LOG_OBS_BUCKET_EMPTY.error()),
        (false, false) => Ok(()),
    }
}

fn check_idle_state_retention(sent: Option<i64>) -> Result<(), CsError> {
    match sent {
        None | Some(0..=60 | 3_600) => Ok(()),
        Some(_) => Err(codes::IDLE_STATE_RETENTION_INVALID
            .error()
            .because("Allowed are 1 to 60 seconds, 3600, and 0 for the default of 3600.")),
    }
}

/// Checks tags; they have no code of their own.
pub(crate) fn check_tags(tags: &str, code: ErrorCode) -> Result<(), CsError> {
    let (most, key_length, value_length) = TAGS;
    let invalid = |reason: String| code.error().because(reason);
    let pairs: Vec<&str> = tags.split(',').filter(|pair| !pair.trim().is_empty()).collect();
    if pairs.len() > most {
        return Err(invalid(format!("tags has {} entries, at most {most} are allowed.", pairs.len())));
    }
    for pair in pairs {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if key.chars().count() > key_length || value.chars().count() > value_length {
            return Err(invalid(format!(
                "A key in tags has at most {key_length} characters and a value at most {value_length}."
            )));
        }
    }
    Ok(())
}

fn check_dirty_data(strategy: Option<&str>) -> Result<(), CsError> {
    match DirtyDataPolicy::parse(strategy.unwrap_or_default()) {
        Some(_) => Ok(()),
        None => Err(codes::DIRTY_DATA_STRATEGY_INVALID.error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid() -> SentFields {
        SentFields {
            name: Some("j1".into()),
            sql_body: Some(String::new()),
            run_mode: Some("shared_cluster".into()),
            ..SentFields::default()
        }
    }

    fn code(sent: SentFields) -> u32 {
        check_create(&sent, 10_000).err().map_or(0, |error| error.code.0)
    }

    #[test]
    fn a_small_request_is_valid() {
        assert_eq!(code(valid()), 0);
    }

    #[test]
    fn lengths_count_bytes() {
        assert_eq!(code(SentFields { name: Some("é".repeat(29)), ..valid() }), 11006);
        assert_eq!(code(SentFields { name: Some("é".repeat(28)), ..valid() }), 11015);
        assert_eq!(code(SentFields { desc: Some("é".repeat(256)), ..valid() }), 0);
        assert_eq!(code(SentFields { desc: Some("é".repeat(257)), ..valid() }), 11014);
    }

    #[test]
    fn the_first_wrong_field_of_the_schema_counts() {
        let sent = SentFields { desc: Some("x".repeat(513)), spu_number: Some(0), ..valid() };
        assert_eq!(code(sent), 11014);
        let sent = SentFields { spu_number: Some(0), dirty_data_strategy: Some("3".into()), ..valid() };
        assert_eq!(code(sent), 11012);
    }

    #[test]
    fn the_checkpoint_interval_counts_only_with_checkpoints() {
        let off = SentFields { checkpoint_interval: CheckpointInterval::Null, ..valid() };
        assert_eq!(code(off.clone()), 0);
        let on = SentFields {
            checkpoint_enabled: Some(true),
            checkpoint_mode: Some("exactly_once".into()),
            obs_bucket: Some("b1".into()),
            ..off
        };
        assert_eq!(code(on.clone()), 11008);
        assert_eq!(code(SentFields { checkpoint_interval: CheckpointInterval::Absent, ..on }), 0);
    }

    #[test]
    fn one_spu_computes_with_four() {
        let four = SentFields { spu_number: Some(1), parallel_number: Some(4), ..valid() };
        assert_eq!(code(four.clone()), 0);
        assert_eq!(code(SentFields { parallel_number: Some(5), ..four }), 11022);
    }

    #[test]
    fn an_update_keeps_what_it_does_not_send_and_clears_what_is_empty() {
        let stored = JobDefinition { desc: "d".into(), sql_body: "x".into(), ..JobDefinition::default() };
        let sent = SentFields { sql_body: Some(String::new()), ..SentFields::default() };
        let merged = sent.over(&stored);
        assert_eq!((merged.desc.as_str(), merged.sql_body.as_str()), ("d", ""));
    }

    #[test]
    fn a_job_that_has_lost_its_cluster_needs_one_when_its_place_is_sent() {
        let lost = JobDefinition { run_mode: "exclusive_cluster".into(), ..JobDefinition::default() };
        let code = |sent: SentFields| check_merged(&sent, &sent.over(&lost), 10_000).err().map(|e| e.code.0);
        assert_eq!(code(SentFields { desc: Some("d".into()), ..SentFields::default() }), None);
        let place = SentFields { run_mode: Some("exclusive_cluster".into()), ..SentFields::default() };
        assert_eq!(code(place.clone()), Some(11029));
        assert_eq!(code(SentFields { cluster_id: Some(1), ..place }), None);
    }

    #[test]
    fn what_comes_from_elsewhere_is_made_good_or_refused() {
        let code = |definition: JobDefinition| {
            check_definition(&taken_in(&definition), 10_000).err().map_or(0, |error| error.code.0)
        };
        let sql = JobDefinition {
            name: "j1".into(),
            run_mode: "shared_cluster".into(),
            ..JobDefinition::default()
        };
        let kept = |seconds| JobDefinition { idle_state_retention: seconds, ..sql.clone() };
        assert_eq!((code(sql.clone()), code(kept(60)), code(kept(0))), (0, 0, 0));
        assert_eq!(taken_in(&kept(0)).idle_state_retention, 3_600);
        assert_eq!((code(kept(-5)), code(kept(999_999))), (11036, 11036));
        assert_eq!(code(JobDefinition { checkpoint_interval: 9_000_000_000, ..sql }), 10004);
        let spark = JobDefinition {
            name: "j2".into(),
            job_type: jar::SPARK.into(),
            run_mode: "shared_cluster".into(),
            manager_spu: 1,
            executor_number: Some(3),
            executor_spu: Some(2),
            spu_number: 1,
            ..JobDefinition::default()
        };
        let spark = taken_in(&spark);
        assert_eq!((spark.spu_number, spark.parallel_number), (7, 6));
        assert_eq!(spark.run_mode, "exclusive_cluster");
    }
}
