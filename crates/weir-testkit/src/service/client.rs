//! A client of the job API: log in, create, run, watch.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use reqwest::{Method, Response};
use serde_json::{Value, json};

/// What a test looks at in a job's detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobView {
    /// `job_running` and so on.
    pub status: String,
    /// The reason, when there is one.
    pub status_desc: String,
}

/// A logged-in user of one project.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    endpoint: String,
    token: String,
    project: String,
}

impl Client {
    /// Logs the user `admin` in with a scope on the default project.
    pub async fn log_in(endpoint: &str, password: &str) -> anyhow::Result<Self> {
        Self::log_in_as(endpoint, "admin", password).await
    }

    /// Logs a user in with a scope on its first project.
    pub async fn log_in_as(endpoint: &str, name: &str, password: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).build()?;
        let user = json!({"name": name, "password": password, "domain": {"name": "weir"}});
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        let unscoped = sign_in(&http, endpoint, &json!({"auth": {"identity": identity}})).await?;
        let found: Value = http
            .get(format!("{endpoint}/v3/auth/projects"))
            .header("X-Auth-Token", unscoped)
            .send()
            .await?
            .json()
            .await?;
        let project = found["projects"][0]["id"].as_str().context("the user has no project")?.to_string();
        let scope = json!({"project": {"id": project}});
        let body = json!({"auth": {"identity": identity, "scope": scope}});
        let token = sign_in(&http, endpoint, &body).await?;
        Ok(Self { http, endpoint: endpoint.to_string(), token, project })
    }

    /// Points the client to the address of the service after it was started again; the token stays good.
    pub fn move_to(&mut self, endpoint: &str) {
        self.endpoint = endpoint.to_string();
    }

    /// Returns the id of the project.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// Returns the token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends a request with the token; `path` starts with `/` and may hold `{project}`.
    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Response> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(body);
        }
        Ok(request.send().await?)
    }

    /// Sends a form as [`Self::send`] sends JSON; each part is the rest of its `Content-Disposition`, such as `name="desc"`, and
    /// its text.
    pub async fn send_form(
        &self,
        method: Method,
        path: &str,
        parts: &[(String, String)],
    ) -> anyhow::Result<Response> {
        let part = |(name, text): &(String, String)| {
            format!("--limit\r\nContent-Disposition: form-data; {name}\r\n\r\n{text}\r\n")
        };
        let body = parts.iter().map(part).collect::<String>() + "--limit--\r\n";
        let request =
            self.request(method, path).header("Content-Type", "multipart/form-data; boundary=limit");
        Ok(request.body(body).send().await?)
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{}", self.endpoint, path.replace("{project}", &self.project));
        self.http.request(method, url).header("X-Auth-Token", &self.token)
    }

    /// Sends a request and returns the JSON of a success; anything else is an error that shows the answer.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let what = format!("{method} {path}");
        let answer = self.send(method, path, body).await.with_context(|| what.clone())?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{what} was answered with {status}: {text}");
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).with_context(|| format!("{what} was not answered with JSON: {text}"))
    }

    /// Makes a user with a role in the project and returns its id.
    pub async fn create_user(&self, name: &str, password: &str, role: &str) -> anyhow::Result<String> {
        let body = json!({"user": {"name": name, "password": password}});
        let answer = self.call(Method::POST, "/v3/users", Some(&body)).await?;
        let id = answer["user"]["id"].as_str().with_context(|| format!("no user id in {answer}"))?;
        let path = format!("/v3/projects/{{project}}/users/{id}/roles/{role}");
        self.call(Method::PUT, &path, None).await?;
        Ok(id.to_string())
    }

    /// Lets the service use buckets.
    pub async fn authorize_buckets(&self, buckets: &[&str]) -> anyhow::Result<()> {
        self.call(Method::POST, "/v1.0/{project}/obs_authorize", Some(&json!(buckets))).await?;
        Ok(())
    }

    /// Creates a SQL job from the members of the request and returns its id.
    pub async fn create_job(&self, request: &Value) -> anyhow::Result<i64> {
        let answer = self.call(Method::POST, "/v1.0/{project}/sql_job", Some(request)).await?;
        answer["payload"]["job_id"].as_i64().with_context(|| format!("no job id in {answer}"))
    }

    /// Starts a job.
    pub async fn run_job(&self, job: i64) -> anyhow::Result<()> {
        self.call(Method::POST, &format!("/v1.0/{{project}}/job/{job}/run"), None).await?;
        Ok(())
    }

    /// Stops a job.
    pub async fn stop_job(&self, job: i64) -> anyhow::Result<()> {
        self.call(Method::POST, &format!("/v1.0/{{project}}/job/{job}/stop"), None).await?;
        Ok(())
    }

    /// Returns the state of a job.
    pub async fn job(&self, job: i64) -> anyhow::Result<JobView> {
        let answer = self.call(Method::GET, &format!("/v1.0/{{project}}/job/{job}"), None).await?;
        let payload = &answer["payload"];
        let detail = if payload["job_detail"].is_object() { &payload["job_detail"] } else { payload };
        let text = |member: &str| detail[member].as_str().unwrap_or_default().to_string();
        let status = text("status");
        if status.is_empty() {
            bail!("no status in {answer}");
        }
        Ok(JobView { status, status_desc: text("status_desc") })
    }

    /// Returns the metrics of a job.
    pub async fn metrics(&self, job: i64) -> anyhow::Result<Value> {
        let body = json!({"job_ids": [job]});
        self.call(Method::POST, "/v1.0/{project}/jobs/metrics", Some(&body)).await
    }

    /// Waits until a job has one of the statuses; another final status or the end of the time is an error.
    pub async fn wait_for(&self, job: i64, wanted: &[&str], limit: Duration) -> anyhow::Result<JobView> {
        let deadline = Instant::now() + limit;
        loop {
            let view = self.job(job).await?;
            if wanted.contains(&view.status.as_str()) {
                return Ok(view);
            }
            let is_over = ["job_running_exception", "job_submit_fail", "job_finish", "job_cancel_success"];
            if is_over.contains(&view.status.as_str()) {
                bail!("job {job} is {} instead of {wanted:?}: {}", view.status, view.status_desc);
            }
            if Instant::now() >= deadline {
                bail!("job {job} is still {} after {limit:?}, {wanted:?} was expected", view.status);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn sign_in(http: &reqwest::Client, endpoint: &str, body: &Value) -> anyhow::Result<String> {
    let answer = http.post(format!("{endpoint}/v3/auth/tokens")).json(body).send().await?;
    let status = answer.status();
    let token =
        answer.headers().get("X-Subject-Token").and_then(|value| value.to_str().ok()).map(String::from);
    match token {
        Some(token) if status.is_success() => Ok(token),
        _ => bail!("logging in was answered with {status}: {}", answer.text().await?),
    }
}
