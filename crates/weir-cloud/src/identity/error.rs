//! What can go wrong with identities, one enum per task.

use std::time::Duration;

use thiserror::Error;

use super::repository::RepositoryError;

/// Why nobody was logged in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LoginError {
    /// User, domain or password is wrong, or the user is disabled; which one is not said.
    #[error("the user name, domain or password is wrong")]
    WrongCredentials,
    /// The token to log in with is unknown or expired.
    #[error("the token is not valid")]
    InvalidToken,
    /// The scope does not exist, or the user has no role in it; which one is not said.
    #[error("the user has no role in the requested scope")]
    ScopeRefused,
    /// There is no such agency, or the caller may not act through it; which one is not said.
    #[error(
        "there is no such agency, it trusts another account, or you have neither `te_agency` nor `te_admin` in your account"
    )]
    AgencyRefused,
    /// The accounts are kept by another service.
    #[error("the accounts are those of {0}, which knows no agencies")]
    Elsewhere(String),
    /// Too many wrong passwords for this name.
    #[error("too many failed attempts for this user; try again in {} s", .retry_after.as_secs().max(1))]
    TooManyAttempts {
        /// When to try again.
        retry_after: Duration,
    },
    /// The accounts cannot be read.
    #[error("the identity store does not answer: {0}")]
    Unavailable(String),
}

/// Why a token was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TokenError {
    /// No such token: it never was, was revoked, or expired long ago.
    #[error("the token is unknown")]
    Unknown,
    /// It was valid once.
    #[error("the token has expired")]
    Expired,
    /// The accounts cannot be read.
    #[error("the identity store does not answer: {0}")]
    Unavailable(String),
}

/// Why an access key was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// No such key, or its owner is gone or disabled.
    #[error("the access key is unknown")]
    Unknown,
    /// The key is switched off.
    #[error("the access key is inactive")]
    Inactive,
    /// The key was good for a while, which is over.
    #[error("the temporary access key has expired")]
    Expired,
    /// The key is good with its security token only.
    #[error(
        "a temporary access key is good with its own security token only, which goes into `X-Security-Token`"
    )]
    WrongSecurityToken,
    /// The accounts cannot be read.
    #[error("the identity store does not answer: {0}")]
    Unavailable(String),
}

/// Why a signed request was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RequestError {
    /// The access key is not known or not active.
    #[error("the access key is unknown or inactive")]
    UnknownKey,
    /// The access key was good for a while, which is over.
    #[error("the temporary access key has expired")]
    KeyExpired,
    /// The access key is good with its security token only.
    #[error(
        "a temporary access key is good with its own security token only, which goes into `X-Security-Token`"
    )]
    WrongSecurityToken,
    /// The signature does not fit the request.
    #[error("the signature does not fit the request")]
    BadSignature,
    /// The request's date is too far from the present.
    #[error("the date of the request is more than 15 minutes from the time of the service")]
    ClockSkew,
    /// The authorization cannot be read.
    #[error("{0}")]
    Malformed(String),
    /// The accounts cannot be read.
    #[error("the identity store does not answer: {0}")]
    Unavailable(String),
}

/// Why an account was not changed or not found.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AdministerError {
    /// A value is not allowed.
    #[error("{0}")]
    Invalid(String),
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// The name is taken.
    #[error("{0} exists already")]
    Conflict(String),
    /// It still holds something.
    #[error("the project holds {0}; delete them first")]
    NotEmpty(String),
    /// This is never allowed.
    #[error("{0}")]
    Forbidden(String),
    /// The accounts are kept by another service, and changed there.
    #[error("the accounts are those of {0}; change them there")]
    Elsewhere(String),
    /// The user has as many access keys as allowed.
    #[error("akSkNumExceed")]
    TooManyKeys,
    /// The accounts cannot be read or written.
    #[error("the identity store does not answer: {0}")]
    Unavailable(String),
}

impl From<RepositoryError> for LoginError {
    fn from(error: RepositoryError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<RepositoryError> for TokenError {
    fn from(error: RepositoryError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<RepositoryError> for KeyError {
    fn from(error: RepositoryError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<RepositoryError> for AdministerError {
    fn from(error: RepositoryError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<RepositoryError> for RequestError {
    fn from(error: RepositoryError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

impl From<KeyError> for RequestError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Unknown | KeyError::Inactive => Self::UnknownKey,
            KeyError::Expired => Self::KeyExpired,
            KeyError::WrongSecurityToken => Self::WrongSecurityToken,
            KeyError::Unavailable(reason) => Self::Unavailable(reason),
        }
    }
}

impl From<TokenError> for LoginError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Unknown | TokenError::Expired => Self::InvalidToken,
            TokenError::Unavailable(reason) => Self::Unavailable(reason),
        }
    }
}
