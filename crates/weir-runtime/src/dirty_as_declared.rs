//! Tells the policy for dirty records of streams by the names that the job declares, and of nothing that is a secret.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use weir_base::variables::Redactor;
use weir_engine::dirty::{DirtyEntry, DirtyPolicy};

/// A policy behind a translation of what it is told.
pub(crate) struct DirtyAsDeclared {
    policy: Arc<dyn DirtyPolicy>,
    /// From the name of a node of the dataflow to that of its stream.
    names: HashMap<String, String>,
    redactor: Redactor,
}

impl DirtyAsDeclared {
    /// Puts the translation before a policy.
    pub fn new(policy: Arc<dyn DirtyPolicy>, names: HashMap<String, String>, redactor: Redactor) -> Self {
        Self { policy, names, redactor }
    }
}

#[async_trait]
impl DirtyPolicy for DirtyAsDeclared {
    async fn handle(&self, stream: &str, mut entries: Vec<DirtyEntry>) -> Result<(), String> {
        // Rows that an operator sets aside may come from several sources.
        let declared = |name| self.names.get(name).map_or(name, String::as_str);
        let stream = stream.split(", ").map(declared).collect::<Vec<_>>().join(", ");
        for entry in &mut entries {
            if let std::borrow::Cow::Owned(reason) = self.redactor.redact(&entry.reason) {
                entry.reason = reason;
            }
        }
        self.policy.handle(&stream, entries).await
    }

    async fn flush(&self) -> Result<(), String> {
        self.policy.flush().await
    }
}

#[cfg(test)]
mod tests {
    use weir_base::variables::Variables;
    use weir_engine::dirty::FailOnDirty;

    use super::*;

    #[tokio::test]
    async fn streams_have_their_declared_names_and_reasons_no_secrets() {
        let names = HashMap::from([("Source: DIS_7_CARS".to_string(), "Cars".to_string())]);
        let redactor = Redactor::new(&Variables::from([("d", "secret")]), "field_delimiter='{{d}}'");
        let policy = DirtyAsDeclared::new(Arc::new(FailOnDirty), names, redactor);
        let entry = || DirtyEntry { reason: "no `secret`".to_string(), data: Vec::new(), place: None };
        let said = policy.handle("Source: DIS_7_CARS", vec![entry()]).await.unwrap_err();
        assert!(said.starts_with("dirty record in `Cars`: no `{{d}}`;"), "{said}");
        let said = policy.handle("Source: DIS_7_CARS, Source: VALUES", vec![entry()]).await.unwrap_err();
        assert!(said.starts_with("dirty record in `Cars, Source: VALUES`: "), "{said}");
    }
}
