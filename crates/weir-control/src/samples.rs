//! Sample jobs to begin with. They are files in the folder `samples`, each with its test, and belong to nobody.

/// A sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// Its name, which could be that of a template.
    pub name: &'static str,
    /// Its text, whose first line is a comment that says what it does.
    pub sql: &'static str,
}

const fn sample(name: &'static str, sql: &'static str) -> Sample {
    Sample { name, sql }
}

/// Every sample, by name.
pub const SAMPLES: &[Sample] = &[
    sample("cdc_changelog", include_str!("../../../samples/cdc_changelog.sql")),
    sample("csv_to_json", include_str!("../../../samples/csv_to_json.sql")),
    sample("deduplicate", include_str!("../../../samples/deduplicate.sql")),
    sample("dirty_data", include_str!("../../../samples/dirty_data.sql")),
    sample("etl_filter", include_str!("../../../samples/etl_filter.sql")),
    sample("failed_logins", include_str!("../../../samples/failed_logins.sql")),
    sample("hop_average", include_str!("../../../samples/hop_average.sql")),
    sample("hourly_totals", include_str!("../../../samples/hourly_totals.sql")),
    sample("interval_join", include_str!("../../../samples/interval_join.sql")),
    sample("iot_alarms", include_str!("../../../samples/iot_alarms.sql")),
    sample("json_flatten", include_str!("../../../samples/json_flatten.sql")),
    sample("live_totals", include_str!("../../../samples/live_totals.sql")),
    sample("lookup_join", include_str!("../../../samples/lookup_join.sql")),
    sample("new_highs", include_str!("../../../samples/new_highs.sql")),
    sample("price_dip", include_str!("../../../samples/price_dip.sql")),
    sample("redis_lookup", include_str!("../../../samples/redis_lookup.sql")),
    sample("sessions", include_str!("../../../samples/sessions.sql")),
    sample("spending_limit", include_str!("../../../samples/spending_limit.sql")),
    sample("unique_visitors", include_str!("../../../samples/unique_visitors.sql")),
];

impl Sample {
    /// Returns what it does, in a sentence.
    pub fn desc(&self) -> &'static str {
        let first = self.sql.lines().next().unwrap_or_default();
        first.trim_start_matches("--").trim()
    }
}
