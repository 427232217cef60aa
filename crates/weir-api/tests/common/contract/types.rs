//! Types of the contract, written as texts, and whether a value is of one.
//!
//! A text is a kind and what limits it: `string max_length=64 required`, `array<integer/int64 min=1>|null`.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::Value;

use super::Contract;

/// A schema that has this member may have others too.
pub const OTHERS: &str = "*";

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    pub kind: Kind,
    /// Whether null is a value.
    pub null: bool,
    /// Whether the member is always there.
    pub required: bool,
    /// What else a value must be, by keyword.
    pub limits: BTreeMap<String, String>,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Any,
    Boolean,
    /// A text or a number, with its format.
    Plain(String, Option<String>),
    Enum(BTreeSet<String>),
    List(Box<Type>),
    Named(String),
}

impl Type {
    /// Reads a type.
    pub fn parse(text: &str) -> Self {
        let mut depth = 0_usize;
        let words = text.split(|letter| {
            depth = match letter {
                '<' => depth + 1,
                '>' => depth.saturating_sub(1),
                _ => depth,
            };
            letter == ' ' && depth == 0
        });
        let mut words = words.collect::<Vec<_>>().into_iter();
        let kind = words.next().unwrap_or_default();
        let (kind, null) = kind.strip_suffix("|null").map_or((kind, false), |kind| (kind, true));
        let mut read = Self { kind: Kind::parse(kind), null, required: false, limits: BTreeMap::new() };
        for word in words {
            match word.split_once('=') {
                Some((keyword, value)) => drop(read.limits.insert(keyword.to_string(), value.to_string())),
                None => {
                    assert_eq!(word, "required", "in `{text}`");
                    read.required = true;
                }
            }
        }
        read
    }

    fn limit(&self, keyword: &str) -> Option<i128> {
        self.limits.get(keyword).map(|value| value.parse().unwrap())
    }
}

impl Kind {
    fn parse(text: &str) -> Self {
        let inside =
            |name: &str| text.strip_prefix(name)?.strip_suffix(if name.ends_with('<') { '>' } else { ')' });
        if let Some(of) = inside("array<") {
            return Self::List(Box::new(Type::parse(of)));
        }
        if let Some(values) = inside("enum(") {
            return Self::Enum(values.split(',').map(String::from).collect());
        }
        let (name, format) = text.split_once('/').map_or((text, None), |(name, format)| (name, Some(format)));
        match name {
            "any" => Self::Any,
            "boolean" => Self::Boolean,
            "string" | "integer" | "number" => Self::Plain(name.to_string(), format.map(String::from)),
            name => {
                assert!(name.starts_with(|letter: char| letter.is_ascii_uppercase()), "a type `{text}`");
                Self::Named(name.to_string())
            }
        }
    }
}

/// Who sent what is looked at: a client may leave optional members null and send others, which the service ignores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    Client,
    Service,
}

/// A look at values.
pub struct Look {
    pub sender: Sender,
    /// What is wrong with them.
    pub faults: Vec<String>,
    /// The members that were there and not null: schema and member.
    pub members: BTreeSet<(String, String)>,
    /// The values of enums: the name of the member and the value.
    pub choices: BTreeSet<(String, String)>,
}

impl Look {
    /// Begins a look.
    pub fn at(sender: Sender) -> Self {
        Self { sender, faults: Vec::new(), members: BTreeSet::new(), choices: BTreeSet::new() }
    }

    /// Looks at a value.
    pub fn value(&mut self, at: &str, expected: &Type, found: &Value) {
        if found.is_null() {
            let absent = self.sender == Sender::Client && !expected.required;
            if !expected.null && !absent && expected.kind != Kind::Any {
                self.faults.push(format!("{at} is null"));
            }
            return;
        }
        let fits = match (&expected.kind, found) {
            (Kind::Any, _) | (Kind::Boolean, Value::Bool(_)) => true,
            (Kind::Plain(name, _), Value::String(text)) if name == "string" => {
                self.text(at, expected, text);
                true
            }
            (Kind::Plain(name, format), Value::Number(number)) if name != "string" => {
                let integer = number.as_i64().map(i128::from);
                if let Some(integer) = integer {
                    self.integer(at, expected, integer);
                }
                let small = integer.is_some_and(|integer| i32::try_from(integer).is_ok());
                match (name.as_str(), format.as_deref()) {
                    ("integer", Some("int32")) => small,
                    ("integer", _) => integer.is_some(),
                    _ => true,
                }
            }
            (Kind::Enum(values), Value::String(text)) => {
                let named = |segment: &&str| segment.parse::<usize>().is_err();
                let member = at.rsplit('/').find(named).unwrap_or_default();
                self.choices.insert((member.to_string(), text.clone()));
                values.contains(text)
            }
            (Kind::List(of), Value::Array(items)) => {
                self.length(at, expected, items.len(), "items");
                for (index, item) in items.iter().enumerate() {
                    self.value(&format!("{at}/{index}"), of, item);
                }
                true
            }
            (Kind::Named(name), Value::Object(_)) => {
                self.object(at, name, found);
                true
            }
            _ => false,
        };
        if !fits {
            self.faults.push(format!("{at} is {found}, which is no {:?}", expected.kind));
        }
    }

    fn object(&mut self, at: &str, name: &str, found: &Value) {
        let members = Contract::get().schema(name);
        let object = found.as_object().unwrap();
        for (member, expected) in members.iter().filter(|(member, _)| *member != OTHERS) {
            let at = format!("{at}/{member}");
            match object.get(member) {
                None if expected.required => self.faults.push(format!("{at} is missing")),
                None => {}
                Some(value) => {
                    if !value.is_null() {
                        self.members.insert((name.to_string(), member.clone()));
                    }
                    self.value(&at, expected, value);
                }
            }
        }
        let unknown = object.keys().filter(|member| !members.contains_key(*member));
        if self.sender == Sender::Service && !members.contains_key(OTHERS) {
            self.faults
                .extend(unknown.map(|member| format!("{at}/{member} is not in the contract ({name})")));
        }
    }

    fn text(&mut self, at: &str, expected: &Type, found: &str) {
        self.length(at, expected, found.len(), "length");
        if let Some(pattern) = expected.limits.get("pattern")
            && !Regex::new(pattern).unwrap().is_match(found)
        {
            self.faults.push(format!("{at} is `{found}`, which is not like {pattern}"));
        }
    }

    fn length(&mut self, at: &str, expected: &Type, found: usize, of: &str) {
        let found = i128::try_from(found).unwrap();
        let least = expected.limit(&format!("min_{of}")).unwrap_or(0);
        let most = expected.limit(&format!("max_{of}")).unwrap_or(i128::MAX);
        if !(least..=most).contains(&found) {
            self.faults.push(format!("{at}: {of} {found} is not from {least} to {most}"));
        }
    }

    fn integer(&mut self, at: &str, expected: &Type, found: i128) {
        let above = expected.limit("above").map(|above| above + 1);
        let least = expected.limit("min").or(above).unwrap_or(i128::MIN);
        let most = expected.limit("max").unwrap_or(i128::MAX);
        if !(least..=most).contains(&found) {
            self.faults.push(format!("{at} is {found}, which is not from {least} to {most}"));
        }
    }

    /// Looks at a parameter of a URL or a part of a form, which is a text whatever its type.
    pub fn written(&mut self, at: &str, expected: &Type, found: &str) {
        let value = match &expected.kind {
            Kind::Boolean => found.to_ascii_lowercase().parse().map(Value::Bool).ok(),
            Kind::Plain(name, _) if name != "string" => serde_json::from_str(found).ok(),
            _ => None,
        };
        self.value(at, expected, &value.unwrap_or_else(|| Value::String(found.to_string())));
    }
}
