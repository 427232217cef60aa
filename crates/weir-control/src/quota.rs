//! What users may use: their SPUs and their exclusive clusters.

use std::collections::{BTreeMap, BTreeSet};

use weir_base::error::{CsError, codes};
use weir_base::id::UserId;
use weir_cloud::identity::User;
use weir_store::QuotaChange;

use crate::audit::{self, Subject};
use crate::caller::Caller;
use crate::control::{Control, fault};
use crate::paging::{Page, page_of};
use crate::success;

/// Most SPUs that a user may have.
const MOST_SPUS: i64 = 1_000;

/// The quota of a user, and what is used of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaView {
    /// User.
    pub user: UserId,
    /// The user's name.
    pub user_name: String,
    /// SPUs that the user's jobs hold.
    pub spu_used: i64,
    /// SPUs that they may hold.
    pub spu_quota: i64,
    /// Clusters that the user may use: id and name.
    pub clusters: Vec<(i64, String)>,
}

impl Control {
    /// Lists the quotas of the users of the caller's project by their ids; returns how many there are, and a page of them.
    /// Who is neither an administrator nor a reader sees its own. `name` is a part of a user's name.
    pub async fn list_quotas(
        &self,
        caller: &Caller,
        name: Option<&str>,
        page: Page<UserId>,
    ) -> Result<(usize, Vec<QuotaView>), CsError> {
        let mut users = self.names_of_users(caller).await?;
        let mut shown = self.store.users_of_project(&caller.project).await.map_err(fault)?;
        // Whoever calls counts as registered.
        shown.insert(caller.user.clone());
        let only = (!caller.role.reads_project()).then_some(&caller.user);
        users.retain(|id, user_name| {
            shown.contains(id)
                && only.is_none_or(|only| only == id)
                && name.is_none_or(|part| user_name.contains(part))
        });
        let total = users.len();
        let page = page_of(users.into_iter().collect(), page, |(id, _)| id.clone());
        Ok((total, self.quota_views(caller, page).await?))
    }

    /// Returns the quota of a user of the account, or of an owner of jobs who is none any more.
    pub async fn quota(&self, caller: &Caller, user: &UserId) -> Result<QuotaView, CsError> {
        if !caller.role.reads_project() && *user != caller.user {
            return Err(codes::NO_PERMISSION.error().because(
                "Only an administrator or a reader (cs_readonly) may read the quota of another user.",
            ));
        }
        let name = self.names_of_users(caller).await?.remove(user);
        let name = name.ok_or_else(|| codes::USER_NOT_EXIST.error())?;
        let views = self.quota_views(caller, vec![(user.clone(), name)]).await?;
        views.into_iter().next().ok_or_else(|| codes::USER_NOT_EXIST.error())
    }

    /// Changes quota and clusters of a user of the account.
    pub async fn update_quota(
        &self,
        caller: &Caller,
        user: &UserId,
        change: QuotaChange,
    ) -> Result<(), CsError> {
        match change.spu_quota {
            Some(..=0) => return Err(codes::SPU_QUOTA_NOT_POSITIVE.error()),
            Some(quota) if quota > MOST_SPUS => return Err(codes::SPU_QUOTA_TOO_LARGE.error()),
            _ => {}
        }
        let found = self.user_of_account(caller, user).await?;
        // No job may be run between the look at what is used and the new quota.
        let _gate = self.gate.lock().await;
        self.check_clusters(caller, change.clusters.iter().flatten()).await?;
        if let Some(quota) = change.spu_quota {
            let used = self.spus_by_user(caller).await?.get(user).copied().unwrap_or(0);
            if quota < used {
                return Err(codes::USER_SPU_USED_EXCEEDS_QUOTA.error().with("used", used));
            }
        }
        let subject = Subject { resource_type: "user", id: &user.0, name: &found.name };
        let audit = audit::of_success(caller, "updateUserQuota", subject, success::QUOTA_UPDATED, self.now());
        let default = self.options.user_spu_quota;
        self.store.update_quota((user, &found.name), &change, default, &audit).await.map_err(|error| {
            tracing::error!(%error, "a quota could not be written");
            codes::UPDATE_SPU_QUOTA_FAILED.error().because(format!("{error}."))
        })
    }

    async fn quota_views(
        &self,
        caller: &Caller,
        users: Vec<(UserId, String)>,
    ) -> Result<Vec<QuotaView>, CsError> {
        let quotas = self.store.spu_quotas(&caller.project).await.map_err(fault)?;
        let assigned = self.store.clusters_of_users(&caller.project).await.map_err(fault)?;
        let used = self.spus_by_user(caller).await?;
        let names = self.cluster_names(caller).await?;
        let view = |(id, user_name): (UserId, String)| {
            let clusters = assigned.get(&id).into_iter().flatten();
            QuotaView {
                spu_used: used.get(&id).copied().unwrap_or(0),
                spu_quota: quotas.get(&id).copied().unwrap_or(self.options.user_spu_quota),
                clusters: clusters.filter_map(|id| Some((*id, names.get(id)?.clone()))).collect(),
                user_name,
                user: id,
            }
        };
        Ok(users.into_iter().map(view).collect())
    }

    /// Returns the SPUs that the jobs of each user of the caller's project hold.
    async fn spus_by_user(&self, caller: &Caller) -> Result<BTreeMap<UserId, i64>, CsError> {
        let mut used = BTreeMap::new();
        let jobs = self.store.jobs_with_runs().await.map_err(fault)?;
        for job in jobs.into_iter().filter(|job| job.project == caller.project) {
            if let Some(held) = self.held_by(&job) {
                *used.entry(job.user.clone()).or_default() += held.spus;
            }
        }
        Ok(used)
    }

    /// Returns the names of the users of the account, and of those who own jobs of the project without being one: agencies, and
    /// users who were deleted, whose jobs go on.
    async fn names_of_users(&self, caller: &Caller) -> Result<BTreeMap<UserId, String>, CsError> {
        let mut names = self.store.owners_of_jobs(&caller.project).await.map_err(fault)?;
        let users = self.users_of_account(caller).await?;
        names.extend(users.into_iter().map(|(id, user)| (id, user.name)));
        Ok(names)
    }

    async fn users_of_account(&self, caller: &Caller) -> Result<BTreeMap<UserId, User>, CsError> {
        let unavailable = |error: weir_cloud::identity::AdministerError| {
            codes::IAM_REQUEST_FAILED.error().because(format!("{error}."))
        };
        let project = self.identity.project(&caller.project.0).await.map_err(unavailable)?;
        let Some(project) = project else { return Ok(BTreeMap::new()) };
        let users = self.identity.users(&project.domain_id).await.map_err(unavailable)?;
        Ok(users.into_iter().map(|user| (UserId(user.id.clone()), user)).collect())
    }

    async fn user_of_account(&self, caller: &Caller, user: &UserId) -> Result<User, CsError> {
        self.users_of_account(caller).await?.remove(user).ok_or_else(|| codes::USER_NOT_EXIST.error())
    }

    /// Returns the names of the clusters of the caller's project.
    async fn cluster_names(&self, caller: &Caller) -> Result<BTreeMap<i64, String>, CsError> {
        let clusters = self.store.clusters(&caller.project).await.map_err(fault)?;
        Ok(clusters.into_iter().map(|cluster| (cluster.id.0, cluster.name)).collect())
    }

    async fn check_clusters(
        &self,
        caller: &Caller,
        clusters: impl Iterator<Item = &i64>,
    ) -> Result<(), CsError> {
        let clusters: BTreeSet<i64> = clusters.copied().collect();
        if clusters.is_empty() {
            return Ok(());
        }
        let known = self.cluster_names(caller).await?;
        match clusters.iter().find(|id| !known.contains_key(id)) {
            Some(unknown) => {
                Err(codes::CLUSTER_NOT_EXIST.error().because(format!("There is no cluster {unknown}.")))
            }
            None => Ok(()),
        }
    }
}
