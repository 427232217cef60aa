//! Things that users give by name and the services want by id. A name costs one more call.

use serde_json::Value;

use crate::call::Client;
use crate::error::ClientError;

/// Length of the ids of users and projects, which are hexadecimal.
const ID_LENGTH: usize = 32;

impl Client {
    /// Returns the id of a job that is given by its id or its name.
    pub async fn job_id(&self, given: &str) -> Result<i64, ClientError> {
        if let Ok(id) = given.parse() {
            return Ok(id);
        }
        let filter = [("name", given.to_string())];
        let list = self.all_pages("/v1.0/{project}/jobs", &filter, "jobs", "job_id").await?;
        let mut jobs = list["jobs"].as_array().into_iter().flatten();
        // The filter takes every name that has the text somewhere.
        let found = jobs.find(|job| job["name"] == given).and_then(|job| job["job_id"].as_i64());
        found.ok_or_else(|| ClientError::Given(format!("there is no job `{given}` that you may see")))
    }

    /// Returns the id of a cluster that is given by its id or its name.
    pub async fn cluster_id(&self, given: &str) -> Result<i64, ClientError> {
        if let Ok(id) = given.parse() {
            return Ok(id);
        }
        let filter = [("name", given.to_string())];
        let list =
            self.all_pages("/v1.0/{project}/reserved_clusters", &filter, "clusters", "cluster_id").await?;
        let mut clusters = list["clusters"].as_array().into_iter().flatten();
        let id = clusters.find(|cluster| cluster["name"] == given).and_then(|c| c["cluster_id"].as_i64());
        id.ok_or_else(|| ClientError::Given(format!("there is no cluster `{given}` that you may see")))
    }

    /// Returns the URN of a topic that is given by its URN or its name.
    pub async fn topic_urn(&self, given: &str) -> Result<String, ClientError> {
        if given.starts_with("urn:") {
            return Ok(given.to_string());
        }
        let filter = [("name", given.to_string())];
        let list = self.get("/v2/{project}/notifications/topics", &filter).await?;
        found(&list["topics"], given, "topic_urn")
            .ok_or_else(|| ClientError::Given(format!("the project has no topic `{given}`")))
    }

    /// Returns the id of a user that is given by its id or its name.
    pub async fn user_id(&self, given: &str) -> Result<String, ClientError> {
        if given.len() == ID_LENGTH && given.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(given.to_string());
        }
        let list = self.get("/v3/users", &[("name", given.to_string())]).await?;
        found(&list["users"], given, "id")
            .ok_or_else(|| ClientError::Given(format!("the account has no user `{given}`")))
    }
}

/// Returns a member of the record with a name.
fn found(records: &Value, name: &str, member: &str) -> Option<String> {
    let mut records = records.as_array().into_iter().flatten();
    Some(records.find(|record| record["name"] == name)?[member].as_str()?.to_string())
}
