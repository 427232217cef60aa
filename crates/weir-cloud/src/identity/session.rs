//! What a valid credential says of its bearer.

use weir_base::time::Timestamp;

use super::record::{Assignment, AssignmentTarget, Domain, Project, User};

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

/// What a valid credential says of its bearer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// User.
    pub user_id: String,
    /// The user's name.
    pub user_name: String,
    /// The user's domain.
    pub user_domain: Domain,
    /// Where it holds.
    pub scope: Scope,
    /// Names of the roles in the scope, sorted.
    pub roles: Vec<String>,
    /// How the credential was got.
    pub methods: Vec<String>,
    /// Since when.
    pub issued_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Names the credential in audits without giving it away.
    pub audit_id: String,
}

impl Session {
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
    pub user: User,
    pub user_domain: Domain,
    pub assignments: Vec<Assignment>,
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
