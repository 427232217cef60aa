//! The arithmetic of access keys: values in, values out.
//!
//! [`verify()`] checks the four forms in which clients of the service sign requests (HMAC-SHA256);
//! [`object`] checks the older form of object clients (HMAC-SHA1). Nothing here looks anything up.

mod authorization;
mod canonical;
pub mod object;
mod verify;

#[cfg(test)]
mod tests;

pub use authorization::{Authorization, CredentialScope, Form};
pub use verify::{CLOCK_SKEW, sign, verify};

/// A request as its bytes came over the wire.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// Method in upper case.
    pub method: &'a str,
    /// Path, still percent-encoded.
    pub path: &'a str,
    /// Query without `?`, still percent-encoded.
    pub query: Option<&'a str>,
    /// Headers in the order of arrival; names in lower case.
    pub headers: &'a [(String, String)],
    /// The whole body.
    pub body: &'a [u8],
}

impl SignedRequest<'_> {
    /// Returns the value of a header; several headers of one name are joined by commas.
    pub fn header(&self, name: &str) -> Option<String> {
        join_headers(self.headers, name)
    }
}

/// Returns the value of a header; several headers of one name are joined by commas.
fn join_headers(headers: &[(String, String)], name: &str) -> Option<String> {
    let mut values = headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value.trim());
    let first = values.next()?.to_string();
    Some(values.fold(first, |joined, value| format!("{joined},{value}")))
}
