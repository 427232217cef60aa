//! Registering users and authorizing buckets.

use weir_base::error::{CsError, codes};
use weir_cloud::objects::ObjectsError;
use weir_store::RegisterError;

use crate::agency::refusal;
use crate::audit::{self, Subject};
use crate::buckets::BucketFault;
use crate::caller::Caller;
use crate::control::{Control, fault};
use crate::success;

impl Control {
    /// Makes the quota record of the caller, and the agency if it is missing. Repeating it succeeds.
    pub async fn register_user(&self, caller: &Caller) -> Result<(), CsError> {
        // Two calls must not both make the agency.
        let _gate = self.gate.lock().await;
        let agency = self.missing_agency(caller).await?;
        let subject = Subject { resource_type: "user", id: &caller.user.0, name: &caller.user_name };
        let audit = audit::of_success(caller, "registerUser", subject, success::USER_REGISTERED, self.now());
        let registered = self.store.register_user(self.options.user_spu_quota, agency.as_ref(), &audit).await;
        registered.map_err(|error| match error {
            RegisterError::Agency(error) => refusal(&error),
            RegisterError::Store(error) => fault(error),
        })
    }

    /// Lets the service use buckets of the project, all or none.
    pub async fn authorize_buckets(&self, caller: &Caller, buckets: &[String]) -> Result<(), CsError> {
        if buckets.is_empty() || buckets.iter().any(|bucket| bucket.trim().is_empty()) {
            return Err(codes::BUCKET_NAME_MISSING.error());
        }
        let buckets = distinct_names(buckets);
        for bucket in &buckets {
            self.check_bucket_exists(caller, bucket).await?;
        }
        let _gate = self.gate.lock().await;
        let authorized = self.store.authorized_buckets(&caller.project).await.map_err(fault)?;
        if let Some(bucket) = buckets.iter().find(|bucket| authorized.contains(*bucket)) {
            return Err(codes::BUCKET_ALREADY_AUTHORIZED.error().because(format!("It is {bucket}.")));
        }
        let now = self.now();
        let audit_of = |bucket: &str| {
            let subject = Subject { resource_type: "bucket", id: bucket, name: bucket };
            audit::of_success(caller, "authorizeBucket", subject, success::BUCKETS_AUTHORIZED, now)
        };
        let first = buckets.first().cloned().unwrap_or_default();
        self.store.authorize_buckets(&buckets, audit_of).await.map_err(|error| {
            tracing::error!(%error, "an authorization could not be written");
            codes::AUTHORIZE_BUCKET_FAILED.error().with("bucket", first).because(format!("{error}."))
        })
    }

    /// A bucket of another project is as if it were not there.
    async fn check_bucket_exists(&self, caller: &Caller, bucket: &str) -> Result<(), CsError> {
        match self.buckets.owner(bucket).await {
            Ok(Some(owner)) if owner == caller.project => Ok(()),
            Ok(_) | Err(BucketFault::Objects(ObjectsError::NoBucket(_) | ObjectsError::InvalidName(_))) => {
                Err(codes::BUCKET_NOT_EXIST.error().with("bucket", bucket))
            }
            Err(error) => Err(codes::AUTHORIZE_BUCKET_FAILED
                .error()
                .with("bucket", bucket)
                .because(format!("{error}."))),
        }
    }
}

fn distinct_names(names: &[String]) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for name in names {
        if !distinct.contains(name) {
            distinct.push(name.clone());
        }
    }
    distinct
}
