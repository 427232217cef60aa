//! How the calls go over the wire.

use reqwest::Method;
use serde_json::{Value, json};

use crate::calls::{Call, MILLIONTHS, NewJob, Several};
use crate::job::{EDGE_GROUP, JAR, Kind, Place};

/// The address that hosts are mapped to; tells nobody anything.
const HOST_ADDRESS: &str = "10.9.8.7";

/// The smallest archive: one without files.
const EMPTY_ARCHIVE: &str = "PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// What a request carries.
pub enum Body {
    None,
    Json(Value),
    /// The parts of a form, each with its name and its text.
    Form(Vec<(String, String)>),
}

impl Call {
    /// Returns the request.
    pub fn request(&self) -> (Method, String, Body) {
        let path = |rest: String| format!("/v1.0/{{project}}/{rest}");
        let json = |method, rest: String, body| (method, path(rest), Body::Json(body));
        let plain = |method, rest: String| (method, path(rest), Body::None);
        match self {
            Self::CreateJob(job) if job.kind.is_jar() => (Method::POST, path("jar_job".into()), job.form()),
            Self::CreateJob(job) => json(Method::POST, "sql_job".into(), job.body()),
            Self::UpdateJob { job, desc, spus, as_jar: true } => {
                let parts =
                    [("job_id", job.to_string()), ("desc", desc.clone()), ("spu_number", spus.to_string())];
                (Method::PATCH, path("jar_job".into()), Body::Form(parts.map(field).into()))
            }
            Self::UpdateJob { job, desc, spus, as_jar: false } => {
                let body = json!({"job_id": job, "desc": desc, "spu_number": spus});
                json(Method::PATCH, "sql_job".into(), body)
            }
            Self::Run { jobs, resume } => {
                jobs.request(Method::POST, "/run", &format!("?resumeSavePoint={resume}"))
            }
            Self::Stop { jobs, savepoint } => {
                jobs.request(Method::POST, "/stop", &format!("?triggerSavePoint={savepoint}"))
            }
            Self::Savepoint { job, path } => {
                let body = json!({"action": "TRIGGER", "savepoint_path": path});
                json(Method::POST, format!("job/{job}/savepoint"), body)
            }
            Self::Delete { jobs } => jobs.request(Method::DELETE, "", ""),
            Self::CreateTemplate { name, kind } => {
                json(Method::POST, "job_template".into(), json!({"name": name, "sql_body": kind.sql()}))
            }
            Self::UpdateTemplate { template, kind } => {
                json(Method::PATCH, "job_template".into(), json!({"id": template, "sql_body": kind.sql()}))
            }
            Self::DeleteTemplate { template } => plain(Method::DELETE, format!("job_template/{template}")),
            Self::SetQuota { user, spus } => {
                json(Method::PATCH, format!("user_quota/{user}"), json!({"spu_quota": spus}))
            }
            Self::TopUp { amount } => {
                let body = json!({"amount": *amount as f64 / MILLIONTHS});
                json(Method::POST, "billing/top_up".into(), body)
            }
            Self::CreateCluster { name, spus } => {
                let body = json!({"name": name, "maximum_spu_quota": spus});
                json(Method::POST, "reserved_cluster".into(), body)
            }
            _ => self.request_of_cluster(),
        }
    }

    fn request_of_cluster(&self) -> (Method, String, Body) {
        let path = |id: &i64, rest: &str| format!("/v1.0/{{project}}/reserved_cluster/{id}{rest}");
        let json = |method, id, rest: &str, body| (method, path(id, rest), Body::Json(body));
        let plain = |method, id, rest: &str| (method, path(id, rest), Body::None);
        match self {
            Self::UpdateCluster { cluster, desc, spus } => {
                json(Method::PATCH, cluster, "", json!({"desc": desc, "maximum_spu_quota": spus}))
            }
            Self::StopCluster { cluster } => plain(Method::POST, cluster, "/stop"),
            Self::RestartCluster { cluster } => plain(Method::POST, cluster, "/restart"),
            Self::DeleteCluster { cluster } => plain(Method::DELETE, cluster, ""),
            Self::AddHosts { cluster, names } => {
                let hosts: Vec<Value> =
                    names.iter().map(|name| json!({"hostname": name, "ip": HOST_ADDRESS})).collect();
                json(Method::POST, cluster, "/hosts", json!({"hosts_info": hosts}))
            }
            Self::UpdateHost { cluster, host, name } => {
                let body = json!({"hosts_info": {"hostname": name, "ip": HOST_ADDRESS}});
                json(Method::PATCH, cluster, &format!("/hosts/{host}"), body)
            }
            Self::DeleteHosts { cluster, hosts } => {
                json(Method::DELETE, cluster, "/hosts", json!({"hosts_id": hosts}))
            }
            Self::CreatePeering { cluster, network, name } => {
                json(Method::POST, cluster, "/peering", json!({"name": name, "vpc_id": network}))
            }
            Self::AnswerPeering { peering, accept, .. } => {
                let verb = if *accept { "accept" } else { "reject" };
                (Method::PUT, format!("/v2.0/vpc/peerings/{peering}/{verb}"), Body::None)
            }
            Self::DeletePeering { peering, over_vpc: true, .. } => {
                (Method::DELETE, format!("/v2.0/vpc/peerings/{peering}"), Body::None)
            }
            Self::DeletePeering { cluster, peering, over_vpc: false } => {
                plain(Method::DELETE, cluster, &format!("/peering/{peering}"))
            }
            Self::CreateRoute { cluster, peering, destination } => {
                let body = json!({"destination": destination});
                json(Method::POST, cluster, &format!("/peering/{peering}/route"), body)
            }
            Self::DeleteRoute { cluster, peering, route } => {
                plain(Method::DELETE, cluster, &format!("/peering/{peering}/route/{route}"))
            }
            _ => unreachable!("{self:?} is about no cluster"),
        }
    }
}

impl NewJob {
    fn body(&self) -> Value {
        let mut body = json!({
            "name": self.name, "spu_number": self.spus, "restart_when_exception": self.restart,
            "run_mode": self.place.run_mode(), "job_type": self.kind.job_type(),
        });
        if let Place::Cluster(id) = self.place {
            body["cluster_id"] = json!(id);
        }
        match self.template {
            Some(template) => body["template_id"] = json!(template),
            None => body["sql_body"] = json!(self.kind.sql()),
        }
        if self.kind == Kind::Edge {
            body["edge_group_ids"] = json!(if self.flawed { "nowhere" } else { EDGE_GROUP });
        }
        if self.snapshots {
            body["checkpoint_enabled"] = json!(true);
            body["checkpoint_mode"] = json!("exactly_once");
            body["checkpoint_interval"] = json!(1);
            body["obs_bucket"] = json!("checkpoints");
        }
        body
    }

    fn form(&self) -> Body {
        let cluster = match self.place {
            Place::Cluster(id) => id.to_string(),
            _ => String::new(),
        };
        let fields = [
            ("name", self.name.clone()),
            ("desc", "-".into()),
            ("cluster_id", cluster),
            ("manager_spu", "1".into()),
            ("spu_number", self.spus.to_string()),
            ("parallel_number", "1".into()),
            ("job_type", self.kind.job_type().into()),
            ("restart_when_exception", self.restart.to_string()),
        ];
        let jar = match (self.kind, self.flawed) {
            (Kind::UploadedJar, flawed) => {
                let contents = if flawed { "no archive" } else { EMPTY_ARCHIVE };
                (r#"name="jar"; filename="one.jar""#.to_string(), contents.to_string())
            }
            (_, true) => field(("jar_url", "checkpoints/jars/gone.jar".into())),
            (_, false) => field(("jar_url", JAR.into())),
        };
        Body::Form(fields.map(field).into_iter().chain([jar]).collect())
    }
}

fn field((name, text): (&str, String)) -> (String, String) {
    (format!(r#"name="{name}""#), text)
}

impl Several {
    fn request(&self, method: Method, verb: &str, query: &str) -> (Method, String, Body) {
        match self.jobs.first().filter(|_| !self.batch) {
            Some(job) => (method, format!("/v1.0/{{project}}/job/{job}{verb}{query}"), Body::None),
            None => (method, format!("/v1.0/{{project}}/job{verb}{query}"), Body::Json(json!(self.jobs))),
        }
    }
}
