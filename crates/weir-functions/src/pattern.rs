//! Functions that match text against patterns.

use std::sync::{Arc, LazyLock};

use arrow::array::{ListBuilder, StringBuilder};
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion_common::Result;
use regex::Regex;

use crate::compiled::Compiled;
use crate::kernel::{Kernel, booleans, row_error, strings, written};
use crate::registry::Call;

/// Compiles a regular expression, or says what is wrong with it.
pub(crate) fn regex(pattern: &str) -> std::result::Result<Regex, String> {
    Regex::new(pattern).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => format!("the regular expression `{pattern}` is too large"),
        // Of these the library tells only by its text.
        error if error.to_string().contains("look-around") => {
            format!("`{pattern}` has a look-around, which is not available in regular expressions")
        }
        error if error.to_string().contains("backreferences") => {
            format!("`{pattern}` refers back to a group, which is not available in regular expressions")
        }
        _ => format!("`{pattern}` is not a valid regular expression"),
    })
}

/// Returns the function `REGEXP_REPLACE`.
pub(crate) fn regexp_replace() -> Call {
    let (patterns, replacements) = (Compiled::new(regex), Compiled::new(Replacement::parse));
    let kernel = Kernel::new("regexp_replace", 3, DataType::Utf8, move |a| {
        let (s, pattern, by) = (a.text(0)?, a.text(1)?, a.text(2)?);
        let (mut patterns, mut replacements) = (patterns.batch(), replacements.batch());
        written(a.rows, |row, out| {
            let (Some(s), Some(pattern), Some(by)) = (s.get(row), pattern.get(row), by.get(row)) else {
                return Ok(false);
            };
            replacements.get(by)?.replace_all(&*patterns.get(pattern)?, s, out)?;
            Ok(true)
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

/// Returns where to look for the next match: as in Java, an empty one may follow another at once.
fn after(found: &regex::Match<'_>, s: &str) -> usize {
    match found.is_empty() {
        false => found.end(),
        true => found.end() + s[found.end()..].chars().next().map_or(1, char::len_utf8),
    }
}

/// What a match is replaced by: text and groups, as `$1` or `${name}`. A backslash takes the meaning from the
/// character after it.
struct Replacement(Vec<Part>);

enum Part {
    Text(String),
    /// The digits after `$`; how many of them are the number depends on the groups that there are.
    Group(String),
    Name(String),
}

impl Replacement {
    fn parse(text: &str) -> std::result::Result<Self, String> {
        let wrong = |what: &str| format!("`{text}` is not a replacement: {what}");
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            rest = &rest[first.len_utf8()..];
            match first {
                '\\' => {
                    let escaped = rest.chars().next().ok_or_else(|| wrong("it ends with a backslash"))?;
                    plain.push(escaped);
                    rest = &rest[escaped.len_utf8()..];
                }
                '$' => {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                    if digits > 0 {
                        parts.push(Part::Group(rest[..digits].to_string()));
                        rest = &rest[digits..];
                        continue;
                    }
                    let named = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
                    let (name, after) = named.ok_or_else(|| wrong("`$` needs the number of a group"))?;
                    parts.push(Part::Name(name.to_string()));
                    rest = after;
                }
                other => plain.push(other),
            }
        }
        parts.push(Part::Text(plain));
        Ok(Self(parts))
    }

    fn replace_all(&self, regex: &Regex, s: &str, out: &mut String) -> Result<()> {
        let mut end = 0;
        let mut places = regex.capture_locations();
        let mut at = 0;
        // An iterator over captures would allocate for every match.
        while at <= s.len()
            && let Some(found) = regex.captures_read_at(&mut places, s, at)
        {
            out.push_str(&s[end..found.start()]);
            for part in &self.0 {
                self.part(part, regex, &places, s, out)?;
            }
            end = found.end();
            at = after(&found, s);
        }
        out.push_str(&s[end..]);
        Ok(())
    }

    fn part(
        &self,
        part: &Part,
        regex: &Regex,
        places: &regex::CaptureLocations,
        s: &str,
        out: &mut String,
    ) -> Result<()> {
        let missing = |group: &str| {
            row_error(format!("the replacement names group `{group}`, which `{regex}` does not have"))
        };
        let (group, after) = match part {
            Part::Text(text) => {
                out.push_str(text);
                return Ok(());
            }
            Part::Name(name) => {
                let found = regex.capture_names().position(|own| own == Some(name));
                match found {
                    Some(group) => (group, ""),
                    None => return missing(name),
                }
            }
            Part::Group(digits) => {
                // As many digits as make the number of a group; the others are text.
                let longest = (1..=digits.len()).rev().find_map(|length| {
                    let group = digits[..length].parse::<usize>().ok()?;
                    (group < places.len()).then_some((group, &digits[length..]))
                });
                match longest {
                    Some(longest) => longest,
                    None => return missing(digits),
                }
            }
        };
        if let Some((start, end)) = places.get(group) {
            out.push_str(&s[start..end]);
        }
        out.push_str(after);
        Ok(())
    }
}

/// Returns the function `REGEXP_EXTRACT` with two or three arguments.
pub(crate) fn regexp_extract(arguments: usize) -> Call {
    let patterns = Compiled::new(regex);
    let kernel = Kernel::new("regexp_extract", arguments, DataType::Utf8, move |a| {
        let (s, pattern) = (a.text(0)?, a.text(1)?);
        let group = if a.len() == 3 { Some(a.primitive::<Int64Type>(2)?) } else { None };
        let mut patterns = patterns.batch();
        strings(a.rows, |row| {
            let (Some(s), Some(pattern)) = (s.get(row), pattern.get(row)) else { return Ok(None) };
            let group = match &group {
                Some(group) => group.get(row),
                None => Some(0),
            };
            let Some(group) = group.and_then(|group| usize::try_from(group).ok()) else { return Ok(None) };
            let regex = patterns.get(pattern)?;
            if group == 0 {
                return Ok(regex.find(s).map(|found| found.as_str()));
            }
            let found = regex.captures(s).and_then(|captures| captures.get(group));
            Ok(found.map(|found| found.as_str()))
        })
    });
    Call { function: kernel.into_function(), returns: DataType::Utf8 }
}

/// Returns the function `STRING_TO_ARRAY`.
pub(crate) fn string_to_array() -> Call {
    let returns = DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)));
    let patterns = Compiled::new(regex);
    let kernel = Kernel::new("string_to_array", 2, returns.clone(), move |a| {
        let (s, pattern) = (a.text(0)?, a.text(1)?);
        let mut patterns = patterns.batch();
        let mut lists = ListBuilder::new(StringBuilder::new());
        for row in 0..a.rows {
            let (Some(s), Some(pattern)) = (s.get(row), pattern.get(row)) else {
                lists.append(false);
                continue;
            };
            let regex = patterns.get(pattern)?;
            let (mut end, mut at) = (0, 0);
            while at <= s.len()
                && let Some(found) = regex.find_at(s, at)
            {
                // An empty match separates characters; at the ends there is nothing to separate.
                if !found.is_empty() || (found.start() > 0 && found.end() < s.len()) {
                    lists.values().append_value(&s[end..found.start()]);
                    end = found.end();
                }
                at = after(&found, s);
            }
            lists.values().append_value(&s[end..]);
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
    let patterns = Compiled::new(move |pattern| similar_pattern(pattern, escape));
    let kernel = Kernel::new("similar_to", 2, DataType::Boolean, move |a| {
        let (s, pattern) = (a.text(0)?, a.text(1)?);
        let mut patterns = patterns.batch();
        booleans(a.rows, |row| {
            let (Some(s), Some(pattern)) = (s.get(row), pattern.get(row)) else { return Ok(None) };
            Ok(Some(patterns.get(pattern)?.is_match(s)))
        })
    });
    Call { function: kernel.variant(format!("{escape:?}")).into_function(), returns: DataType::Boolean }
}

/// Says what is wrong with a literal pattern of `SIMILAR TO`, if anything is.
pub fn check_similar(pattern: &str, escape: Option<char>) -> std::result::Result<(), String> {
    similar_pattern(pattern, escape).map(|_| ())
}

fn similar_pattern(pattern: &str, escape: Option<char>) -> std::result::Result<Regex, String> {
    regex(&similar_regex(pattern, escape))
        .map_err(|_| format!("`{pattern}` is not a valid pattern of SIMILAR TO"))
}

/// The character classes of SQL inside brackets and those of regular expressions.
const CLASSES: &[(&str, &str)] = &[
    ("[:ALPHA:]", "\\p{Alphabetic}"),
    ("[:UPPER:]", "\\p{Uppercase}"),
    ("[:LOWER:]", "\\p{Lowercase}"),
    ("[:DIGIT:]", "0-9"),
    ("[:SPACE:]", " "),
    ("[:WHITESPACE:]", "\\s"),
    ("[:ALNUM:]", "\\p{Alphabetic}0-9"),
];

/// Translates an SQL regular expression to one that must match the whole string.
fn similar_regex(pattern: &str, escape: Option<char>) -> String {
    let mut result = String::from("(?s)^(?:");
    let mut in_class = false;
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let named = CLASSES.iter().find(|(name, _)| {
            in_class && rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        });
        if let Some((name, class)) = named {
            result.push_str(class);
            rest = &rest[name.len()..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            c if Some(c) == escape => {
                if let Some(escaped) = rest.chars().next() {
                    push_literal(escaped, &mut result);
                    rest = &rest[escaped.len_utf8()..];
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
            other => push_literal(other, &mut result),
        }
    }
    result.push_str(")$");
    result
}

fn push_literal(c: char, result: &mut String) {
    // Inside brackets `&&`, `--` and `~~` are set operations.
    if matches!(c, '&' | '-' | '~') {
        result.push('\\');
        result.push(c);
        return;
    }
    result.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

static LETTERS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{L}+$").ok());
static DIGITS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{Nd}+$").ok());

/// Tells whether `s` is not empty and all letters of any script.
pub(crate) fn is_alpha(s: &str) -> bool {
    let ascii = !s.is_empty() && s.bytes().all(|byte| byte.is_ascii_alphabetic());
    ascii || LETTERS.as_ref().is_some_and(|letters| letters.is_match(s))
}

/// Tells whether `s` is not empty and all decimal digits of any script.
pub(crate) fn is_digits(s: &str) -> bool {
    let ascii = !s.is_empty() && s.bytes().all(|byte| byte.is_ascii_digit());
    ascii || DIGITS.as_ref().is_some_and(|digits| digits.is_match(s))
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
    fn replacements_take_groups_names_and_escapes() {
        for (pattern, by, s, expected) in [
            ("(a)(b)", "$2$1x", "ab", "bax"),
            ("(a)", "<$12>", "cat", "c<a2>t"),
            ("a", "\\$0\\\\", "a", "$0\\"),
            ("(?<x>a)|b", "[${x}]", "ab", "[a][]"),
            ("x*", "-", "axb", "-a--b-"),
            ("", "-", "é日", "-é-日-"),
        ] {
            let mut out = String::new();
            let replacement = Replacement::parse(by).expect("a replacement");
            replacement.replace_all(&regex(pattern).expect("a pattern"), s, &mut out).expect("known groups");
            assert_eq!(out, expected, "{pattern} by {by}");
        }
        for wrong in ["$", "$x", "a\\", "${x"] {
            assert!(Replacement::parse(wrong).is_err(), "{wrong}");
        }
        let replacement = Replacement::parse("$1").expect("a replacement");
        assert!(replacement.replace_all(&regex("a").expect("a pattern"), "a", &mut String::new()).is_err());
    }

    #[test]
    fn sql_patterns_match_whole_strings() {
        for (pattern, escape, s, expected) in [
            ("tag[0-9]+", None, "tag42", true),
            ("tag[0-9]+", None, "tag42x", false),
            ("a.c", None, "abc", false),
            ("a_c", None, "a\nc", true),
            ("%", None, "", true),
            ("(ab|cd){2}", None, "abcd", true),
            ("a!%", Some('!'), "a%", true),
            ("a!%", Some('!'), "ab", false),
            ("[!]]+", Some('!'), "]]", true),
            ("[[:ALPHA:]_]+", None, "ab_", true),
            ("[[:digit:]-]+", None, "1-2", true),
            ("[^a-c]", None, "d", true),
            ("[a&&b]+", None, "&a&", true),
            ("$^", None, "$^", true),
            ("_", None, "\u{1f600}", true),
        ] {
            let regex = similar_pattern(pattern, escape).expect("a pattern");
            assert_eq!(regex.is_match(s), expected, "{s} SIMILAR TO {pattern}");
        }
        for wrong in ["(", "[a", "*a", "a{2,1}"] {
            assert!(check_similar(wrong, None).is_err(), "{wrong}");
        }
    }

    #[test]
    fn letters_and_digits_are_those_of_every_script() {
        assert!(is_alpha("Äß日") && is_digits("٣4"));
        assert!(!is_alpha("Ⅷ") && !is_alpha("") && !is_digits("½") && !is_digits(""));
    }
}
