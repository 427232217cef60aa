//! Lists of the CS API, which come in pages.

use clap::{Arg, ArgAction, ArgMatches, value_parser};
use serde_json::Value;

use super::access::text;
use super::session::Session;
use crate::commands::Failure;

/// A list of the CS API.
pub struct List<'a> {
    /// Its path.
    pub path: &'a str,
    /// The member with the records.
    pub member: &'static str,
    /// The member of a record that the cursor means.
    pub id: &'static str,
    /// What the records are, for people.
    pub what: &'static str,
}

/// Returns the arguments by which a page is chosen.
pub fn arguments() -> [Arg; 4] {
    [
        Arg::new("order")
            .long("order")
            .value_name("ORDER")
            .value_parser(["desc", "asc"])
            .help("The newest or the oldest first"),
        Arg::new("limit")
            .long("limit")
            .value_name("NUMBER")
            .value_parser(value_parser!(i64).range(1..=100))
            .help("How many to show, at most 100"),
        Arg::new("cursor").long("cursor").value_name("ID").help("The page behind the one with this id"),
        Arg::new("all")
            .long("all")
            .action(ArgAction::SetTrue)
            .conflicts_with_all(["limit", "cursor"])
            .help("All pages"),
    ]
}

impl List<'_> {
    /// Reads the page that was asked for, or all. Says on standard error when there is more.
    pub async fn read(
        &self,
        session: &Session,
        matches: &ArgMatches,
        mut query: Vec<(&str, String)>,
    ) -> Result<Value, Failure> {
        query.extend(text(matches, "order").map(|order| ("order", order.to_string())));
        if matches.get_flag("all") {
            return session.ask(session.client.all_pages(self.path, &query, self.member, self.id)).await;
        }
        query.extend(matches.get_one::<i64>("limit").map(|limit| ("limit", limit.to_string())));
        query.extend(text(matches, "cursor").map(|cursor| ("cursor", cursor.to_string())));
        let payload = session.ask(session.client.payload(self.path, &query)).await?;
        let shown = payload[self.member].as_array().map_or(0, Vec::len);
        // What is watched or read by a program is not commented.
        let is_commented = !session.is_json() && !matches!(matches.try_contains_id("watch"), Ok(true));
        if is_commented && shown > 0 && payload["total"].as_u64() != Some(shown as u64) {
            let (total, last) = (&payload["total"], &payload[self.member][shown.saturating_sub(1)][self.id]);
            let last = last.as_str().map_or_else(|| last.to_string(), str::to_string);
            eprintln!(
                "{shown} of {total} {}; --cursor {last} shows those behind, --all all of them",
                self.what
            );
        }
        Ok(payload)
    }
}
