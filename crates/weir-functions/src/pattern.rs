//! Functions that match text against patterns.

use std::sync::Arc;

use arrow::array::{ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion_common::{Result, exec_datafusion_err};
use regex::Regex;

use crate::kernel::{Kernel, booleans, strings};
use crate::registry::Call;

/// The last pattern and what it compiled to; patterns are nearly always constant.
#[derive(Default)]
struct Compiled(Option<(String, Regex)>);

impl Compiled {
    fn get(&mut self, pattern: &str) -> Result<&Regex> {
        if self.0.as_ref().is_none_or(|(last, _)| last != pattern) {
            let regex = Regex::new(pattern)
                .map_err(|_| exec_datafusion_err!("`{pattern}` is not a valid regular expression"))?;
            self.0 = Some((pattern.to_string(), regex));
        }
        let (_, regex) = self.0.as_ref().expect("the pattern was stored just now");
        Ok(regex)
    }
}

/// Returns the function `REGEXP_REPLACE`.
pub(crate) fn regexp_replace() -> Call {
    let kernel = Kernel::new("regexp_replace", 3, DataType::Utf8, |a| {
        let (s, pattern, by) = (a.text(0)?, a.text(1)?, a.text(2)?);
        let mut compiled = Compiled::default();
        strings(a.rows, |row| {
            let (Some(s), Some(pattern), Some(by)) = (s.get(row), pattern.get(row), by.get(row)) else {
                return Ok(None);
            };
            Ok(Some(compiled.get(pattern)?.replace_all(s, braced(by).as_str()).into_owned()))
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

/// Puts braces around group numbers, so that `$1x` is group 1 before an `x`.
fn braced(replacement: &str) -> String {
    let mut result = String::with_capacity(replacement.len() + 2);
    let mut rest = replacement;
    while let Some(dollar) = rest.find('$') {
        result.push_str(&rest[..=dollar]);
        rest = &rest[dollar + 1..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 {
            result.push('{');
            result.push_str(&rest[..digits]);
            result.push('}');
            rest = &rest[digits..];
        }
    }
    result.push_str(rest);
    result
}

/// Returns the function `REGEXP_EXTRACT` with two or three arguments.
pub(crate) fn regexp_extract(arguments: usize) -> Call {
    let kernel = Kernel::new("regexp_extract", arguments, DataType::Utf8, |a| {
        let (s, pattern) = (a.text(0)?, a.text(1)?);
        let group = if a.len() == 3 { Some(a.primitive::<Int64Type>(2)?) } else { None };
        let mut compiled = Compiled::default();
        strings(a.rows, |row| {
            let (Some(s), Some(pattern)) = (s.get(row), pattern.get(row)) else { return Ok(None) };
            let group = match &group {
                Some(group) => group.get(row),
                None => Some(0),
            };
            let Some(group) = group.and_then(|group| usize::try_from(group).ok()) else { return Ok(None) };
            let found = compiled.get(pattern)?.captures(s).and_then(|captures| captures.get(group));
            Ok(found.map(|found| found.as_str().to_string()))
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

/// Returns the function `STRING_TO_ARRAY`.
pub(crate) fn string_to_array() -> Call {
    let returns = DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)));
    let kernel = Kernel::new("string_to_array", 2, returns.clone(), |a| {
        let (s, pattern) = (a.text(0)?, a.text(1)?);
        let mut compiled = Compiled::default();
        let mut lists = ListBuilder::new(StringBuilder::new());
        for row in 0..a.rows {
            let (Some(s), Some(pattern)) = (s.get(row), pattern.get(row)) else {
                lists.append(false);
                continue;
            };
            for piece in compiled.get(pattern)?.split(s) {
                lists.values().append_value(piece);
            }
            lists.append(true);
        }
        Ok(Arc::new(lists.finish()))
    });
    Call { function: kernel.into_function(), returns }
}

/// Returns the function that turns a pattern of `LIKE` into one in which a backslash escapes.
pub fn like_pattern(escape: Option<char>) -> Call {
    let kernel = Kernel::new("like_pattern", 1, DataType::Utf8, move |a| {
        let pattern = a.text(0)?;
        strings(a.rows, |row| Ok(pattern.get(row).map(|pattern| backslash_pattern(pattern, escape))))
    });
    Call { function: kernel.variant(format!("{escape:?}")).into_function(), returns: DataType::Utf8 }
}

fn backslash_pattern(pattern: &str, escape: Option<char>) -> String {
    let mut result = String::with_capacity(pattern.len() + 2);
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        if Some(c) == escape
            && let Some(escaped) = characters.next()
        {
            result.push('\\');
            result.push(escaped);
            continue;
        }
        if c == '\\' {
            result.push('\\');
        }
        result.push(c);
    }
    result
}

/// Returns the function behind `SIMILAR TO`: arguments are the string and the pattern.
pub fn similar(escape: Option<char>) -> Call {
    let kernel = Kernel::new("similar_to", 2, DataType::Boolean, move |a| {
        let (s, pattern) = (a.text(0)?, a.text(1)?);
        let mut last: Option<(String, Regex)> = None;
        booleans(a.rows, |row| {
            let (Some(s), Some(pattern)) = (s.get(row), pattern.get(row)) else { return Ok(None) };
            if last.as_ref().is_none_or(|(known, _)| known != pattern) {
                let regex = Regex::new(&similar_regex(pattern, escape))
                    .map_err(|_| exec_datafusion_err!("`{pattern}` is not a valid pattern of SIMILAR TO"))?;
                last = Some((pattern.to_string(), regex));
            }
            Ok(last.as_ref().map(|(_, regex)| regex.is_match(s)))
        })
    });
    Call { function: kernel.variant(format!("{escape:?}")).into_function(), returns: DataType::Boolean }
}

/// Translates an SQL regular expression to one that must match the whole string.
fn similar_regex(pattern: &str, escape: Option<char>) -> String {
    let mut result = String::from("(?s)^(?:");
    let mut in_class = false;
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        match c {
            c if Some(c) == escape => {
                if let Some(escaped) = characters.next() {
                    result.push_str(&regex::escape(&escaped.to_string()));
                }
            }
            '[' if !in_class => {
                in_class = true;
                result.push(c);
            }
            ']' => {
                in_class = false;
                result.push(c);
            }
            '%' if !in_class => result.push_str(".*"),
            '_' if !in_class => result.push('.'),
            '|' | '*' | '+' | '?' | '{' | '}' | '(' | ')' if !in_class => result.push(c),
            '^' | '-' | ':' if in_class => result.push(c),
            other => result.push_str(&regex::escape(&other.to_string())),
        }
    }
    result.push_str(")$");
    result
}

/// Tells whether `s` is a decimal number with optional sign, fraction and exponent.
pub(crate) fn is_number(s: &str) -> bool {
    let s = s.strip_prefix(['+', '-']).unwrap_or(s);
    let (mantissa, exponent) = match s.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (s, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            (digits(whole) && (fraction.is_empty() || digits(fraction)))
                || (whole.is_empty() && digits(fraction))
        }
        None => digits(mantissa),
    };
    mantissa_fits && exponent.is_none_or(|text| digits(text.strip_prefix(['+', '-']).unwrap_or(text)))
}

/// Tells whether `s` is an absolute URL with a host.
pub(crate) fn is_url(s: &str) -> bool {
    let Some((scheme, rest)) = s.split_once("://") else { return false };
    if !["http", "https", "ftp"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return false;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host_port = authority.rsplit('@').next().unwrap_or_default();
    let (host, port) = match host_port.rsplit_once(':') {
        Some((host, port)) if !host_port.ends_with(']') => (host, Some(port)),
        _ => (host_port, None),
    };
    let host_fits = !host.is_empty()
        && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':'));
    host_fits && port.is_none_or(|port| port.parse::<u16>().is_ok()) && !s.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_other_text() {
        for yes in ["1", "-3.5e2", "+.5", "7.", "1E-9"] {
            assert!(is_number(yes), "{yes}");
        }
        for no in ["", "-", ".", "1e", "1.2.3", "0x1", "NaN", " 1"] {
            assert!(!is_number(no), "{no}");
        }
    }

    #[test]
    fn urls_need_a_scheme_and_a_host() {
        for yes in ["http://a", "https://user@example.com:443/x?y#z", "FTP://h/"] {
            assert!(is_url(yes), "{yes}");
        }
        for no in ["", "example.com:443", "http://", "http:///x", "mailto:a@b", "http://a b", "http://a:x"] {
            assert!(!is_url(no), "{no}");
        }
    }

    #[test]
    fn only_the_given_character_escapes_in_like() {
        assert_eq!(backslash_pattern("a!_b", Some('!')), "a\\_b");
        assert_eq!(backslash_pattern("a\\_b", None), "a\\\\_b");
    }

    #[test]
    fn group_numbers_end_at_the_last_digit() {
        assert_eq!(braced("<$1x>"), "<${1}x>");
        assert_eq!(braced("a$"), "a$");
    }
}
