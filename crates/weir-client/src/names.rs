//! Things that users give by name and the services want by id. A name costs one more call.

use serde_json::Value;

use crate::call::Client;
use crate::error::ClientError;

/// Length of the ids of users, groups and projects, which are hexadecimal.
const ID_LENGTH: usize = 32;

impl Client {
    /// Returns the id of a job that is given by its id or its name.
    pub async fn job_id(&self, given: &str) -> Result<i64, ClientError> {
        let filter = [("name", given.to_string())];
        let list = self.all_pages("/v1.0/{project}/jobs", &filter, "jobs", "job_id").await?;
        // The filter takes every name that has the text somewhere.
        numbered(&list["jobs"], given, "job_id", "job")
    }

    /// Returns the id of a cluster that is given by its id or its name.
    pub async fn cluster_id(&self, given: &str) -> Result<i64, ClientError> {
        let filter = [("name", given.to_string())];
        let list =
            self.all_pages("/v1.0/{project}/reserved_clusters", &filter, "clusters", "cluster_id").await?;
        numbered(&list["clusters"], given, "cluster_id", "cluster")
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
        self.id_in_account("user", given).await
    }

    /// Returns the id of a group that is given by its id or its name.
    pub async fn group_id(&self, given: &str) -> Result<String, ClientError> {
        self.id_in_account("group", given).await
    }

    async fn id_in_account(&self, kind: &str, given: &str) -> Result<String, ClientError> {
        if given.len() == ID_LENGTH && given.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(given.to_string());
        }
        let list = self.get(&format!("/v3/{kind}s"), &[("name", given.to_string())]).await?;
        found(&list[format!("{kind}s")], given, "id")
            .ok_or_else(|| ClientError::Given(format!("the account has no {kind} `{given}`")))
    }
}

/// Returns the id of one of these records that is given by its id or its name. Digits may be the id of one and the name of
/// another: to take either could change what was not meant.
pub fn numbered(records: &Value, given: &str, member: &str, kind: &str) -> Result<i64, ClientError> {
    let mut records = records.as_array().into_iter().flatten();
    let named = records.find(|record| record["name"] == given).and_then(|record| record[member].as_i64());
    match (given.parse().ok(), named) {
        (Some(id), Some(named)) if id != named => Err(ClientError::Given(format!(
            "`{given}` is the name of {kind} {named} and may be the id of another; give {named}, or the name of the other"
        ))),
        (Some(id), _) => Ok(id),
        (None, Some(named)) => Ok(named),
        (None, None) => Err(ClientError::Given(format!("there is no {kind} `{given}` that you may see"))),
    }
}

/// Returns a member of the record with a name.
fn found(records: &Value, name: &str, member: &str) -> Option<String> {
    let mut records = records.as_array().into_iter().flatten();
    Some(records.find(|record| record["name"] == name)?[member].as_str()?.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn digits_are_an_id_unless_another_record_has_them_as_its_name() {
        let jobs = json!([{ "job_id": 25, "name": "21" }, { "job_id": 7, "name": "7" }, { "job_id": 3, "name": "a" }]);
        let id = |given: &str| numbered(&jobs, given, "job_id", "job").map_err(|error| error.to_string());
        assert_eq!((id("3"), id("a"), id("7"), id("99")), (Ok(3), Ok(3), Ok(7), Ok(99)));
        assert_eq!(id("b"), Err("there is no job `b` that you may see".to_string()));
        assert!(id("21").unwrap_err().starts_with("`21` is the name of job 25 and may be the id of another"));
    }
}
