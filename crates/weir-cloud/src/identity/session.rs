//! What a valid credential says of its bearer.

use weir_base::time::Timestamp;

use super::record::{Assignment, AssignmentTarget, Domain, Origin, Project};
use super::verify_request::{BY_LASTING_KEY, BY_TEMPORARY_KEY};

/// Where a session holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Nowhere: good for finding projects and for getting a token with a scope.
    Unscoped,
    /// In a project.
    Project {
        /// The project.
        project: Project,
        /// The domain of the project.
        domain: Domain,
    },
    /// In a domain.
    Domain(Domain),
}

/// A user who acts through an agency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assumer {
    /// User.
    pub user_id: String,
    /// The user's name.
    pub user_name: String,
    /// The user's domain.
    pub user_domain: Domain,
}

/// What a valid credential says of its bearer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// User; where somebody acts through an agency, the agency.
    pub user_id: String,
    /// The user's name; that of an agency is `{domain}/{agency}`.
    pub user_name: String,
    /// The user's domain.
    pub user_domain: Domain,
    /// Who acts, where that is through an agency.
    pub assumed_by: Option<Assumer>,
    /// Where it holds.
    pub scope: Scope,
    /// Names of the roles in the scope, sorted.
    pub roles: Vec<String>,
    /// Names of those of them that hold in the whole account of the scope, sorted.
    pub account_roles: Vec<String>,
    /// How the credential was got.
    pub methods: Vec<String>,
    /// Since when.
    pub issued_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Names the credential in audits without giving it away.
    pub audit_id: String,
    /// The credential that ends what is made from this one: itself, or what a temporary key was made from.
    pub origin: Origin,
}

/// Who logged in, and the agency if that is through one.
fn bearer(id: &str, assumed_by: Option<&Assumer>) -> (String, Option<String>) {
    match assumed_by {
        Some(assumer) => (assumer.user_id.clone(), Some(id.to_string())),
        None => (id.to_string(), None),
    }
}

/// Returns the name of a caller for the audit: an agency has with its name who acts through it.
pub(super) fn audit_name(name: &str, assumed_by: Option<&Assumer>) -> String {
    match assumed_by {
        Some(assumer) => format!("{name} (by {}/{})", assumer.user_domain.name, assumer.user_name),
        None => name.to_string(),
    }
}

impl Session {
    /// Returns the name of the bearer for the audit: `{domain}/{agency} (by {domain}/{user})` of who acts through an agency,
    /// else the user's.
    pub fn audit_name(&self) -> String {
        audit_name(&self.user_name, self.assumed_by.as_ref())
    }

    /// Returns the user who logged in, and the agency if the user acts through one.
    pub(super) fn bearer(&self) -> (String, Option<String>) {
        bearer(&self.user_id, self.assumed_by.as_ref())
    }

    /// Returns the end of a credential that is made from this one. It must not live longer: else one login would last for
    /// ever. A lasting access key has no end.
    pub(super) fn bound(&self, end: Timestamp) -> Timestamp {
        if self.methods == [BY_LASTING_KEY] { end } else { end.min(self.expires_at) }
    }

    /// Whether it is that of a temporary access key.
    pub fn is_temporary(&self) -> bool {
        self.methods.iter().any(|method| method == BY_TEMPORARY_KEY)
    }

    /// Whether the bearer has a role in the scope.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|name| name == role)
    }

    /// Returns the project of the scope.
    pub fn project(&self) -> Option<&Project> {
        match &self.scope {
            Scope::Project { project, .. } => Some(project),
            Scope::Unscoped | Scope::Domain(_) => None,
        }
    }
}

/// Returns the names of the roles that assignments give in a target, sorted. A role on the domain of a
/// project holds in the project.
pub(super) fn roles_in(assignments: &[Assignment], target: &Target<'_>) -> Vec<String> {
    let holds = |assignment: &&Assignment| match (&assignment.target, target) {
        (AssignmentTarget::Project(id), Target::Project(project)) => *id == project.id,
        (AssignmentTarget::Domain(id), Target::Project(project)) => *id == project.domain_id,
        (AssignmentTarget::Domain(id), Target::Domain(domain)) => *id == domain.id,
        (AssignmentTarget::Project(_), Target::Domain(_)) => false,
    };
    let mut names: Vec<String> = assignments.iter().filter(holds).map(|row| row.role.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// Where roles are asked for.
pub(super) enum Target<'a> {
    Project(&'a Project),
    Domain(&'a Domain),
}

/// Everything read from the repository that a session is made of.
pub(super) struct Facts {
    /// User or agency.
    pub id: String,
    pub name: String,
    pub domain: Domain,
    pub assignments: Vec<Assignment>,
    pub default_project_id: Option<String>,
    pub assumed_by: Option<Assumer>,
}

impl Facts {
    /// Returns the user who logs in, and the agency if the user acts through one.
    pub fn bearer(&self) -> (String, Option<String>) {
        bearer(&self.id, self.assumed_by.as_ref())
    }

    /// Says who has which roles in a scope, and since when and until when that holds.
    pub fn session(&self, scope: Scope, life: Life) -> Session {
        let roles = match &scope {
            Scope::Unscoped => Vec::new(),
            Scope::Project { project, .. } => roles_in(&self.assignments, &Target::Project(project)),
            Scope::Domain(domain) => roles_in(&self.assignments, &Target::Domain(domain)),
        };
        let account_roles = match &scope {
            Scope::Unscoped => Vec::new(),
            Scope::Project { domain, .. } | Scope::Domain(domain) => {
                roles_in(&self.assignments, &Target::Domain(domain))
            }
        };
        Session {
            user_id: self.id.clone(),
            user_name: self.name.clone(),
            user_domain: self.domain.clone(),
            assumed_by: self.assumed_by.clone(),
            scope,
            roles,
            account_roles,
            methods: life.methods,
            issued_at: life.issued_at,
            expires_at: life.expires_at,
            audit_id: life.audit_id,
            origin: life.origin,
        }
    }
}

/// What a session says of its credential.
pub(super) struct Life {
    pub methods: Vec<String>,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    pub audit_id: String,
    pub origin: Origin,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignment(target: AssignmentTarget, role: &str) -> Assignment {
        Assignment { user_id: "u".into(), target, role: role.into() }
    }

    #[test]
    fn a_domain_role_holds_in_the_projects_of_the_domain_only() {
        let project = |id: &str, domain: &str| Project {
            id: id.into(),
            name: id.into(),
            domain_id: domain.into(),
            description: String::new(),
            enabled: true,
        };
        let assignments = [
            assignment(AssignmentTarget::Domain("d1".into()), "te_admin"),
            assignment(AssignmentTarget::Project("p1".into()), "cs_user"),
        ];
        assert_eq!(
            roles_in(&assignments, &Target::Project(&project("p1", "d1"))),
            vec!["cs_user", "te_admin"]
        );
        assert_eq!(roles_in(&assignments, &Target::Project(&project("p2", "d1"))), vec!["te_admin"]);
        assert!(roles_in(&assignments, &Target::Project(&project("p2", "d2"))).is_empty());
    }
}
