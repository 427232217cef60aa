//! Users, roles and tokens of the tests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use weir_base::clock::{Clock, ManualClock};
use weir_base::time::Timestamp;
use weir_cloud::identity::{
    AccountRepository, AssignmentTarget, BootstrapOptions, DomainSelector, HashingCost, Identity,
    IdentityOptions, LoginMethod, LoginRequest, NewProject, NewUser, ScopeRequest, UserSelector,
};

const PASSWORD: &str = "correct-horse";

/// An identity service with users in it.
pub struct People {
    pub identity: Arc<Identity>,
    pub project: String,
    /// The project of the token `foreign`.
    pub other_project: String,
    pub domain: String,
    /// Ids of the users by their names.
    pub users: BTreeMap<String, String>,
    pub tokens: BTreeMap<String, String>,
}

impl People {
    /// Makes the users of the tests: `admin` (te_admin), `ann` and `bob` (cs_user), `reader` (cs_readonly),
    /// `stranger` (no role of CS); and tokens of `admin` that are `foreign` (of another project), `domain`
    /// (of no project), `expired` and `unknown`. The token `outsider` is that of the administrator of another account,
    /// who has the same name.
    pub async fn settle(clock: Arc<dyn Clock>, accounts: Arc<dyn AccountRepository>) -> Self {
        let options = || IdentityOptions { hashing: HashingCost::LOWEST, ..IdentityOptions::default() };
        let identity = Arc::new(Identity::new(accounts.clone(), clock.clone(), options()));
        let made = identity
            .bootstrap(BootstrapOptions { password: Some(PASSWORD.into()), ..BootstrapOptions::default() })
            .await
            .unwrap();
        let (domain, project) = (made.domain_id.clone(), made.project_id.clone());
        let mut users = BTreeMap::from([("admin".to_string(), made.user_id.clone())]);
        for (name, role) in
            [("ann", "cs_user"), ("bob", "cs_user"), ("reader", "cs_readonly"), ("stranger", "dis_adm")]
        {
            let user = identity
                .create_user(NewUser {
                    name: name.into(),
                    domain_id: domain.clone(),
                    description: String::new(),
                    password: PASSWORD.into(),
                    enabled: true,
                    default_project_id: None,
                })
                .await
                .unwrap();
            users.insert(name.to_string(), user.id.clone());
            identity.assign_role(&user.id, AssignmentTarget::Project(project.clone()), role).await.unwrap();
        }
        let other =
            NewProject { name: "other".into(), domain_id: domain.clone(), description: String::new() };
        let other = identity.create_project(other).await.unwrap().id;
        let mut tokens = BTreeMap::new();
        for name in ["admin", "ann", "bob", "reader", "stranger"] {
            let token = log_in(&identity, &domain, name, ScopeRequest::ProjectId(project.clone())).await;
            tokens.insert(name.to_string(), token);
        }
        let outside = identity
            .create_account(BootstrapOptions {
                domain: "outside".into(),
                password: Some(PASSWORD.into()),
                ..BootstrapOptions::default()
            })
            .await
            .unwrap();
        let scope = ScopeRequest::ProjectId(outside.project_id);
        tokens.insert("outsider".into(), log_in(&identity, &outside.domain_id, "admin", scope).await);
        let admin = "admin";
        let foreign = log_in(&identity, &domain, admin, ScopeRequest::ProjectId(other.clone())).await;
        let of_domain =
            log_in(&identity, &domain, admin, ScopeRequest::Domain(DomainSelector::Id(domain.clone()))).await;
        // Issued by a service over the same accounts whose clock is two days behind.
        let past = ManualClock::new(Timestamp(clock.now().0).minus(Duration::from_secs(2 * 86_400)));
        let past = Identity::new(accounts, Arc::new(past), options());
        let expired = log_in(&past, &domain, admin, ScopeRequest::ProjectId(project.clone())).await;
        tokens.insert("foreign".into(), foreign);
        tokens.insert("domain".into(), of_domain);
        tokens.insert("expired".into(), expired);
        tokens.insert("unknown".into(), "gibberish".into());
        Self { identity, project, other_project: other, domain, users, tokens }
    }
}

async fn log_in(identity: &Identity, domain: &str, name: &str, scope: ScopeRequest) -> String {
    let domain = Some(DomainSelector::Id(domain.to_string()));
    let user = UserSelector::Name { name: name.to_string(), domain };
    let method = LoginMethod::Password { user, password: PASSWORD.to_string() };
    match identity.log_in(LoginRequest { method, scope }).await {
        Ok(issued) => issued.token,
        Err(error) => panic!("{name}: {error}"),
    }
}
