//! What is stored of accounts.

use weir_base::time::Timestamp;

use super::password::PasswordHash;
use super::secret::SecretKey;

/// An account: the owner of projects and users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// 32 hexadecimal characters.
    pub id: String,
    /// Unique name.
    pub name: String,
}

/// A project of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// 32 hexadecimal characters.
    pub id: String,
    /// Name, unique in the domain.
    pub name: String,
    /// The domain that owns it.
    pub domain_id: String,
    /// Free text.
    pub description: String,
    /// Whether anybody has a token or a key for it; what it holds goes on.
    pub enabled: bool,
}

/// What changes of a project; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectChange {
    /// The new name, unique in the domain, up to 64 bytes.
    pub name: Option<String>,
    /// The new free text.
    pub description: Option<String>,
    /// Whether tokens and keys are good for it from now on.
    pub enabled: Option<bool>,
}

/// What became of a project that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProjectRemoval {
    /// It is gone.
    Removed,
    /// There is none.
    Unknown,
    /// It stays, because it holds something: names of what, such as `jobs`.
    Holds(Vec<String>),
}

/// A user of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// 32 hexadecimal characters.
    pub id: String,
    /// Name, unique in the domain.
    pub name: String,
    /// The domain that owns it.
    pub domain_id: String,
    /// Free text.
    pub description: String,
    /// Whether it may log in.
    pub enabled: bool,
    /// Hash of the password.
    pub password: PasswordHash,
    /// The project of calls signed with an access key that name none.
    pub default_project_id: Option<String>,
}

/// Users of a domain who are given roles together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// 32 hexadecimal characters.
    pub id: String,
    /// The domain that owns it.
    pub domain_id: String,
    /// Name, unique in the domain, 1 to 64 bytes.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Made.
    pub created_at: Timestamp,
}

/// What changes of a group; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupChange {
    /// The new name, unique in the domain, 1 to 64 bytes.
    pub name: Option<String>,
    /// The new free text.
    pub description: Option<String>,
}

/// What changes of a user; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserChange {
    /// The new name, unique in the domain.
    pub name: Option<String>,
    /// The new free text.
    pub description: Option<String>,
    /// Whether it may log in from now on.
    pub enabled: Option<bool>,
    /// Hash of the new password.
    pub password: Option<PasswordHash>,
    /// The new project of calls signed with an access key that name none.
    pub default_project_id: Option<String>,
}

impl UserChange {
    /// Whether what the user has logged in with before is good no more.
    pub fn ends_sessions(&self) -> bool {
        self.password.is_some() || self.enabled == Some(false)
    }
}

/// Where a role holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssignmentTarget {
    /// In one project.
    Project(String),
    /// In a domain and all its projects.
    Domain(String),
}

/// A role that a user has somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The user.
    pub user_id: String,
    /// Where.
    pub target: AssignmentTarget,
    /// Name of the role.
    pub role: String,
}

/// A credential from which others are made, which end with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A token, by the SHA-256 of its text.
    Token([u8; 32]),
    /// A token of the Keystone that has the accounts, by the same.
    RemoteToken([u8; 32]),
    /// An access key that does not end by itself, by its public half.
    Key(String),
}

/// What a token is given for. It is stored only if that is good at this moment, too: a password may change while it is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A password, by the hash that it was compared with.
    Password(PasswordHash),
    /// Another credential.
    Credential(Origin),
}

/// A token as stored: its text is not, only the hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// SHA-256 of the token's text.
    pub hash: [u8; 32],
    /// Whose it is; with an agency who acts through it.
    pub user_id: String,
    /// The agency for which it stands.
    pub agency_id: Option<String>,
    /// What it was made from, and ends with; `None` is a password.
    pub origin: Option<Origin>,
    /// Where it holds; `None` is unscoped.
    pub scope: Option<AssignmentTarget>,
    /// How it was got, in the order of use.
    pub methods: Vec<String>,
    /// Issued.
    pub issued_at: Timestamp,
    /// Valid until.
    pub expires_at: Timestamp,
    /// Names the token in audits without giving it away.
    pub audit_id: String,
}

/// Whether an access key may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStatus {
    /// It may.
    Active,
    /// It may not.
    Inactive,
}

impl KeyStatus {
    /// Returns the name on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }

    /// Returns the status with a name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Inactive].into_iter().find(|status| status.as_str() == text)
    }
}

/// An access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The public half.
    pub access: String,
    /// The secret half.
    pub secret: SecretKey,
    /// Whose it is.
    pub user_id: String,
    /// Free text.
    pub description: String,
    /// Whether it may be used.
    pub status: KeyStatus,
    /// Made.
    pub created_at: Timestamp,
    /// Last used, to the hour.
    pub last_used_at: Option<Timestamp>,
}

/// What changes of an access key; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyChange {
    /// The new free text.
    pub description: Option<String>,
    /// Whether it may be used from now on.
    pub status: Option<KeyStatus>,
}

/// An access key for a while, which is good with its security token only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemporaryKey {
    /// The public half.
    pub access: String,
    /// The secret half.
    pub secret: SecretKey,
    /// SHA-256 of the security token's text.
    pub token_hash: [u8; 32],
    /// Whose it is; with an agency who acts through it.
    pub user_id: String,
    /// The agency for which it stands.
    pub agency_id: Option<String>,
    /// What it was made from, and ends with.
    pub origin: Origin,
    /// The project of requests that name none.
    pub default_project_id: Option<String>,
    /// Made.
    pub created_at: Timestamp,
    /// Valid until.
    pub expires_at: Timestamp,
}
