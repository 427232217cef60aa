//! Errors of the engine and of the connectors it runs.

use thiserror::Error;

/// A fault of a source, dimension table or sink.
#[derive(Debug, Clone, Error)]
#[error("{message}")]
pub struct ConnectorError {
    /// What happened, where, and what to do; for people.
    pub message: String,
    /// Whether trying again later may help.
    pub transient: bool,
}

impl ConnectorError {
    /// Makes an error that will not go away by itself.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self { message: message.into(), transient: false }
    }

    /// Makes an error that may go away by itself.
    pub fn transient(message: impl Into<String>) -> Self {
        Self { message: message.into(), transient: true }
    }
}
