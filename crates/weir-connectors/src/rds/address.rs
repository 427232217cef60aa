//! The option `db_url`: which database, and whether the way to it is encrypted.

use weir_engine::error::ConnectorError;

use crate::options::StreamOptions;

/// The kind of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    PostgreSql,
    MySql,
}

/// Whether a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    Never,
    /// When the server offers it.
    Preferred,
    Required,
    /// With a certificate of a public authority for the very host.
    Verified,
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub dialect: Dialect,
    pub host: String,
    pub port: u16,
    pub database: String,
    pub encryption: Encryption,
}

/// Reads the option. Errors never quote it: somebody may have put a password into it.
pub(super) fn read(options: &StreamOptions<'_>) -> Result<Address, ConnectorError> {
    let url = options.required("db_url")?;
    parse(url.strip_prefix("jdbc:").unwrap_or(url)).map_err(|message| options.error("db_url", message))
}

fn parse(url: &str) -> Result<Address, String> {
    const FORMS: &str =
        "is not of the form `postgresql://host:port/database` or `mysql://host:port/database`";
    let (scheme, rest) = url.split_once("://").ok_or(FORMS)?;
    let (dialect, default_port) = match scheme.to_ascii_lowercase().as_str() {
        "postgresql" | "postgres" => (Dialect::PostgreSql, 5432),
        "mysql" | "mariadb" => (Dialect::MySql, 3306),
        other => return Err(format!("has the scheme `{other}`; databases are `postgresql` and `mysql`")),
    };
    let (rest, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let (server, database) = rest.split_once('/').ok_or(FORMS)?;
    if server.contains('@') {
        return Err(
            "holds a user or password; give them in the options `username` and `password`".to_string()
        );
    }
    if server.contains(',') {
        return Err("names several servers; give one".to_string());
    }
    let bracketed = server.strip_prefix('[').and_then(|server| server.split_once(']'));
    let (host, port) = match bracketed {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match server.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (server, None),
        },
    };
    let port = match port {
        None => default_port,
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or("has a port that is not a number")?,
    };
    if host.is_empty() || database.is_empty() || database.contains('/') {
        return Err(FORMS.to_string());
    }
    let encryption = encryption(parameters)?;
    Ok(Address { dialect, host: host.to_string(), port, database: database.to_string(), encryption })
}

/// Reads the parameters of the URL. What old jobs ask for and always holds here is accepted.
fn encryption(parameters: &str) -> Result<Encryption, String> {
    let mut encryption = Encryption::Preferred;
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = value.to_ascii_lowercase();
        match (name.to_ascii_lowercase().replace('-', "").as_str(), value.replace('_', "-").as_str()) {
            ("useunicode" | "autoreconnect", "true")
            | ("characterencoding", "utf8" | "utf-8" | "utf8mb4") => {}
            ("ssl" | "usessl", "true") => encryption = Encryption::Required,
            ("ssl" | "usessl", "false") | ("sslmode", "disable" | "disabled") => {
                encryption = Encryption::Never;
            }
            ("sslmode", "prefer" | "preferred") => encryption = Encryption::Preferred,
            ("sslmode", "require" | "required") => encryption = Encryption::Required,
            ("sslmode", "verify-full" | "verify-identity") => encryption = Encryption::Verified,
            _ => {
                return Err(format!(
                    "has the parameter `{name}` with a value that is not supported; leave it out, or give `sslmode` as `disable`, `prefer`, `require` or `verify-full`"
                ));
            }
        }
    }
    Ok(encryption)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(dialect: Dialect, host: &str, port: u16, encryption: Encryption) -> Address {
        Address { dialect, host: host.to_string(), port, database: "cars".to_string(), encryption }
    }

    #[test]
    fn forms() {
        use Dialect::{MySql, PostgreSql};
        use Encryption::{Never, Preferred, Required, Verified};
        for (url, expected) in [
            ("postgresql://db1:5433/cars", address(PostgreSql, "db1", 5433, Preferred)),
            ("mysql://10.0.0.8/cars", address(MySql, "10.0.0.8", 3306, Preferred)),
            ("MySQL://[::1]:3307/cars", address(MySql, "::1", 3307, Preferred)),
            ("postgres://[::1]/cars", address(PostgreSql, "::1", 5432, Preferred)),
            (
                "mysql://h/cars?useSSL=false&useUnicode=true&characterEncoding=UTF-8",
                address(MySql, "h", 3306, Never),
            ),
            ("postgresql://h/cars?sslmode=require", address(PostgreSql, "h", 5432, Required)),
            ("mysql://h/cars?ssl-mode=VERIFY_IDENTITY", address(MySql, "h", 3306, Verified)),
        ] {
            assert_eq!(parse(url), Ok(expected), "{url}");
        }
    }

    #[test]
    fn refusals_say_what_would_do_and_quote_no_secret() {
        for (url, text) in [
            ("db1:5432/cars", "`postgresql://host:port/database`"),
            ("oracle://h/cars", "the scheme `oracle`"),
            ("mysql://root:hunter2@h/cars", "`username` and `password`"),
            ("mysql://h,i/cars", "several servers"),
            ("mysql://h:x/cars", "a port"),
            ("mysql://h/", "is not of the form"),
            ("mysql:///cars", "is not of the form"),
            ("mysql://h/cars?password=hunter2", "the parameter `password`"),
        ] {
            let message = parse(url).unwrap_err();
            assert!(message.contains(text) && !message.contains("hunter2"), "{url}: {message}");
        }
    }
}
