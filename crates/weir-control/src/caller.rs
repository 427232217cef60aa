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
    /// Own jobs, and reads: a user with both roles.
    ReadingUser,
    /// Everything in the project.
    Administrator,
}

impl Role {
    /// Returns what the roles with these names allow together.
    pub fn strongest<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let role = |name: &str| match name {
            "cs_adm" | "te_admin" => Self::Administrator,
            "cs_user" => Self::User,
            "cs_readonly" => Self::Reader,
            _ => Self::None,
        };
        // One role takes away nothing of what another gives.
        names.into_iter().map(role).fold(Self::None, |all, more| match (all, more) {
            (Self::Reader | Self::ReadingUser, Self::User)
            | (Self::User | Self::ReadingUser, Self::Reader) => Self::ReadingUser,
            _ => all.max(more),
        })
    }

    /// Whether it reads what belongs to the project and to no user, and the quotas of all users.
    pub(crate) fn reads_project(self) -> bool {
        matches!(self, Self::Reader | Self::ReadingUser | Self::Administrator)
    }
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// User.
    pub user: UserId,
    /// The user's name.
    pub user_name: String,
    /// The same for the audit: an agency has with it who acts.
    pub audit_name: String,
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
        assert_eq!(Role::strongest(["cs_readonly", "x"]), Role::Reader);
        assert_eq!(Role::strongest(["x"]), Role::None);
        assert_eq!(Role::strongest([]), Role::None);
    }

    #[test]
    fn a_user_who_is_a_reader_too_may_what_either_may() {
        for names in [["cs_user", "cs_readonly"], ["cs_readonly", "cs_user"]] {
            let both = Role::strongest(names);
            assert!(both >= Role::User && both.reads_project(), "{names:?}");
            assert_eq!(Role::strongest(names.into_iter().chain(names)), both);
            assert_eq!(Role::strongest(names.into_iter().chain(["cs_adm"])), Role::Administrator);
        }
        assert!(!Role::User.reads_project());
    }
}
