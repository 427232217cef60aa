//! The query of a URL: names, values, and what is wrong with them.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use weir_base::error::{CsError, ErrorCode, codes};
use weir_control::{Order, Page};

/// Most records in a page.
const MOST_RECORDS: i64 = 100;

/// The parameters of a query; the last of several with one name counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(BTreeMap<String, String>);

impl Query {
    /// Parses the part of a URL after the question mark.
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Self(pairs.collect())
    }

    /// Returns a value.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns `true` or `false`.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, CsError> {
        match self.text(name) {
            None => Ok(default),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(text) => Err(wrong(name, text, "true or false")),
        }
    }

    /// Returns a number between 1 and `most`.
    pub fn number(&self, name: &str, most: i64) -> Result<Option<i64>, CsError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(number) if (1..=most).contains(&number) => Ok(Some(number)),
            _ if most == i64::MAX => Err(wrong(name, text, "a number of at least 1")),
            _ => Err(wrong(name, text, &format!("a number from 1 to {most}"))),
        }
    }

    /// Refuses a `limit` that is no number or below 1 with the code that a list has for it. One above the most is a wrong
    /// value like any other.
    pub fn check_limit(&self, code: ErrorCode) -> Result<(), CsError> {
        match self.text("limit") {
            Some(text) if !text.parse::<i64>().is_ok_and(|limit| limit >= 1) => Err(code
                .error()
                .because(format!("It is `{text}`, expected is a number from 1 to {MOST_RECORDS}."))),
            _ => Ok(()),
        }
    }

    /// Returns a number between two others.
    pub fn between(&self, name: &str, least: i64, most: i64) -> Result<Option<i64>, CsError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse::<i64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(wrong(name, text, &format!("a number from {least} to {most}"))),
        }
    }

    /// Returns one of the values that `parse` knows.
    pub fn choice<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Result<Option<T>, CsError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        parse(text).map(Some).ok_or_else(|| wrong(name, text, expected))
    }

    /// Returns which page of a list is asked for; the parameters are `cursor`, `next`, `limit` and `order`.
    pub fn page(&self, default_limit: i64) -> Result<Page, CsError> {
        let cursor = self.number("cursor", i64::MAX)?;
        let after_cursor = self.flag("next", true)?;
        let limit = self.number("limit", MOST_RECORDS)?.unwrap_or(default_limit);
        let order = self.choice("order", order, "desc or asc")?.unwrap_or_default();
        Ok(Page { cursor, after_cursor, limit: usize::try_from(limit).unwrap_or(1), order })
    }
}

pub(super) fn order(text: &str) -> Option<Order> {
    match text {
        "desc" => Some(Order::Descending),
        "asc" => Some(Order::Ascending),
        _ => None,
    }
}

fn wrong(name: &str, value: &str, expected: &str) -> CsError {
    codes::API_NOT_SUPPORTED
        .error()
        .because(format!("Query parameter {name} is `{value}`, expected is {expected}."))
}

fn decode(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded() {
        let query = Query::parse("name=a%20b+c&next=False&limit=5&x");
        assert_eq!(query.text("name"), Some("a b c"));
        assert_eq!(query.flag("next", true), Ok(false));
        assert_eq!(query.number("limit", 100), Ok(Some(5)));
        assert_eq!(query.text("x"), Some(""));
        assert_eq!(query.text("y"), None);
    }

    #[test]
    fn wrong_values_are_named() {
        let error = Query::parse("limit=101").number("limit", 100).unwrap_err();
        assert_eq!(error.code, codes::API_NOT_SUPPORTED);
        assert!(error.cause().contains("limit is `101`"), "{}", error.cause());
        assert!(Query::parse("next=").flag("next", true).is_err());
    }
}
