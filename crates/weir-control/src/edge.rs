//! Edge jobs: SQL jobs for the nodes of edge groups. They are kept and checked; there are no nodes that run them.

use weir_base::error::{CsError, codes};
use weir_base::id::JobId;
use weir_sql::syntax::ast::{CreateStream, Statement, StreamKind};
use weir_store::JobDefinition;

use crate::caller::Caller;
use crate::control::{Control, fault};
use crate::options::EdgeGroup;

/// The type of jobs for edge nodes.
const EDGE_JOB: &str = "flink_sql_edge_job";

/// Whether a definition is that of an edge job.
pub(crate) fn is_edge(definition: &JobDefinition) -> bool {
    definition.job_type == EDGE_JOB
}

/// Checks that every group that an edge job names is one of the installation.
pub(crate) fn check_groups(definition: &JobDefinition, known: &[EdgeGroup]) -> Result<(), CsError> {
    let named = definition.edge_group_ids.as_deref().unwrap_or_default();
    let mut named = named.split(',').map(str::trim).filter(|id| !id.is_empty()).peekable();
    if named.peek().is_none() {
        return Err(codes::EDGE_GROUP_REQUIRED.error());
    }
    match named.find(|id| known.iter().all(|group| group.id != *id)) {
        Some(unknown) => {
            Err(codes::EDGE_GROUP_REQUIRED.error().because(format!("There is no edge group `{unknown}`.")))
        }
        None => Ok(()),
    }
}

/// Checks the text of an edge job as far as it can be without a node: its syntax, and that its streams are of the
/// types that edge jobs have.
pub(crate) fn check_sql(sql_body: &str) -> Result<(), CsError> {
    let statements = weir_sql::parse(sql_body).map_err(|error| crate::sql::refusal(&error))?;
    for statement in &statements {
        if let Statement::Create(stream) = statement {
            check_type(stream)?;
        }
    }
    Ok(())
}

fn check_type(stream: &CreateStream) -> Result<(), CsError> {
    let usable: &[&str] = match stream.kind {
        StreamKind::Temp => return Ok(()),
        StreamKind::Source | StreamKind::Sink => &["edgehub", "user_defined"],
        StreamKind::Table => &["rds"],
    };
    let option = stream.options.iter().find(|option| option.name.value.eq_ignore_ascii_case("type"));
    let found = option.map(|option| option.value.trim()).unwrap_or_default();
    if usable.iter().any(|name| name.eq_ignore_ascii_case(found)) {
        return Ok(());
    }
    Err(codes::STREAM_TYPE_INVALID.error().because(format!(
        "In an edge job the type of `{}` must be {}; it is `{found}`.",
        stream.name.value,
        usable.join(" or ")
    )))
}

/// The refusal of every run of an edge job.
pub(crate) fn no_nodes() -> CsError {
    codes::JOB_RUN_EXCEPTION.error().because(
        "No edge node takes jobs from this installation, so that a flink_sql_edge_job is kept and not run.",
    )
}

impl Control {
    /// Returns the edge groups of the installation. All projects share them.
    pub fn edge_groups(&self) -> &[EdgeGroup] {
        &self.options.edge_groups
    }

    /// Returns the refusal of a report of an edge node about a job: no edge job runs here, so that there is none that a
    /// report can be about. A job that the caller may not read counts as unknown.
    pub async fn refuse_edge_report(&self, caller: &Caller, id: Option<JobId>) -> CsError {
        let invalid = |reason: String| codes::INVALID_REQUEST_BODY.error().because(reason);
        let Some(id) = id else {
            return invalid("A report must name the job of each entry in job_id.".to_string());
        };
        let job = match self.store.job(&caller.project, id).await {
            Ok(job) => job.filter(|job| caller.owns(job)),
            Err(error) => return fault(error),
        };
        invalid(match job {
            None => format!("There is no job {id}."),
            Some(job) if is_edge(&job.definition) => {
                format!("Job {id} is on no edge node: this installation keeps edge jobs and runs none.")
            }
            Some(job) => format!("Job {id} is a {} and on no edge node.", job.definition.job_type),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Vec<EdgeGroup> {
        ["g1", "g2"].map(|id| EdgeGroup { id: id.to_string(), name: id.to_string() }).to_vec()
    }

    fn code_of_groups(named: Option<&str>) -> u32 {
        let definition =
            JobDefinition { edge_group_ids: named.map(str::to_string), ..JobDefinition::default() };
        check_groups(&definition, &groups()).err().map_or(0, |error| error.code.0)
    }

    #[test]
    fn every_group_must_be_there() {
        assert_eq!(code_of_groups(Some("g1")), 0);
        assert_eq!(code_of_groups(Some(" g2 , g1,")), 0);
        for named in [None, Some(""), Some(" , "), Some("g3"), Some("g1,g3")] {
            assert_eq!(code_of_groups(named), 11023, "{named:?}");
        }
    }

    #[test]
    fn streams_are_of_the_edge() {
        let text = |source: &str| {
            format!(
                "CREATE SOURCE STREAM s (a INT) WITH (type = '{source}', topic = 'x');
                 CREATE SINK STREAM t (a INT) WITH (type = 'EdgeHub', topic = 'y');
                 INSERT INTO t SELECT a FROM s;"
            )
        };
        assert!(check_sql(&text("edgehub")).is_ok());
        let error = check_sql(&text("dis")).unwrap_err();
        assert_eq!(
            (error.code.0, error.cause().contains("`s` must be edgehub or user_defined")),
            (13015, true)
        );
        assert_eq!(check_sql("CREATE SOURCE STREAM").unwrap_err().code.0, 13005);
    }
}
