//! The fields of a JAR job, and the rules of each. Pure: no stored state is read.

use weir_base::error::{CsError, codes};
use weir_store::JobDefinition;

use crate::archive;
use crate::fields::{self, SentFields};

/// The types of JAR jobs.
pub(crate) const FLINK: &str = "flink_jar_job";
pub(crate) const SPARK: &str = "spark_streaming_jar_job";

/// Longest file of a form.
const FILE_BYTES: usize = 8 << 20;
/// Longest name of the entry class in bytes.
const MAIN_CLASS_BYTES: usize = 512;
/// Longest arguments in bytes.
const ARGS_BYTES: usize = 1_024;
/// SPUs of a job.
const SPUS: std::ops::RangeInclusive<i64> = 1..=400;

/// A file of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentFile {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub contents: Vec<u8>,
}

/// The fields as sent; `None` is absent or empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(missing_docs)] // The names and meanings are those of `JobDefinition`.
pub struct SentJar {
    pub name: Option<String>,
    pub desc: Option<String>,
    pub cluster_id: Option<i64>,
    pub manager_spu: Option<i64>,
    pub spu_number: Option<i64>,
    pub parallel_number: Option<i64>,
    pub executor_number: Option<i64>,
    pub executor_spu: Option<i64>,
    pub log_enabled: Option<bool>,
    pub obs_bucket: Option<String>,
    pub smn_topic: Option<String>,
    pub jar: Option<SentFile>,
    pub jar_url: Option<String>,
    pub config: Option<SentFile>,
    pub config_url: Option<String>,
    pub main_class: Option<String>,
    pub args: Option<String>,
    pub restart_when_exception: Option<bool>,
    pub tags: Option<String>,
    pub sys_enterprise_project_id: Option<String>,
    /// Create only.
    pub job_type: Option<String>,
}

impl SentJar {
    /// Returns a definition in which what was sent replaces what `base` has. A file that was sent takes the place of
    /// the path of one, and the other way round.
    pub(crate) fn over(&self, base: &JobDefinition) -> JobDefinition {
        let or = |sent: &Option<String>, base: &Option<String>| sent.clone().or_else(|| base.clone());
        let path = |file: &Option<SentFile>, sent: &Option<String>, base: &Option<String>| match file {
            Some(_) => None,
            None => or(sent, base),
        };
        let kept = |file: &Option<SentFile>, sent: &Option<String>, base: bool| {
            file.is_some() || (base && sent.is_none())
        };
        let mut definition = JobDefinition {
            name: self.name.clone().unwrap_or_else(|| base.name.clone()),
            desc: self.desc.clone().unwrap_or_else(|| base.desc.clone()),
            job_type: self.job_type.clone().unwrap_or_else(|| base.job_type.clone()),
            run_mode: "exclusive_cluster".to_string(),
            cluster_id: self.cluster_id.or(base.cluster_id),
            manager_spu: self.manager_spu.unwrap_or(base.manager_spu),
            spu_number: self.spu_number.unwrap_or(base.spu_number),
            parallel_number: self.parallel_number.unwrap_or(base.parallel_number),
            executor_number: self.executor_number.or(base.executor_number),
            executor_spu: self.executor_spu.or(base.executor_spu),
            log_enabled: self.log_enabled.unwrap_or(base.log_enabled),
            obs_bucket: or(&self.obs_bucket, &base.obs_bucket),
            smn_topic: or(&self.smn_topic, &base.smn_topic),
            has_jar: kept(&self.jar, &self.jar_url, base.has_jar),
            jar_url: path(&self.jar, &self.jar_url, &base.jar_url),
            has_config: kept(&self.config, &self.config_url, base.has_config),
            config_url: path(&self.config, &self.config_url, &base.config_url),
            main_class: or(&self.main_class, &base.main_class),
            args: or(&self.args, &base.args),
            restart_when_exception: self.restart_when_exception.unwrap_or(base.restart_when_exception),
            tags: or(&self.tags, &base.tags),
            sys_enterprise_project_id: or(&self.sys_enterprise_project_id, &base.sys_enterprise_project_id),
            ..base.clone()
        };
        if definition.job_type == SPARK {
            // The program divides its work among the cores of its executors.
            let executors = definition.executor_number.unwrap_or(0);
            let cores = definition.executor_spu.unwrap_or(0).saturating_mul(executors);
            definition.spu_number = cores.saturating_add(definition.manager_spu);
            definition.parallel_number = cores;
        }
        definition
    }
}

fn required(name: &'static str) -> CsError {
    codes::PARAMETER_REQUIRED.error().with("name", name)
}

/// Checks what is needed to create a job, then all fields.
pub(crate) fn check_create(sent: &SentJar, definition: &JobDefinition) -> Result<(), CsError> {
    if sent.name.is_none() {
        return Err(codes::JOB_NAME_EMPTY.error());
    }
    check_name_and_desc(sent)?;
    if sent.desc.is_none() {
        return Err(required("desc"));
    }
    if sent.cluster_id.is_none() {
        return Err(required("cluster_id"));
    }
    if sent.manager_spu.is_none() {
        return Err(required("manager_spu"));
    }
    if definition.job_type == FLINK {
        if sent.spu_number.is_none() {
            return Err(required("spu_number"));
        }
        if sent.parallel_number.is_none() {
            return Err(required("parallel_number"));
        }
    }
    check_numbers(sent)?;
    check_fields(sent, definition)?;
    match sent.job_type.as_deref() {
        None => Err(required("job_type")),
        Some(FLINK | SPARK) => Ok(()),
        Some(_) => Err(codes::JAR_JOB_TYPE_INVALID.error()),
    }
}

/// Checks what can be checked of an update before the stored job is looked at, in the order of the schema.
pub(crate) fn check_sent(sent: &SentJar) -> Result<(), CsError> {
    check_name_and_desc(sent)?;
    check_numbers(sent)?;
    check_uploads(sent)?;
    check_texts(sent.main_class.as_deref(), sent.args.as_deref(), sent.tags.as_deref())
}

/// Checks each number that was sent by itself.
fn check_numbers(sent: &SentJar) -> Result<(), CsError> {
    let ranges = [
        (sent.manager_spu, 1..=4, codes::MANAGER_SPU_INVALID),
        (sent.spu_number, SPUS, codes::SPU_NUMBER_OUT_OF_RANGE),
        (sent.parallel_number, 1..=50, codes::PARALLEL_NUMBER_OUT_OF_RANGE),
        (sent.executor_number, 1..=100, codes::EXECUTOR_NUMBER_OUT_OF_RANGE),
        (sent.executor_spu, 1..=4, codes::EXECUTOR_SPU_OUT_OF_RANGE),
    ];
    match ranges.into_iter().find(|(value, range, _)| value.is_some_and(|value| !range.contains(&value))) {
        Some((_, _, code)) => Err(code.error()),
        None => Ok(()),
    }
}

fn check_name_and_desc(sent: &SentJar) -> Result<(), CsError> {
    let fields = SentFields { name: sent.name.clone(), desc: sent.desc.clone(), ..SentFields::default() };
    fields::check_name_and_desc(&fields)
}

/// Checks all fields of what a request makes of a job, in the order of the schema.
pub(crate) fn check_fields(sent: &SentJar, definition: &JobDefinition) -> Result<(), CsError> {
    check_name_and_desc(sent)?;
    check_spus(definition)?;
    if definition.log_enabled && definition.obs_bucket.is_none() {
        return Err(codes::LOG_OBS_BUCKET_EMPTY.error());
    }
    check_uploads(sent)?;
    if !definition.has_jar && definition.jar_url.is_none() {
        return Err(required("jar or jar_url"));
    }
    check_texts(definition.main_class.as_deref(), definition.args.as_deref(), definition.tags.as_deref())
}

fn check_texts(main_class: Option<&str>, args: Option<&str>, tags: Option<&str>) -> Result<(), CsError> {
    let main_class = main_class.unwrap_or_default();
    if main_class.len() > MAIN_CLASS_BYTES {
        return Err(codes::MAIN_CLASS_TOO_LONG.error());
    }
    if main_class.chars().any(char::is_whitespace) {
        return Err(codes::MAIN_CLASS_HAS_SPACE.error());
    }
    if args.is_some_and(|args| args.len() > ARGS_BYTES) {
        return Err(codes::ARGS_TOO_LONG.error());
    }
    fields::check_tags(tags.unwrap_or_default(), codes::API_NOT_SUPPORTED)
}

fn check_spus(definition: &JobDefinition) -> Result<(), CsError> {
    let manager = definition.manager_spu;
    let invalid = || codes::MANAGER_SPU_INVALID.error();
    if !(1..=4).contains(&manager) {
        return Err(invalid());
    }
    match definition.job_type.as_str() {
        FLINK => {
            if !SPUS.contains(&definition.spu_number) {
                return Err(codes::SPU_NUMBER_OUT_OF_RANGE.error());
            }
            if manager > definition.spu_number - 1 {
                return Err(invalid());
            }
            if !(1..=50).contains(&definition.parallel_number) {
                return Err(codes::PARALLEL_NUMBER_OUT_OF_RANGE.error());
            }
            let most = 4 * (definition.spu_number - manager).max(1);
            if definition.parallel_number > most {
                let reason = format!("{} SPUs compute with at most {most}.", definition.spu_number);
                return Err(codes::PARALLELISM_EXCEEDS_SPU.error().because(reason));
            }
        }
        SPARK => {
            let (Some(number), Some(spus)) = (definition.executor_number, definition.executor_spu) else {
                return Err(codes::SPARK_EXECUTOR_PARAM_REQUIRED.error());
            };
            if !(1..=100).contains(&number) {
                return Err(codes::EXECUTOR_NUMBER_OUT_OF_RANGE.error());
            }
            if !(1..=4).contains(&spus) {
                return Err(codes::EXECUTOR_SPU_OUT_OF_RANGE.error());
            }
            if !SPUS.contains(&definition.spu_number) {
                return Err(codes::SPU_NUMBER_OUT_OF_RANGE.error());
            }
            if manager > definition.spu_number - 1 {
                return Err(invalid());
            }
        }
        // Said last, as the type is the last field.
        _ => {}
    }
    Ok(())
}

fn check_uploads(sent: &SentJar) -> Result<(), CsError> {
    if let Some(jar) = &sent.jar {
        if jar.contents.len() > FILE_BYTES {
            return Err(codes::UPLOAD_FILE_TOO_LARGE.error());
        }
        let reason = match jar.name.to_ascii_lowercase().ends_with(".jar") {
            false => Some("its name does not end in .jar".to_string()),
            true => archive::check(&jar.contents).err(),
        };
        if let Some(reason) = reason {
            return Err(codes::NOT_A_JAR_FILE.error().because(format!("{}: {reason}.", jar.name)));
        }
    }
    if sent.config.as_ref().is_some_and(|file| file.contents.len() > FILE_BYTES) {
        return Err(codes::UPLOAD_FILE_TOO_LARGE.error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn valid() -> SentJar {
        SentJar {
            name: Some("j1".into()),
            desc: Some("d".into()),
            cluster_id: Some(1),
            manager_spu: Some(1),
            spu_number: Some(3),
            parallel_number: Some(2),
            jar_url: Some("b1/a.jar".into()),
            job_type: Some(FLINK.into()),
            ..SentJar::default()
        }
    }

    fn code(sent: &SentJar) -> u32 {
        let definition = sent.over(&JobDefinition::default());
        check_create(sent, &definition).err().map_or(0, |error| error.code.0)
    }

    #[test]
    fn the_manager_is_a_part_of_the_job_and_not_all_of_it() {
        assert_eq!(code(&valid()), 0);
        assert_eq!(code(&SentJar { manager_spu: Some(3), ..valid() }), 11025);
        assert_eq!(code(&SentJar { spu_number: Some(1), ..valid() }), 11025);
        assert_eq!(code(&SentJar { parallel_number: Some(9), ..valid() }), 11022);
    }

    #[test]
    fn what_is_wrong_by_itself_is_told_before_the_job_is_looked_at() {
        let code = |sent: SentJar| check_sent(&sent).err().map_or(0, |error| error.code.0);
        let file = |name: &str, bytes| Some(SentFile { name: name.into(), contents: vec![0; bytes] });
        let cases = [
            (SentJar::default(), 0),
            (SentJar { manager_spu: Some(5), spu_number: Some(0), ..SentJar::default() }, 11025),
            (SentJar { spu_number: Some(401), ..SentJar::default() }, 11012),
            (SentJar { parallel_number: Some(0), ..SentJar::default() }, 11013),
            (SentJar { executor_number: Some(101), ..SentJar::default() }, 11028),
            (SentJar { executor_spu: Some(0), ..SentJar::default() }, 11027),
            (SentJar { jar: file("a.txt", 1), ..SentJar::default() }, 11017),
            (SentJar { config: file("a", FILE_BYTES + 1), ..SentJar::default() }, 11031),
            (SentJar { main_class: Some("a b".into()), ..SentJar::default() }, 11020),
            (SentJar { args: Some("a".repeat(1_025)), ..SentJar::default() }, 11019),
        ];
        for (sent, expected) in cases {
            assert_eq!(code(sent.clone()), expected, "{sent:?}");
        }
    }

    #[test]
    fn executors_make_the_size_of_a_spark_job() {
        let spark = SentJar {
            job_type: Some(SPARK.into()),
            spu_number: None,
            parallel_number: None,
            executor_number: Some(100),
            executor_spu: Some(3),
            ..valid()
        };
        assert_eq!(code(&spark), 0);
        assert_eq!(spark.over(&JobDefinition::default()).spu_number, 301);
        assert_eq!(code(&SentJar { executor_spu: Some(4), ..spark.clone() }), 11012);
        assert_eq!(code(&SentJar { executor_spu: None, ..spark }), 11026);
    }

    #[test]
    fn a_file_takes_the_place_of_a_path_and_the_other_way_round() {
        let file = SentFile { name: "a.jar".into(), contents: Vec::new() };
        let sent = SentJar { jar: Some(file), ..valid() };
        let uploaded = sent.over(&JobDefinition::default());
        assert_eq!((uploaded.has_jar, uploaded.jar_url.as_deref()), (true, None));
        assert!(SentJar::default().over(&uploaded).has_jar);
        let named = SentJar { jar_url: Some("b1/b.jar".into()), ..SentJar::default() }.over(&uploaded);
        assert_eq!((named.has_jar, named.jar_url.as_deref()), (false, Some("b1/b.jar")));
    }
}
