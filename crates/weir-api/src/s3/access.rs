//! Who may do what: access keys of the embedded identity, the roles of their owners, and whose buckets are.
//!
//! A bucket belongs to a project. What somebody may do with it is what their roles in that project allow; a role on
//! a domain holds in its projects.

use std::sync::Arc;

use axum::http::{HeaderMap, Method, Uri};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::dto::{CopyObjectInput, CopySource, UploadPartCopyInput};
use s3s::path::S3Path;
use s3s::{S3Request, S3Result, s3_error};
use weir_base::audit::Actor;
use weir_base::id::{ProjectId, UserId};
use weir_cloud::identity::{Identity, KeyCaller, KeyError};
use weir_control::Buckets;

use super::fault;
use super::objects::source_of;
use crate::audited::Audit;
use crate::cs::peer_ip;
use crate::outermost::RequestId;

/// Roles that may do everything.
const WRITERS: [&str; 4] = ["te_admin", "cs_adm", "cs_user", "obs_adm"];

/// The role that may read.
const READER: &str = "cs_readonly";

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Read,
    Write,
}

/// Who sends a request. It goes with the request from the check of its signature on.
#[derive(Clone)]
pub(super) struct Sender(pub KeyCaller);

impl Sender {
    fn may(&self, deed: Deed, project: &str) -> bool {
        allows(self.0.roles_in(project), deed)
    }

    fn projects(&self, deed: Deed) -> Vec<ProjectId> {
        let ids = self.0.roles().keys().filter(|project| self.may(deed, project));
        ids.map(|id| ProjectId(id.clone())).collect()
    }

    /// Returns the projects whose buckets the sender may see.
    pub(super) fn readable(&self) -> Vec<ProjectId> {
        self.projects(Deed::Read)
    }

    /// Returns the project of a bucket that the sender makes: no request says it.
    pub(super) fn home(&self) -> S3Result<ProjectId> {
        if let Some(id) = self.0.default_project().filter(|id| self.may(Deed::Write, id)) {
            return Ok(ProjectId(id.to_string()));
        }
        let mut projects = self.projects(Deed::Write);
        match (projects.pop(), projects.is_empty()) {
            (Some(project), true) => Ok(project),
            (Some(_), false) => Err(s3_error!(
                InvalidRequest,
                "the owner of the access key may write in several projects and has no default one; the operator makes \
                 the bucket with `weir bucket create --project`"
            )),
            (None, _) => Err(denied()),
        }
    }
}

fn allows(roles: &[String], deed: Deed) -> bool {
    roles.iter().any(|role| WRITERS.contains(&role.as_str()) || (deed == Deed::Read && role == READER))
}

fn denied() -> s3s::S3Error {
    s3_error!(
        AccessDenied,
        "the owner of the access key has no role that allows this in the project of the bucket"
    )
}

/// Returns who sends a request that has passed the check.
pub(super) fn sender_of<T>(request: &S3Request<T>) -> S3Result<&Sender> {
    request.extensions.get::<Sender>().ok_or_else(denied)
}

/// Finds the secret half of an access key.
pub(super) struct Keys(pub Arc<Identity>);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let secret = self.0.key_secret(access_key).await.map_err(refusal)?;
        Ok(SecretKey::from(secret.expose()))
    }
}

/// Decides by the bucket of a request and the roles of its sender there.
pub(super) struct Access {
    pub(super) identity: Arc<Identity>,
    pub(super) buckets: Buckets,
}

impl Access {
    /// Says for the audit who calls: in the project of the bucket, when the sender may change it, else in the sender's own.
    async fn identify(&self, context: &mut S3AccessContext<'_>, sender: &Sender) {
        let Some(audit) = context.extensions_mut().get::<Audit>().cloned() else { return };
        let owner = match context.s3_path() {
            S3Path::Bucket { bucket } => self.buckets.owner(bucket).await.ok().flatten(),
            S3Path::Root | S3Path::Object { .. } => None,
        };
        let owner = owner.filter(|owner| sender.may(Deed::Write, &owner.0)).map(|owner| owner.0);
        let first = || sender.0.roles().keys().next().cloned();
        let home = || sender.home().ok().map(|project| project.0);
        let default = || sender.0.default_project().map(str::to_string);
        let project = owner.or_else(home).or_else(default).or_else(first);
        let Some(project) = project else { return };
        let extensions = context.extensions_mut();
        audit.identify(Actor {
            project: ProjectId(project),
            user: UserId(sender.0.user_id().to_string()),
            user_name: sender.0.audit_name(),
            request_id: extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
            source_ip: peer_ip(extensions),
        });
    }

    async fn check_bucket(&self, sender: &Sender, bucket: &str, deed: Deed) -> S3Result<()> {
        let owner = self.buckets.owner(bucket).await.map_err(fault::of_ownership)?;
        let may = owner.is_some_and(|owner| sender.may(deed, &owner.0));
        if may { Ok(()) } else { Err(denied()) }
    }

    /// Checks the bucket that a copy reads; the one that it writes is that of the request.
    async fn check_source(&self, sender: &Sender, source: &CopySource) -> S3Result<()> {
        self.check_bucket(sender, &source_of(source)?.0, Deed::Read).await
    }
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let verified = context.extensions_mut().get::<Sender>().cloned();
        let sender = match (verified, context.credentials()) {
            (Some(sender), _) => sender,
            (None, Some(credentials)) => {
                let token = security_token(context.headers(), context.uri());
                let caller = self.identity.key_caller(&credentials.access_key, token.as_deref()).await;
                Sender(caller.map_err(refusal)?)
            }
            (None, None) => {
                return Err(s3_error!(AccessDenied, "a signature with an access key is required"));
            }
        };
        context.extensions_mut().insert(sender.clone());
        self.identify(context, &sender).await;
        let is_reading = matches!(*context.method(), Method::GET | Method::HEAD);
        let deed = if is_reading { Deed::Read } else { Deed::Write };
        if sender.projects(deed).is_empty() {
            return Err(denied());
        }
        match context.s3_path() {
            S3Path::Root => Ok(()),
            // It is nobody's yet.
            S3Path::Bucket { .. } if context.s3_op().name() == "CreateBucket" => Ok(()),
            S3Path::Bucket { bucket } | S3Path::Object { bucket, .. } => {
                self.check_bucket(&sender, bucket, deed).await
            }
        }
    }

    async fn copy_object(&self, request: &mut S3Request<CopyObjectInput>) -> S3Result<()> {
        let (sender, source) = (sender_of(request)?.clone(), request.input.copy_source.clone());
        self.check_source(&sender, &source).await
    }

    async fn upload_part_copy(&self, request: &mut S3Request<UploadPartCopyInput>) -> S3Result<()> {
        let (sender, source) = (sender_of(request)?.clone(), request.input.copy_source.clone());
        self.check_source(&sender, &source).await
    }
}

/// Returns the security token of a temporary key: from a header, or from the query of a link.
pub(super) fn security_token(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let names = ["x-amz-security-token", "x-obs-security-token"];
    let from_header = names.into_iter().find_map(|name| headers.get(name)?.to_str().ok());
    if let Some(token) = from_header {
        return Some(token.to_string());
    }
    let mut pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(found, _)| names.iter().any(|name| found.eq_ignore_ascii_case(name)))?;
    Some(percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned())
}

/// The answer to a key that is not good.
pub(super) fn refusal(error: KeyError) -> s3s::S3Error {
    match error {
        KeyError::Unknown | KeyError::Inactive => s3_error!(InvalidAccessKeyId, "{error}"),
        KeyError::Expired => s3_error!(ExpiredToken, "{error}"),
        KeyError::WrongSecurityToken => s3_error!(InvalidToken, "{error}"),
        KeyError::Unavailable(_) => s3_error!(ServiceUnavailable, "{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_read_and_writers_do_both() {
        let may = |role: &str, deed| allows(&[role.to_string()], deed);
        assert!(may("cs_user", Deed::Write) && may("cs_user", Deed::Read));
        assert!(may("cs_readonly", Deed::Read) && !may("cs_readonly", Deed::Write));
        assert!(!may("dis_adm", Deed::Read));
        assert!(!allows(&[], Deed::Read));
    }
}
