//! Who calls, and what the roles allow.

use weir_base::error::{CsError, codes};
use weir_base::id::{ProjectId, UserId};
use weir_store::JobRecord;

/// What a caller may do, from the most to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Nothing.
    None,
    /// Reads.
    Reader,
    /// Own jobs.
    User,
    /// Everything in the project.
    Administrator,
}

impl Role {
    /// Returns the strongest of the roles with these names.
    pub fn strongest<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let role = |name: &str| match name {
            "cs_adm" | "te_admin" => Self::Administrator,
            "cs_user" => Self::User,
            "cs_readonly" => Self::Reader,
            _ => Self::None,
        };
        names.into_iter().map(role).max().unwrap_or(Self::None)
    }
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// User.
    pub user: UserId,
    /// The user's name.
    pub user_name: String,
    /// The project of the credential, which is the project of the path.
    pub project: ProjectId,
    /// Role.
    pub role: Role,
    /// The id of the request, for the audit.
    pub request_id: String,
    /// The address that the request came from, for the audit; empty when it is not known.
    pub source_ip: String,
}

impl Caller {
    /// Whether the caller may act on a job of its project.
    pub fn owns(&self, job: &JobRecord) -> bool {
        self.role == Role::Administrator || self.user == job.user
    }

    /// Refuses a job of somebody else with CS.10002.
    pub(crate) fn check_owner(&self, job: &JobRecord) -> Result<(), CsError> {
        self.check_is_owner(&job.user)
    }

    /// Refuses what belongs to somebody else with CS.10002.
    pub(crate) fn check_is_owner(&self, owner: &UserId) -> Result<(), CsError> {
        let may = self.role == Role::Administrator || self.user == *owner;
        if may { Ok(()) } else { Err(codes::RESOURCE_FORBIDDEN.error()) }
    }

    /// Returns the user to whose jobs lists are restricted, `None` when there is no restriction.
    pub(crate) fn sees_only(&self) -> Option<UserId> {
        (self.role != Role::Administrator).then(|| self.user.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_role_counts() {
        assert_eq!(Role::strongest(["cs_readonly", "cs_adm"]), Role::Administrator);
        assert_eq!(Role::strongest(["te_admin"]), Role::Administrator);
        assert_eq!(Role::strongest(["cs_user", "x"]), Role::User);
        assert_eq!(Role::strongest(["x"]), Role::None);
        assert_eq!(Role::strongest([]), Role::None);
    }
}
