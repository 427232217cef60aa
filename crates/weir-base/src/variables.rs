//! Global variables: values that the text of a job names as `{{name}}`, mostly to keep keys out of it.
//!
//! [`Variables`] holds values and never shows them. [`Redactor`] takes them out of what is told to people, whoever
//! wrote the sentence: a checker that quotes an option, a driver that quotes an address, a log line.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Longest name in characters.
pub const VARIABLE_NAME_LENGTH: usize = 64;

/// Shorter values are looked for in back quotes alone, where they stand for themselves, and shorter parts of values not
/// at all: one or two characters are everywhere, and no secret.
const SHORTEST_SECRET: usize = 3;

/// Returns whether a text can be the name of a variable: letters, digits, `_`, `-` and `.`.
pub fn is_variable_name(text: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    !text.is_empty() && text.chars().count() <= VARIABLE_NAME_LENGTH && text.chars().all(is_name)
}

/// Values of global variables by name. `Debug` shows the names alone, and there is no `Display`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Returns the value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Sets a variable. Returns whether it had a value before.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) -> bool {
        self.0.insert(name.into(), value.into()).is_some()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns names and values in order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl<N: Into<String>, V: Into<String>, const COUNT: usize> From<[(N, V); COUNT]> for Variables {
    fn from(variables: [(N, V); COUNT]) -> Self {
        variables.into_iter().collect()
    }
}

/// Puts `{{name}}` in the place of values of variables. Cheap to clone.
#[derive(Clone, Default)]
pub struct Redactor(Option<Arc<Secrets>>);

struct Secrets {
    hidden: Vec<Hidden>,
    /// Values of options with variables in them, in lower case, and how they are written in the text.
    options: Vec<(String, String)>,
    /// The text of the job in lower case: what stands there is no secret to its readers.
    visible: String,
}

struct Hidden {
    /// `{{name}}`.
    shown: String,
    /// The value in lower case.
    value: String,
    /// How the value may be written in a sentence, a log line or a URL; empty when it is too short for that.
    spellings: Vec<String>,
}

impl Redactor {
    /// Makes a redactor of some variables for what is said about a job with this text.
    pub fn new(variables: &Variables, text: &str) -> Self {
        Self::with_options(variables, text, Vec::new())
    }

    /// Makes a redactor that also knows the values of options with variables in them, and how they are written: a
    /// message may quote a part that begins before a variable and ends in it.
    pub fn with_options(variables: &Variables, text: &str, options: Vec<(String, String)>) -> Self {
        let is_secret = |value: &str| !value.is_empty() && !text.contains(value);
        let mut hidden: Vec<Hidden> = variables
            .iter()
            .filter(|(_, value)| is_secret(value))
            .map(|(name, value)| Hidden {
                shown: format!("{{{{{name}}}}}"),
                value: value.to_lowercase(),
                spellings: spellings(value),
            })
            .collect();
        // A value may hold another one.
        hidden.sort_by_key(|one| std::cmp::Reverse(one.value.len()));
        let options = options.into_iter().map(|(value, written)| (value.to_lowercase(), written)).collect();
        let secrets = Secrets { hidden, options, visible: text.to_lowercase() };
        Self((!secrets.hidden.is_empty()).then(|| Arc::new(secrets)))
    }

    /// Returns the text without the values. A name in back quotes goes too when it is a part of a value, unless the
    /// text of the job has it.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let Some(secrets) = &self.0 else { return Cow::Borrowed(text) };
        let mut redacted = Cow::Borrowed(text);
        for hidden in &secrets.hidden {
            for spelling in &hidden.spellings {
                if redacted.contains(spelling.as_str()) {
                    redacted = Cow::Owned(redacted.replace(spelling.as_str(), &hidden.shown));
                }
            }
        }
        secrets.redact_quotes(redacted)
    }
}

impl Secrets {
    fn redact_quotes<'a>(&self, text: Cow<'a, str>) -> Cow<'a, str> {
        let parts: Vec<&str> = text.split('`').collect();
        let mut replaced: Vec<(usize, &str)> = Vec::new();
        // The last part has no quote behind it, and what stands before the first none before it.
        let last = parts.len() - 1;
        for (at, part) in parts.iter().enumerate().take(last).skip(1).step_by(2) {
            let quoted = part.trim().to_lowercase();
            if quoted.is_empty() || self.visible.contains(&quoted) {
                continue;
            }
            replaced.extend(self.shown(&quoted).map(|shown| (at, shown)));
        }
        if replaced.is_empty() {
            return text;
        }
        let mut parts = parts;
        for (at, shown) in replaced {
            parts[at] = shown;
        }
        Cow::Owned(parts.join("`"))
    }
}

impl Secrets {
    /// Returns what is shown in the place of a quoted text in lower case, when that is a value or a part of one.
    fn shown(&self, quoted: &str) -> Option<&str> {
        let is_part = quoted.chars().count() >= SHORTEST_SECRET;
        let is_of = |value: &str| value == quoted || (is_part && value.contains(quoted));
        let hidden = self.hidden.iter().find(|hidden| is_of(&hidden.value)).map(|hidden| &hidden.shown);
        let written = || self.options.iter().find(|(value, _)| is_of(value)).map(|(_, written)| written);
        hidden.or_else(written).map(String::as_str)
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = self.0.as_ref().map_or(0, |secrets| secrets.hidden.len());
        f.debug_struct("Redactor").field("hidden", &hidden).finish()
    }
}

/// Returns how a value is written as it is, inside quotes of Rust, JSON or SQL, in lower case, and in a URL; longest first.
fn spellings(value: &str) -> Vec<String> {
    if value.chars().count() < SHORTEST_SECRET {
        return Vec::new();
    }
    let json = serde_json::Value::from(value).to_string();
    let mut spellings = vec![
        value.to_string(),
        value.escape_debug().to_string(),
        json[1..json.len() - 1].to_string(),
        value.to_lowercase(),
        value.replace('\'', "''"),
        percent_encoded(value),
    ];
    spellings.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    spellings.dedup();
    spellings
}

fn percent_encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                text.push(char::from(byte))
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_letters_digits_and_three_signs() {
        for name in ["a", "db.password", "key-1", "_x", "ключ", "1"] {
            assert!(is_variable_name(name), "{name}");
        }
        for text in ["", "a b", "a{", "\"a\"", "a:b", &"n".repeat(65)] {
            assert!(!is_variable_name(text), "{text}");
        }
    }

    #[test]
    fn debug_shows_names_alone() {
        let variables = Variables::from([("key", "hunter2")]);
        assert_eq!(format!("{variables:?}"), "{\"key\"}");
        assert_eq!(format!("{:?}", Redactor::new(&variables, "")), "Redactor { hidden: 1 }");
    }

    #[test]
    fn values_are_replaced_however_they_are_spelled() {
        let redactor = Redactor::new(&Variables::from([("key", "Hunter\"2\\")]), "password='{{key}}'");
        for (text, redacted) in [
            ("said Hunter\"2\\.", "said {{key}}."),
            ("said hunter\"2\\.", "said {{key}}."),
            (r#"{"error":"said Hunter\"2\\"}"#, r#"{"error":"said {{key}}"}"#),
            ("redis://:Hunter%222%5C@host", "redis://:{{key}}@host"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(redactor.redact(text), redacted);
        }
    }

    #[test]
    fn parts_of_values_are_replaced_in_back_quotes() {
        let text = "CREATE TABLE users (id INT) WITH (db_url='{{url}}')";
        let redactor = Redactor::new(&Variables::from([("url", "mysql://10.1.2.3:99999/users")]), text);
        assert_eq!(
            redactor.redact("table `users`: `99999` is no port, `10.1.2.3` a host, `3306` the default"),
            "table `users`: `{{url}}` is no port, `{{url}}` a host, `3306` the default",
            "the name of the table stands in the text"
        );
    }

    #[test]
    fn a_part_that_begins_before_a_variable_is_replaced_by_the_option() {
        let text = "json_config='a=b[{{path}}'";
        let options = vec![("a=b[planted;x=1".to_string(), "a=b[{{path}}".to_string())];
        let redactor = Redactor::with_options(&Variables::from([("path", "planted;x=1")]), text, options);
        assert_eq!(
            redactor
                .redact("path `b[planted` has a bracket out of place; keys are joined by `.`, `;` ends them"),
            "path `a=b[{{path}}` has a bracket out of place; keys are joined by `.`, `;` ends them"
        );
        assert_eq!(redactor.redact("`b[` and `a=b`"), "`b[` and `a=b`", "they stand in the text");
    }

    #[test]
    fn short_values_are_replaced_only_where_they_stand_for_themselves() {
        let redactor = Redactor::new(&Variables::from([("n", "0x")]), "partition_count='{{n}}'");
        assert_eq!(redactor.redact("`0x` is no number, 0x"), "`{{n}}` is no number, 0x");
    }

    #[test]
    fn what_the_text_of_the_job_shows_is_no_secret() {
        let variables = Variables::from([("e", "json"), ("none", "")]);
        let redactor = Redactor::new(&variables, "encode='json', channel='{{e}}'");
        assert_eq!(redactor.redact("no `json` in json"), "no `json` in json");
    }

    #[test]
    fn of_two_values_the_longer_one_is_replaced_first() {
        let redactor = Redactor::new(&Variables::from([("a", "abc"), ("b", "abcdef")]), "");
        assert_eq!(redactor.redact("abcdef abc"), "{{b}} {{a}}");
    }
}
