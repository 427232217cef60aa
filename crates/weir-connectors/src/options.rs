//! Reads the options of a stream into typed values; every complaint names stream and option.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use weir_base::connector::RoleSpec;
use weir_base::text::{Zone, parse_plain_timestamp};
use weir_engine::error::ConnectorError;
use weir_formats::{Encode, FormatOptions};
use weir_sql::Options;

/// The options of one stream.
#[derive(Clone, Copy)]
pub(crate) struct StreamOptions<'a> {
    pub stream: &'a str,
    pub options: &'a Options,
    /// What it is, as errors call it.
    kind: &'static str,
}

impl<'a> StreamOptions<'a> {
    pub fn new(stream: &'a str, options: &'a Options) -> Self {
        Self { stream, options, kind: "stream" }
    }

    /// Reads the options of a dimension table.
    pub fn of_table(table: &'a weir_sql::DimensionTable) -> Self {
        Self { stream: &table.name, options: &table.options, kind: "table" }
    }

    /// Makes an error about an option.
    pub fn error(&self, name: &str, message: impl Display) -> ConnectorError {
        ConnectorError::permanent(match self.stream {
            // In the checker, which names the stream itself.
            "" => format!("option `{name}`: {message}"),
            stream => format!("{} `{stream}`, option `{name}`: {message}", self.kind),
        })
    }

    /// Makes an error about options of which none is there.
    pub fn missing(&self, message: impl Display) -> ConnectorError {
        ConnectorError::permanent(match self.stream {
            "" => message.to_string(),
            stream => format!("{} `{stream}`: {message}", self.kind),
        })
    }

    /// Reads a number of records a second; 0 is no limit.
    pub fn rate(&self, name: &str) -> Result<Option<f64>, ConnectorError> {
        let rate = self.number::<f64>(name)?.unwrap_or(0.0);
        if !(rate.is_finite() && rate >= 0.0) {
            return Err(self.error(name, "must not be negative"));
        }
        Ok((rate > 0.0).then_some(rate))
    }

    /// Reads a number from 1 to `most`.
    pub fn count(&self, name: &str, default: u32, most: u32) -> Result<u32, ConnectorError> {
        let number = self.positive(name)?.unwrap_or(u64::from(default));
        let number = u32::try_from(number).ok().filter(|number| *number <= most);
        number.ok_or_else(|| self.error(name, format!("must be at most {most}")))
    }

    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.options.get(name)
    }

    pub fn required(&self, name: &str) -> Result<&'a str, ConnectorError> {
        match self.get(name).map(str::trim) {
            Some(value) if !value.is_empty() => Ok(value),
            _ => Err(self.error(name, "is missing; give it in the WITH clause")),
        }
    }

    pub fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, ConnectorError> {
        let Some(value) = self.get(name).map(str::trim).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        value
            .parse()
            .map(Some)
            .map_err(|_| self.error(name, format!("`{value}` is not a number that fits here")))
    }

    pub fn positive(&self, name: &str) -> Result<Option<u64>, ConnectorError> {
        match self.number::<u64>(name)? {
            Some(0) => Err(self.error(name, "must be at least 1")),
            number => Ok(number),
        }
    }

    pub fn seconds(&self, name: &str) -> Result<Option<Duration>, ConnectorError> {
        Ok(self.positive(name)?.map(Duration::from_secs))
    }

    pub fn flag(&self, name: &str, default: bool) -> Result<bool, ConnectorError> {
        match self.get(name).map(str::trim) {
            None | Some("") => Ok(default),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(true),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(false),
            Some(value) => Err(self.error(name, format!("`{value}` is neither `true` nor `false`"))),
        }
    }

    /// Reads bytes with an optional unit: `4096`, `10k`, `100MB`, `1g`.
    pub fn bytes(&self, name: &str) -> Result<Option<u64>, ConnectorError> {
        let Some(value) = self.get(name).map(str::trim).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        parse_bytes(value).map(Some).ok_or_else(|| {
            self.error(name, format!("`{value}` is not a size such as `4096`, `10k`, `100MB` or `1g`"))
        })
    }

    /// Reads a wall clock of the job's zone; the result is an instant in milliseconds.
    pub fn instant(&self, name: &str, zone: &Zone) -> Result<Option<i64>, ConnectorError> {
        let Some(value) = self.get(name).map(str::trim).filter(|value| !value.is_empty()) else {
            return Ok(None);
        };
        parse_plain_timestamp(value)
            .map(|wall| Some(zone.wall_to_instant(wall)))
            .ok_or_else(|| self.error(name, format!("`{value}` is not of the form `yyyy-MM-dd HH:mm:ss`")))
    }

    /// Reads the delimiter between two records of an object or file.
    pub fn row_delimiter(&self) -> Result<Vec<u8>, ConnectorError> {
        match self.get("row_delimiter") {
            None => Ok(b"\n".to_vec()),
            Some("") => Err(self.error("row_delimiter", "must not be empty")),
            Some(value) => Ok(value.as_bytes().to_vec()),
        }
    }

    /// Reads the delimiter between two records of content that is read. It is empty when the whole content
    /// is one record, as it is without the option in encodings whose records span lines.
    pub fn row_delimiter_or_none(&self) -> Result<Vec<u8>, ConnectorError> {
        let encode = self.get("encode").and_then(Encode::of_name);
        match self.get("row_delimiter") {
            None if encode.is_some_and(Encode::spans_lines) => Ok(Vec::new()),
            Some("") => Ok(Vec::new()),
            _ => self.row_delimiter(),
        }
    }

    /// Reads the options of the format.
    pub fn format(&self, zone: Zone) -> Result<FormatOptions, ConnectorError> {
        FormatOptions::read(|name| self.get(name), zone).map_err(|error| self.format_error(error))
    }

    /// Makes a fault of the format a fault of the stream.
    pub fn format_error(&self, error: weir_formats::FormatError) -> ConnectorError {
        ConnectorError::permanent(format!("{} `{}`: {error}", self.kind, self.stream))
    }
}

/// Lets the checker ask what the connector asks when the job starts: so what is accepted there runs.
pub(crate) fn check(
    role: Option<&RoleSpec>,
    lookup: &dyn Fn(&str) -> Option<String>,
    read: impl FnOnce(&StreamOptions<'_>) -> Result<(), ConnectorError>,
) -> Result<(), String> {
    let names = role.into_iter().flat_map(|role| role.options).map(|option| option.name);
    let options = Options(names.filter_map(|name| Some((name.to_string(), lookup(name)?))).collect());
    read(&StreamOptions::new("", &options)).map_err(|error| error.message)
}

fn parse_bytes(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => 1 << 20,
        "g" | "gb" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(unit).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("10", Some(10)),
            ("10k", Some(10 << 10)),
            ("10 KB", Some(10 << 10)),
            ("100m", Some(100 << 20)),
            ("1G", Some(1 << 30)),
            ("0", None),
            ("m", None),
            ("-1", None),
            ("1.5m", None),
            ("99999999999g", None),
        ] {
            assert_eq!(parse_bytes(text), bytes, "{text}");
        }
    }
}
