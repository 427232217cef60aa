//! The calls of the demo, made over HTTP as any client would.

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Method;
use serde_json::{Value, json};

/// A logged-in user.
pub struct Client {
    http: reqwest::Client,
    endpoint: String,
    token: String,
    pub project: String,
}

/// Counters of a source or sink.
pub struct Metric {
    pub kind: &'static str,
    pub name: String,
    pub records: i64,
    pub dirty: i64,
}

impl Client {
    pub async fn log_in(endpoint: &str, password: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::new();
        let body = json!({"auth": {
            "identity": {"methods": ["password"], "password": {
                "user": {"name": "admin", "password": password, "domain": {"name": "weir"}}}},
            "scope": {"project": {"name": "local"}},
        }});
        let answer = http.post(format!("{endpoint}/v3/auth/tokens")).json(&body).send().await?;
        let token =
            answer.headers().get("X-Subject-Token").and_then(|token| token.to_str().ok()).map(String::from);
        let body: Value = answer.json().await?;
        let token = token.with_context(|| format!("logging in was refused: {body}"))?;
        let project =
            body["token"]["project"]["id"].as_str().context("the token has no project")?.to_string();
        Ok(Self { http, endpoint: endpoint.to_string(), token, project })
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let url = format!("{}{}", self.endpoint, path.replace("{project}", &self.project));
        let mut request = self.http.request(method.clone(), url).header("X-Auth-Token", &self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{method} {path} was answered with {status}: {text}");
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    pub async fn authorize_bucket(&self, bucket: &str) -> anyhow::Result<()> {
        self.call(Method::POST, "/v1.0/{project}/obs_authorize", Some(json!([bucket]))).await?;
        Ok(())
    }

    pub async fn create_stream(&self, name: &str) -> anyhow::Result<()> {
        let body = json!({"stream_name": name, "partition_count": 2});
        self.call(Method::POST, "/v2/{project}/streams", Some(body)).await?;
        Ok(())
    }

    pub async fn create_and_run(&self, name: &str, sql: &str, settings: &Value) -> anyhow::Result<i64> {
        let mut body = settings.clone();
        body["name"] = json!(name);
        body["sql_body"] = json!(sql);
        let answer = self.call(Method::POST, "/v1.0/{project}/sql_job", Some(body)).await?;
        let job = answer["payload"]["job_id"].as_i64().context("the answer holds no job id")?;
        self.call(Method::POST, &format!("/v1.0/{{project}}/job/{job}/run"), None).await?;
        Ok(job)
    }

    /// Returns the status of a job and its description.
    pub async fn status(&self, job: i64) -> anyhow::Result<(String, String)> {
        let answer = self.call(Method::GET, &format!("/v1.0/{{project}}/job/{job}"), None).await?;
        let payload = &answer["payload"];
        let detail = if payload["job_detail"].is_object() { &payload["job_detail"] } else { payload };
        let text = |member: &str| detail[member].as_str().unwrap_or_default().to_string();
        Ok((text("status"), text("status_desc")))
    }

    pub async fn metrics(&self, jobs: &[i64]) -> anyhow::Result<Vec<Metric>> {
        let answer =
            self.call(Method::POST, "/v1.0/{project}/jobs/metrics", Some(json!({"job_ids": jobs}))).await?;
        let mut metrics = Vec::new();
        for job in answer["payload"]["jobs"].as_array().into_iter().flatten() {
            for (kind, member) in [("source", "sources"), ("sink", "sinks")] {
                for one in job["metrics"][member].as_array().into_iter().flatten() {
                    metrics.push(Metric {
                        kind,
                        name: one["name"].as_str().unwrap_or_default().to_string(),
                        records: one["records"].as_i64().unwrap_or(0),
                        dirty: one["corrupted_records"].as_i64().unwrap_or(0),
                    });
                }
            }
        }
        Ok(metrics)
    }

    /// Returns all records of a stream.
    pub async fn stream_records(&self, stream: &str) -> anyhow::Result<Vec<String>> {
        let description = self.call(Method::GET, &format!("/v2/{{project}}/streams/{stream}"), None).await?;
        let mut lines = Vec::new();
        for partition in description["partitions"].as_array().into_iter().flatten() {
            let id = partition["partition_id"].as_str().unwrap_or_default();
            let path = format!(
                "/v2/{{project}}/cursors?stream-name={stream}&partition-id={id}&cursor-type=TRIM_HORIZON"
            );
            let mut cursor = self.call(Method::GET, &path, None).await?["partition_cursor"].clone();
            loop {
                let text = cursor.as_str().context("the answer holds no cursor")?;
                let url = format!("{}/v2/{}/records", self.endpoint, self.project);
                let request = self
                    .http
                    .get(url)
                    .query(&[("partition-cursor", text)])
                    .header("X-Auth-Token", &self.token);
                let answer: Value = request.send().await?.error_for_status()?.json().await?;
                let records = answer["records"].as_array().context("the answer holds no records")?;
                if records.is_empty() {
                    break;
                }
                for record in records {
                    let data = BASE64.decode(record["data"].as_str().unwrap_or_default())?;
                    lines.push(String::from_utf8(data)?);
                }
                cursor = answer["next_partition_cursor"].clone();
            }
        }
        Ok(lines)
    }
}
