//! Reads the Authorization header of a signed request.

/// How the string to sign and the signing key are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `SDK-HMAC-SHA256 Access=`: the secret itself is the key, there is no scope.
    Plain,
    /// `SDK-HMAC-SHA256 Credential=.../sdk_request`: a chain of HMACs over the scope.
    Scoped,
    /// `V11-HMAC-SHA256 Credential={ak}/{date}/{region}/{service}`: a key derived by HKDF.
    Derived,
    /// `V11-HMAC-SHA256 Credential=.../sdk_request`: the chain, over the derived key.
    DerivedScoped,
}

impl Form {
    /// Returns the name of the algorithm.
    pub fn algorithm(self) -> &'static str {
        match self {
            Self::Plain | Self::Scoped => "SDK-HMAC-SHA256",
            Self::Derived | Self::DerivedScoped => "V11-HMAC-SHA256",
        }
    }
}

/// What a key is bound to. All members are empty in the plain form; region and service may be empty in
/// the scoped one, because one client sends them so.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CredentialScope {
    /// `yyyyMMdd`.
    pub date: String,
    /// Region.
    pub region: String,
    /// Service.
    pub service: String,
}

/// An Authorization header, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    /// Form.
    pub form: Form,
    /// The public half of the access key.
    pub access_key: String,
    /// What the key is bound to.
    pub scope: CredentialScope,
    /// Names of the signed headers, in lower case and in the order given.
    pub signed_headers: Vec<String>,
    /// The signature in hexadecimal characters.
    pub signature: String,
}

impl Authorization {
    /// Takes a header value apart; the error says what is wrong with it.
    pub fn parse(value: &str) -> Result<Self, String> {
        let (algorithm, rest) = value.split_once(' ').ok_or("the Authorization header has no algorithm")?;
        let is_derived = match algorithm {
            "SDK-HMAC-SHA256" => false,
            "V11-HMAC-SHA256" => true,
            other => return Err(format!("the signature algorithm `{other}` is not supported")),
        };
        let member = |name: &str| {
            rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')).map(str::trim)
        };
        let signature = member("Signature").ok_or("the Authorization header has no `Signature`")?;
        let signed = member("SignedHeaders").ok_or("the Authorization header has no `SignedHeaders`")?;
        let (form, access_key, scope) = match (member("Credential"), member("Access")) {
            (Some(credential), _) => parse_credential(credential, is_derived)?,
            (None, Some(access)) if !is_derived => {
                (Form::Plain, access.to_string(), CredentialScope::default())
            }
            _ => return Err("the Authorization header has no `Credential` and no `Access`".to_string()),
        };
        if access_key.is_empty() {
            return Err("the access key in the Authorization header is empty".to_string());
        }
        Ok(Self {
            form,
            access_key,
            scope,
            signed_headers: signed.split(';').map(str::to_ascii_lowercase).collect(),
            signature: signature.to_string(),
        })
    }
}

fn parse_credential(credential: &str, is_derived: bool) -> Result<(Form, String, CredentialScope), String> {
    let parts: Vec<&str> = credential.split('/').collect();
    let (form, access, date, region, service) = match (parts.as_slice(), is_derived) {
        ([access, date, region, service, "sdk_request"], false) => {
            (Form::Scoped, access, date, region, service)
        }
        ([access, date, region, service, "sdk_request"], true) => {
            (Form::DerivedScoped, access, date, region, service)
        }
        ([access, date, region, service], true) => (Form::Derived, access, date, region, service),
        _ => {
            return Err("the `Credential` in the Authorization header must be \
                        `{access key}/{date}/{region}/{service}/sdk_request`"
                .to_string());
        }
    };
    let scope = CredentialScope {
        date: (*date).to_string(),
        region: (*region).to_string(),
        service: (*service).to_string(),
    };
    Ok((form, (*access).to_string(), scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_region_and_service_are_read() {
        let text = "SDK-HMAC-SHA256 Credential=AK/20190101///sdk_request, SignedHeaders=host;X-Sdk-Date, Signature=00";
        let found = Authorization::parse(text).unwrap();
        assert_eq!(found.form, Form::Scoped);
        assert_eq!(found.scope, CredentialScope { date: "20190101".into(), ..CredentialScope::default() });
        assert_eq!(found.signed_headers, ["host", "x-sdk-date"]);
    }

    #[test]
    fn what_cannot_be_read_is_an_error_and_no_panic() {
        for text in [
            "",
            "SDK-HMAC-SHA256",
            "SDK-HMAC-SHA256 ",
            "SDK-HMAC-SHA256 Access=, SignedHeaders=host, Signature=00",
            "SDK-HMAC-SHA256 Access=AK, Signature=00",
            "SDK-HMAC-SHA256 Credential=AK/20190101/r/s, SignedHeaders=host, Signature=00",
            "V11-HMAC-SHA256 Access=AK, SignedHeaders=host, Signature=00",
            "AWS4-HMAC-SHA256 Credential=AK/1/2/3/aws4_request, SignedHeaders=host, Signature=00",
        ] {
            assert!(Authorization::parse(text).is_err(), "{text}");
        }
    }
}
