//! What goes wrong, and in whose house.

use std::fmt;

use serde_json::{Map, Value};
use thiserror::Error;

/// Codes by which the services say that a credential is missing or no longer good. That of the notification service
/// is also that of a missing role, so that its status counts.
const CREDENTIAL_CODES: [&str; 5] = ["CS.10007", "CS.10008", "IAM.0001", "IAM.0066", "IAM.0067"];
const UNKNOWN_CALLER: (u16, &str) = (401, "SMN.0001");
/// Codes by which the CS API, whose failures are all of status 400, says that it failed by itself.
const FAULT_CODES: [&str; 2] = ["CS.10001", "CS.10015"];
/// Members of details that are told in words.
const DETAILS: [&str; 5] = ["job_id", "error_id", "line", "column", "message"];
/// Longest part of an answer of unknown form that is shown.
const MOST_SHOWN: usize = 300;

/// A call has no result.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The service said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The service did not answer.
    #[error("the service at {endpoint} does not answer: {cause}")]
    Unreachable {
        /// Its address.
        endpoint: String,
        /// Why, as far as the network tells.
        cause: String,
    },
    /// What answers is no such service.
    #[error("what is at {endpoint} does not answer as the service does: {cause}")]
    Unreadable {
        /// Its address.
        endpoint: String,
        /// What is wrong with the answer.
        cause: String,
    },
    /// What was given cannot be used.
    #[error("{0}")]
    Given(String),
}

impl ClientError {
    /// Whether it is the fault of the service or of what lies between, and not of what was asked for.
    pub fn is_fault(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.status >= 500 || FAULT_CODES.contains(&refusal.code.as_str()),
            Self::Unreachable { .. } | Self::Unreadable { .. } => true,
            Self::Given(_) => false,
        }
    }

    /// Whether the credential was refused, so that logging in again may help.
    pub fn is_about_credential(&self) -> bool {
        match self {
            Self::Refused(refusal) => {
                let code = refusal.code.as_str();
                (refusal.status, code) == UNKNOWN_CALLER || CREDENTIAL_CODES.contains(&code)
            }
            _ => false,
        }
    }
}

/// An answer that says no, in whichever form the service has for it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Code such as `CS.13007`; empty when there is none.
    pub code: String,
    /// The cause.
    pub cause: String,
    /// What to do; may be empty.
    pub suggestion: String,
    /// More, as JSON; may be empty.
    pub details: String,
}

impl Refusal {
    /// Reads the body of an answer.
    pub fn read(status: u16, body: &str) -> Self {
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        let text = |names: [&str; 3]| {
            let found = names.iter().find_map(|name| json[name].as_str());
            found.unwrap_or_default().to_string()
        };
        // Those of the CS API, of the identity and stream services, and of the notification service.
        let mut cause = text(["error_cause", "error_msg", "message"]);
        if cause.is_empty() {
            let shown: String = body.trim().chars().take(MOST_SHOWN).collect();
            cause = if shown.is_empty() { "the answer has no text".to_string() } else { shown };
        }
        Self {
            status,
            code: text(["error_id", "error_code", "code"]),
            cause,
            suggestion: text(["error_suggestion", "", ""]),
            details: text(["error_json_opt", "", ""]),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code.is_empty() {
            true => write!(f, "the service answered with status {}: {}", self.status, self.cause)?,
            false => write!(f, "{}: {}", self.code, self.cause)?,
        }
        if !self.suggestion.is_empty() {
            write!(f, " {}", self.suggestion)?;
        }
        let told = self.told_details();
        if !told.is_empty() {
            write!(f, " {told}")?;
        }
        Ok(())
    }
}

impl Refusal {
    /// Returns what the details add, for people: of each the job, its code, the place and the message, as far as they are not
    /// said already. Details of an unknown form stay JSON.
    fn told_details(&self) -> String {
        let details: Vec<Map<String, Value>> = match serde_json::from_str(&self.details) {
            Ok(details) => details,
            Err(_) => return self.details.clone(),
        };
        let is_known = |name: &String| DETAILS.contains(&name.as_str());
        if !details.iter().all(|detail| detail.keys().all(is_known)) {
            return self.details.clone();
        }
        let told: Vec<String> = details.iter().map(|detail| self.told_detail(detail)).collect();
        let told: Vec<String> = told.into_iter().filter(|detail| !detail.is_empty()).collect();
        if told.is_empty() { String::new() } else { format!("({})", told.join("; ")) }
    }

    fn told_detail(&self, detail: &Map<String, Value>) -> String {
        let text = |name: &str| detail.get(name).and_then(Value::as_str);
        let number = |name: &str| detail.get(name).and_then(Value::as_i64);
        let mut parts = Vec::new();
        // No job is to blame for what has the number 0.
        parts.extend(number("job_id").filter(|id| *id != 0).map(|id| format!("job {id}")));
        parts.extend(text("error_id").filter(|code| *code != self.code).map(str::to_string));
        if let Some(message) = text("message").filter(|message| !self.cause.contains(message)) {
            if let (Some(line), Some(column)) = (number("line"), number("column")) {
                parts.push(format!("{line}:{column}"));
            }
            parts.push(message.to_string());
        }
        parts.join(": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_every_service_are_read() {
        for (status, body, shown, fault, credential) in [
            (
                400,
                r#"{"error_id":"CS.12004","error_cause":"No job 7.","error_suggestion":"Check the id."}"#,
                "CS.12004: No job 7. Check the id.",
                false,
                false,
            ),
            (
                400,
                r#"{"error_id":"CS.10001","error_cause":"It failed."}"#,
                "CS.10001: It failed.",
                true,
                false,
            ),
            (400, r#"{"error_id":"CS.10007","error_cause":"Old."}"#, "CS.10007: Old.", false, true),
            (404, r#"{"error_code":"IAM.0004","error_msg":"no user"}"#, "IAM.0004: no user", false, false),
            (401, r#"{"code":"SMN.0001","message":"who?"}"#, "SMN.0001: who?", false, true),
            (403, r#"{"code":"SMN.0001","message":"no role"}"#, "SMN.0001: no role", false, false),
            (401, r#"{"error_code":"IAM.0062","error_msg":"wrong"}"#, "IAM.0062: wrong", false, false),
            (502, "<html>", "the service answered with status 502: <html>", true, false),
            (404, "", "the service answered with status 404: the answer has no text", false, false),
        ] {
            let error = ClientError::from(Refusal::read(status, body));
            assert_eq!(error.to_string(), shown);
            assert_eq!((error.is_fault(), error.is_about_credential()), (fault, credential), "{shown}");
        }
    }

    #[test]
    fn details_are_told_once_and_in_words() {
        for (cause, details, shown) in [
            ("No.", r#"[{"job_id":1,"error_id":"CS.13005"}]"#, "CS.13005: No. (job 1)"),
            (
                "No. Line 2, column 20: no `b`.",
                r#"[{"column":20,"line":2,"message":"no `b`"}]"#,
                "CS.13005: No. Line 2, column 20: no `b`.",
            ),
            ("No.", r#"[{"column":20,"line":2,"message":"no `b`"}]"#, "CS.13005: No. (2:20: no `b`)"),
            (
                "No. Line 2, column 20: no `b`.",
                r#"[{"job_id":1,"error_id":"CS.13005","column":20,"line":2,"message":"no `b`"},{"job_id":3,"error_id":"CS.13006"}]"#,
                "CS.13005: No. Line 2, column 20: no `b`. (job 1; job 3: CS.13006)",
            ),
            ("No.", r#"[{"job_id":0,"error_id":"CS.13005"}]"#, "CS.13005: No."),
            ("No.", r#"[{"why":1}]"#, r#"CS.13005: No. [{"why":1}]"#),
            ("No.", "odd", "CS.13005: No. odd"),
            ("No.", "", "CS.13005: No."),
        ] {
            let body = serde_json::json!({ "error_id": "CS.13005", "error_cause": cause, "error_json_opt": details });
            assert_eq!(Refusal::read(400, &body.to_string()).to_string(), shown);
        }
    }
}
