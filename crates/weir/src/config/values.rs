//! Reads the values of options as types, within their bounds.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};

use super::resolve::{Origin, Resolved};

/// The values of all options.
pub struct Values<'a>(pub &'a [Resolved]);

impl Values<'_> {
    fn resolved(&self, name: &str) -> anyhow::Result<&Resolved> {
        self.0
            .iter()
            .find(|resolved| resolved.option.name == name)
            .with_context(|| format!("no option `{name}`"))
    }

    /// Returns a text.
    pub fn string(&self, name: &str) -> anyhow::Result<String> {
        Ok(self.resolved(name)?.value.trim().to_string())
    }

    /// Returns what a value is read as.
    pub fn parse<T: FromStr>(&self, name: &str, expected: &str) -> anyhow::Result<T> {
        match self.resolved(name)?.value.trim().parse() {
            Ok(value) => Ok(value),
            Err(_) => self.refuse(name, &format!("be {expected}")),
        }
    }

    /// Returns a number that is not below another one.
    pub fn at_least<T>(&self, name: &str, what: &str, least: T) -> anyhow::Result<T>
    where
        T: FromStr + PartialOrd + Display,
    {
        let expected = format!("{what}, {least} or more");
        let number: T = self.parse(name, &expected)?;
        if number < least { self.refuse(name, &format!("be {expected}")) } else { Ok(number) }
    }

    /// Returns a number of seconds, which may have a fraction.
    pub fn seconds(&self, name: &str) -> anyhow::Result<Duration> {
        let seconds: f64 = self.parse(name, "a number of seconds")?;
        match Duration::try_from_secs_f64(seconds) {
            Ok(duration) => Ok(duration),
            Err(_) => self.refuse(name, "be a number of seconds, 0 or more"),
        }
    }

    /// Returns the address of a service over HTTP; an empty one is none.
    pub fn url(&self, name: &str) -> anyhow::Result<Option<String>> {
        let text = self.string(name)?;
        if text.is_empty() {
            return Ok(None);
        }
        let url = reqwest::Url::parse(&text);
        match url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            true => Ok(Some(text)),
            false => self.refuse(name, "begin with http:// or https:// and have a host"),
        }
    }

    /// Refuses options that were given without the one that they belong to: they would have no effect.
    pub fn none_without(&self, needed: &str, names: &[&str]) -> anyhow::Result<()> {
        for name in names {
            let resolved = self.resolved(name)?;
            if resolved.origin != Origin::Default && !resolved.value.trim().is_empty() {
                bail!("`{name}` needs `{needed}`");
            }
        }
        Ok(())
    }

    /// Says what a value must do that it does not.
    pub fn refuse<T>(&self, name: &str, must: &str) -> anyhow::Result<T> {
        let resolved = self.resolved(name)?;
        bail!("`{name}` is `{}` ({}), but must {must}", resolved.shown(), resolved.origin)
    }
}
