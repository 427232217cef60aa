//! Sinks of type `apig`, whose rows are read over a gateway.

use weir_base::error::{CsError, codes};
use weir_base::id::JobId;
use weir_sql::syntax::ast::{Statement, StreamKind};

use crate::caller::Caller;
use crate::control::Control;

impl Control {
    /// Looks for the `apig` sinks of a job. Jobs that have any never run here, so that no address was ever registered;
    /// success means that there are none.
    pub async fn apig_sinks(&self, caller: &Caller, id: JobId) -> Result<(), CsError> {
        let job = self.find(caller, id, codes::QUERY_JOB_NOT_EXIST).await?;
        caller.check_owner(&job)?;
        // An unfinished text has no sinks yet.
        let statements = weir_sql::parse(&job.definition.sql_body).unwrap_or_default();
        let is_apig = |statement: &Statement| match statement {
            Statement::Create(stream) if stream.kind == StreamKind::Sink => {
                stream.options.iter().any(|option| {
                    option.name.value.eq_ignore_ascii_case("type")
                        && option.value.trim().eq_ignore_ascii_case("apig")
                })
            }
            _ => false,
        };
        if statements.iter().any(is_apig) {
            return Err(codes::GET_APIG_ADDRESS_FAILED.error().because(
                "The job has never been running: this installation has no gateway for such sinks.",
            ));
        }
        Ok(())
    }
}
