//! Global variables of projects: set and removed by the operator, opened for the check of a job, handed sealed to its
//! worker.

use std::collections::BTreeMap;

use thiserror::Error;
use weir_base::audit::Change;
use weir_base::error::{CsError, codes};
use weir_base::id::ProjectId;
use weir_base::time::Timestamp;
use weir_base::variables::{VARIABLE_NAME_LENGTH, Variables, is_variable_name};
use weir_cloud::sealing::{Sealer, SealingError};
use weir_runtime::{open_variables, variable_owner};
use weir_store::{AuditRecord, Store, StoreError, VariableRecord};

use crate::control::fault;

/// Longest value in bytes; a certificate with its key has a few thousand.
const VALUE_BYTES: usize = 65_536;

/// A variable cannot be set, removed or read.
#[derive(Debug, Error)]
pub enum VariableError {
    /// The name is none.
    #[error(
        "`{0}` cannot be the name of a variable: it has letters, digits, `_`, `-` and `.`, at most {VARIABLE_NAME_LENGTH}"
    )]
    Name(String),
    /// The value is too long.
    #[error("the value has {0} bytes, at most {VALUE_BYTES} are allowed")]
    Value(usize),
    /// The metadata failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The value cannot be sealed or opened.
    #[error(transparent)]
    Sealing(#[from] SealingError),
}

impl From<VariableError> for CsError {
    fn from(error: VariableError) -> Self {
        match error {
            VariableError::Store(error) => fault(error),
            other => {
                tracing::error!(error = %other, "a global variable cannot be used");
                codes::BACKEND_INTERNAL_ERROR.error().because(format!("{other}."))
            }
        }
    }
}

/// The global variables of all projects.
#[derive(Debug, Clone)]
pub struct ProjectVariables {
    store: Store,
    sealer: Sealer,
}

impl ProjectVariables {
    /// Makes them from where they are kept and what seals them.
    pub fn new(store: Store, sealer: Sealer) -> Self {
        Self { store, sealer }
    }

    /// Sets a variable. Returns whether it is a new one.
    pub async fn set(
        &self,
        project: &ProjectId,
        name: &str,
        value: &str,
        now: Timestamp,
    ) -> Result<bool, VariableError> {
        if !is_variable_name(name) {
            return Err(VariableError::Name(name.to_string()));
        }
        if value.len() > VALUE_BYTES {
            return Err(VariableError::Value(value.len()));
        }
        let sealed = self.sealer.seal(&variable_owner(project, name), value)?;
        let record = VariableRecord { name: name.to_string(), sealed, updated_at: now };
        Ok(self.store.set_variable(project, &record, &audit(project, "setVariable", name, now)).await?)
    }

    /// Removes a variable. Returns whether there was one.
    pub async fn remove(
        &self,
        project: &ProjectId,
        name: &str,
        now: Timestamp,
    ) -> Result<bool, VariableError> {
        Ok(self.store.remove_variable(project, name, &audit(project, "removeVariable", name, now)).await?)
    }

    /// Returns names and times, in order of the names.
    pub async fn list(&self, project: &ProjectId) -> Result<Vec<(String, Timestamp)>, VariableError> {
        let records = self.store.variables(project).await?;
        Ok(records.into_iter().map(|record| (record.name, record.updated_at)).collect())
    }

    /// Returns the variables that a text names, sealed.
    pub(crate) async fn sealed_for(
        &self,
        project: &ProjectId,
        text: &str,
    ) -> Result<BTreeMap<String, String>, StoreError> {
        let names = weir_sql::variable_names(text);
        if names.is_empty() {
            return Ok(BTreeMap::new());
        }
        let records = self.store.variables(project).await?;
        let named = records.into_iter().filter(|record| names.contains(&record.name));
        Ok(named.map(|record| (record.name, record.sealed)).collect())
    }

    /// Returns the variables for the check of a text. Those that it does not name are there for hints, without values.
    pub(crate) async fn for_check(
        &self,
        project: &ProjectId,
        text: &str,
    ) -> Result<Variables, VariableError> {
        let named = self.sealed_for(project, text).await?;
        let mut variables = open_variables(project, &named, &self.sealer)?;
        if named.len() < weir_sql::variable_names(text).len() {
            for record in self.store.variables(project).await? {
                if !named.contains_key(&record.name) {
                    variables.set(record.name, "");
                }
            }
        }
        Ok(variables)
    }
}

fn audit(project: &ProjectId, event: &'static str, name: &str, now: Timestamp) -> AuditRecord {
    let change = Change { service: "CS", resource_type: "variable", event };
    AuditRecord::of_operator(project, change, now).about("", name)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn variables(place: &tempfile::TempDir) -> ProjectVariables {
        let store = Store::open(&place.path().join("weir.db")).await.unwrap();
        ProjectVariables::new(store, Sealer::new(place.path().join("sealing.key")))
    }

    const TEXT: &str = "CREATE TABLE t (a INT) WITH (type = 'rds', password = '{{key}}{{kee}}')";

    #[tokio::test]
    async fn the_metadata_does_not_hold_values() {
        let place = tempfile::tempdir().unwrap();
        let variables = variables(&place).await;
        let project = ProjectId("p".into());
        assert!(variables.set(&project, "key", "planted-secret", Timestamp(1)).await.unwrap());
        variables.store.close().await;
        for entry in std::fs::read_dir(place.path()).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            assert!(!bytes.windows(14).any(|part| part == b"planted-secret"), "{}", path.display());
        }
    }

    #[tokio::test]
    async fn a_check_is_given_what_the_text_names_and_the_names_of_the_rest() {
        let place = tempfile::tempdir().unwrap();
        let variables = variables(&place).await;
        let project = ProjectId("p".into());
        for name in ["key", "other"] {
            variables.set(&project, name, "secret", Timestamp(1)).await.unwrap();
        }
        let given = variables.for_check(&project, TEXT).await.unwrap();
        assert_eq!(given, Variables::from([("key", "secret"), ("other", "")]));
        assert!(variables.for_check(&ProjectId("q".into()), TEXT).await.unwrap().is_empty());
        let sealed = variables.sealed_for(&project, TEXT).await.unwrap();
        assert_eq!(
            sealed.keys().collect::<Vec<_>>(),
            ["key"],
            "a worker is given no more than its job names"
        );
    }

    #[tokio::test]
    async fn names_and_values_have_limits() {
        let place = tempfile::tempdir().unwrap();
        let variables = variables(&place).await;
        let project = ProjectId("p".into());
        let set = async |name: &str, value: &str| variables.set(&project, name, value, Timestamp(1)).await;
        assert!(matches!(set("a b", "x").await, Err(VariableError::Name(_))));
        assert!(matches!(set("a", &"x".repeat(65_537)).await, Err(VariableError::Value(65_537))));
        assert_eq!(variables.list(&project).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_lost_key_is_told_when_the_variable_is_needed() {
        let place = tempfile::tempdir().unwrap();
        let variables = variables(&place).await;
        let project = ProjectId("p".into());
        variables.set(&project, "key", "secret", Timestamp(1)).await.unwrap();
        std::fs::remove_file(place.path().join("sealing.key")).unwrap();
        let error = CsError::from(variables.for_check(&project, TEXT).await.unwrap_err());
        assert!(error.cause().contains("sealing.key"), "{}", error.cause());
        assert!(variables.for_check(&project, "INSERT INTO a SELECT 1").await.unwrap().is_empty());
    }
}
