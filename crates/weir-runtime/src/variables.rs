//! Global variables on their way to a worker: sealed as in the metadata, opened in the process that runs the job.

use std::collections::BTreeMap;

use weir_base::id::ProjectId;
use weir_base::variables::Variables;
use weir_cloud::sealing::{Sealer, SealingError};

/// Returns what the value of a variable is sealed for: it opens for no other project and under no other name.
pub fn variable_owner(project: &ProjectId, name: &str) -> String {
    format!("{}/{name}", project.0)
}

/// Opens sealed values by name.
pub fn open_variables(
    project: &ProjectId,
    sealed: &BTreeMap<String, String>,
    sealer: &Sealer,
) -> Result<Variables, SealingError> {
    let open = |(name, sealed): (&String, &String)| {
        Ok((name.clone(), sealer.open(&variable_owner(project, name), sealed)?))
    };
    sealed.iter().map(open).collect()
}
