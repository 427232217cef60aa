//! The check of a job's text at run: the very function that the command line uses.

use serde_json::json;
use weir_base::error::{CsError, codes};
use weir_base::variables::Variables;
use weir_sql::{CheckError, CheckOptions, Cluster};
use weir_store::JobDefinition;

use crate::options::ControlOptions;

/// Checks the text of a job with the global variables that it may name.
pub(crate) async fn check_job(
    definition: &JobDefinition,
    variables: Variables,
    options: &ControlOptions,
) -> Result<(), CsError> {
    let text = definition.sql_body.clone();
    let cluster = match definition.run_mode.as_str() {
        "shared_cluster" => Cluster::Shared { restricted: options.restricted_shared_cluster },
        _ => Cluster::Exclusive,
    };
    let check_options = CheckOptions {
        max_bytes: options.sql_max_bytes,
        cluster,
        time_zone: options.time_zone.clone(),
        variables,
        ..CheckOptions::default()
    };
    // Planning takes milliseconds: too long for a thread that serves connections.
    let checked = tokio::task::spawn_blocking(move || {
        weir_sql::check(&text, &weir_connectors::CATALOG, &check_options).map(drop)
    })
    .await;
    match checked {
        Ok(result) => result.map_err(|error| refusal(&error)),
        Err(panic) => {
            tracing::error!(%panic, "the checker failed");
            Err(codes::INTERNAL_ERROR.error().because("The SQL text could not be checked."))
        }
    }
}

/// Renders a complaint of the checker.
pub(crate) fn refusal(error: &CheckError) -> CsError {
    let message = &error.message;
    let (line, column) = (message.position.line, message.position.column);
    let said = match &message.hint {
        Some(hint) => format!("{} ({hint})", message.text),
        None => message.text.clone(),
    };
    let details = json!([{ "line": line, "column": column, "message": said }]);
    // The length is a matter of create and update; a text that was accepted under a greater limit is
    // as wrong at run as one that cannot be parsed.
    let code = if error.code == codes::SQL_BODY_TOO_LONG { codes::SQL_SYNTAX_ERROR } else { error.code };
    code.error()
        .with("type", error.parameter.as_deref().unwrap_or_default())
        .because(format!("Line {line}, column {column}: {said}."))
        .details(details)
}
