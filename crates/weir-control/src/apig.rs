//! Sinks of type `apig`, whose newest records are read over the gateway of the service.

use weir_base::error::{CsError, codes};
use weir_base::id::{JobId, ProjectId};
use weir_cloud::gateway::GatewaySink;
use weir_sql::syntax::ast::{CreateStream, Statement, StreamKind};

use crate::caller::Caller;
use crate::control::Control;

/// A sink, and where it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApigSinkView {
    /// The sink as the last run of the job registered it.
    pub sink: GatewaySink,
    /// Its address.
    pub url: String,
}

/// Who reads a sink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayReader {
    /// An application, by the id that it sent.
    Application(String),
    /// A user of a project.
    Project(ProjectId),
}

impl Control {
    /// Returns the `apig` sinks in the text of a job. A sink has an address once a run of the job has registered it.
    pub async fn apig_sinks(&self, caller: &Caller, id: JobId) -> Result<Vec<ApigSinkView>, CsError> {
        let job = self.find_own(caller, id, codes::QUERY_JOB_NOT_EXIST).await?;
        let declared = names_of_apig_sinks(&job.definition.sql_body);
        if declared.is_empty() {
            return Ok(Vec::new());
        }
        let registered = self.gateway.sinks(id).await.map_err(|error| unread(&error))?;
        let view = |name: String| {
            match registered.iter().find(|sink| sink.name == name) {
            Some(sink) => {
                let url = format!("{}/{id}/{}", self.options.gateway_url, path_segment(&name));
                Ok(ApigSinkView { sink: sink.clone(), url })
            }
            None => Err(codes::GET_APIG_ADDRESS_FAILED.error().because(format!(
                "Sink {name} gets its address when the job runs, and the job has not run since it has the sink."
            ))),
        }
        };
        declared.into_iter().map(view).collect()
    }

    /// Returns a sink and at most `limit` of its newest records, in the order of writing. `None` when there is no such
    /// sink that the reader may see: which of the two it is, is not told.
    pub async fn read_apig_sink(
        &self,
        reader: &GatewayReader,
        id: JobId,
        name: &str,
        limit: usize,
    ) -> Result<Option<(GatewaySink, Vec<String>)>, CsError> {
        let found = self.gateway.sink(id, name).await.map_err(|error| unread(&error))?;
        let may_read = |sink: &GatewaySink| match reader {
            GatewayReader::Application(app_id) => sink.is_open_to(app_id),
            GatewayReader::Project(project) => sink.project == *project,
        };
        let Some(sink) = found.filter(may_read) else { return Ok(None) };
        // The records of a deleted job go a moment after it.
        let job = self.store.job(&sink.project, id).await.map_err(crate::control::fault)?;
        if job.is_none() {
            return Ok(None);
        }
        let records = self.gateway.newest(id, &sink, limit).await.map_err(|error| unread(&error))?;
        Ok(Some((sink, records)))
    }
}

/// Whether a text has an `apig` sink.
pub(crate) fn has_apig_sink(sql_body: &str) -> bool {
    !names_of_apig_sinks(sql_body).is_empty()
}

/// Returns the names of the `apig` sinks of a text in upper case. An unfinished text has no sinks yet.
fn names_of_apig_sinks(sql_body: &str) -> Vec<String> {
    let statements = weir_sql::parse(sql_body).unwrap_or_default();
    let name = |statement: Statement| match statement {
        Statement::Create(stream) if is_apig_sink(&stream) => Some(stream.name.value.to_uppercase()),
        _ => None,
    };
    statements.into_iter().filter_map(name).collect()
}

fn is_apig_sink(stream: &CreateStream) -> bool {
    stream.kind == StreamKind::Sink
        && stream.options.iter().any(|option| {
            option.name.value.eq_ignore_ascii_case("type") && option.value.trim().eq_ignore_ascii_case("apig")
        })
}

/// A name as part of a path: all but letters, digits, `-`, `_` and `.` percent-encoded.
fn path_segment(name: &str) -> String {
    let mut segment = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => segment.push(char::from(byte)),
            _ => segment.push_str(&format!("%{byte:02X}")),
        }
    }
    segment
}

fn unread(error: &std::io::Error) -> CsError {
    tracing::error!(%error, "what sinks show over the gateway cannot be read");
    codes::BACKEND_INTERNAL_ERROR.error().because(format!("What sinks show cannot be read: {error}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sinks_are_found_by_their_type() {
        let text = "CREATE SOURCE STREAM s (a INT) WITH (type = 'datagen');
            CREATE SINK STREAM t1 (a INT) WITH (TYPE = ' Apig ', app_id = 'a', encode = 'csv');
            CREATE SINK STREAM t2 (a INT) WITH (type = 'blackhole');";
        assert_eq!(names_of_apig_sinks(text), ["T1"]);
        assert!(!has_apig_sink("CREATE SINK STREAM t1 (a"));
    }

    #[test]
    fn odd_names_stay_one_segment() {
        assert_eq!(path_segment("T_1"), "T_1");
        assert_eq!(path_segment("A/B Ü"), "A%2FB%20%C3%9C");
    }
}
