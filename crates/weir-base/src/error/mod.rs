//! Errors as users of the CS API see them: a code, a cause and a suggestion from one table.
//!
//! Code raises a [`CsError`] by its [`ErrorCode`]; the API renders it. The table itself is in
//! [`catalogue`]; it is the only place where the texts stand.

mod catalogue;

use std::fmt;

pub use catalogue::{codes, entries};

/// Returns the text of an error with those that caused it. A cause that the text tells already is not told again.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let reason = error.to_string();
        if !text.contains(&reason) {
            text = format!("{text}: {reason}");
        }
        cause = error.source();
    }
    text
}

/// The number of a CS error; `ErrorCode(11004)` is shown as `CS.11004`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub u32);

/// One row of the catalogue.
#[derive(Debug)]
pub struct ErrorEntry {
    /// The code.
    pub code: ErrorCode,
    /// The upper-snake name, such as `JOB_NAME_EXIST`.
    pub name: &'static str,
    /// What happened; `{name}` stands for a parameter.
    pub cause: &'static str,
    /// What to do.
    pub suggestion: &'static str,
    /// When exactly the code is raised.
    pub trigger: &'static str,
    /// The operations that may raise it, separated by commas, or `all`.
    pub operations: &'static str,
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CS.{:05}", self.0)
    }
}

impl ErrorCode {
    /// Returns the row of the catalogue for this code.
    pub fn entry(self) -> &'static ErrorEntry {
        entries()
            .find(|entry| entry.code == self)
            .expect("every `ErrorCode` constant has its row; a unit test checks it")
    }

    /// Makes an error of this code without parameters.
    pub fn error(self) -> CsError {
        CsError { code: self, parameters: Vec::new(), instead: None, cause: None, details: None }
    }
}

/// An error of the CS API, ready to be rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct CsError {
    /// Which error it is.
    pub code: ErrorCode,
    parameters: Vec<(&'static str, String)>,
    /// The sentence in place of the catalogue's cause.
    instead: Option<String>,
    cause: Option<String>,
    /// Machine-readable details, sent as JSON text in `error_json_opt`.
    pub details: Option<serde_json::Value>,
}

impl CsError {
    /// Sets the value of a `{name}` placeholder of the cause and suggestion.
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.parameters.push((name, value.to_string()));
        self
    }

    /// Puts a sentence in place of the catalogue's cause, where that names a number that an installation can change.
    pub fn instead(mut self, cause: impl fmt::Display) -> Self {
        self.instead = Some(cause.to_string());
        self
    }

    /// Adds a sentence after the catalogue's cause that says what exactly was wrong.
    pub fn because(mut self, reason: impl fmt::Display) -> Self {
        self.cause = Some(reason.to_string());
        self
    }

    /// Sets the details.
    pub fn details(mut self, details: serde_json::Value) -> Self {
        self.details = Some(details);
        self
    }

    /// Returns the cause with its parameters filled in.
    pub fn cause(&self) -> String {
        let text = self.instead.clone().unwrap_or_else(|| self.fill(self.code.entry().cause));
        match &self.cause {
            Some(reason) => format!("{text} {reason}"),
            None => text,
        }
    }

    /// Returns the suggestion with its parameters filled in.
    pub fn suggestion(&self) -> String {
        self.fill(self.code.entry().suggestion)
    }

    fn fill(&self, text: &str) -> String {
        let mut text = text.to_string();
        for (name, value) in &self.parameters {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }
}

impl fmt::Display for CsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.code, self.code.entry().name, self.cause())
    }
}

impl std::error::Error for CsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogue_has_every_code_once() {
        let mut codes: Vec<_> = entries().map(|entry| entry.code).collect();
        assert_eq!(codes.len(), 159);
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), 159);
    }

    #[test]
    fn placeholders_are_filled() {
        let error = codes::BUCKET_NOT_EXIST.error().with("bucket", "b1");
        assert_eq!(error.cause(), "No bucket is named b1.");
        assert_eq!(error.code.to_string(), "CS.19003");
    }
}
