//! The roles that the service knows. They are fixed: what each may do is written in code.

use sha2::{Digest, Sha256};

/// A role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// The name in tokens.
    pub name: &'static str,
    /// The name for people.
    pub display_name: &'static str,
    /// What it allows.
    pub description: &'static str,
}

impl Role {
    /// Returns the id: 32 hexadecimal characters that follow from the name, the same on every installation.
    pub fn id(&self) -> String {
        let digest = Sha256::digest(self.name.as_bytes());
        hex::encode(&digest[..16])
    }
}

/// All roles.
pub const ROLES: &[Role] = &[
    Role {
        name: "te_admin",
        display_name: "Tenant Administrator",
        description: "Everything in the account: users, projects, access keys, and all services",
    },
    Role { name: "cs_adm", display_name: "CS Administrator", description: "Everything in Cloud Stream" },
    Role { name: "cs_user", display_name: "CS User", description: "Own jobs and templates in Cloud Stream" },
    Role { name: "cs_readonly", display_name: "CS Reader", description: "Reading in Cloud Stream" },
    Role {
        name: "te_agency",
        display_name: "Agent Operator",
        description: "Acting for other accounts through the agencies that trust this one",
    },
    Role {
        name: "dis_adm",
        display_name: "DIS Administrator",
        description: "Everything in the stream service",
    },
    Role {
        name: "obs_adm",
        display_name: "OBS Administrator",
        description: "Everything in the object service",
    },
    Role {
        name: "smn_adm",
        display_name: "SMN Administrator",
        description: "Everything in the notification service",
    },
    Role {
        name: "vpc_netadm",
        display_name: "VPC Administrator",
        description: "Everything in the network service",
    },
    Role {
        name: "ctable_adm",
        display_name: "CloudTable Administrator",
        description: "Everything in the table service",
    },
];

/// Returns the role with a name or an id.
pub fn role(name_or_id: &str) -> Option<&'static Role> {
    ROLES.iter().find(|role| role.name == name_or_id || role.id() == name_or_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_found_by_name_and_by_id() {
        let found = role("cs_user").unwrap();
        assert_eq!(role(&found.id()), Some(found));
        assert_eq!(found.id().len(), 32);
        assert_eq!(role("root"), None);
    }
}
