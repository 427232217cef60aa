//! The options of the cache, the same for every table that has one.

use std::sync::Arc;
use std::time::Duration;

use weir_base::connector::{Need, OptionSpec};
use weir_engine::error::ConnectorError;
use weir_engine::lookup::SharedLookup;

use super::{CacheOptions, CachedLookup};
use crate::catalog::text;
use crate::environment::Environment;
use crate::options::StreamOptions;

const DEFAULT_ENTRIES: u64 = 32_768;
const DEFAULT_MILLISECONDS: u64 = 10_000;
/// Beyond this, answers would take gigabytes.
const MOST_ENTRIES: u64 = 10_000_000;

/// The option `cache_max_num`.
pub(crate) const CACHE_MAX_NUM: OptionSpec = text(
    "cache_max_num",
    Need::Optional("32768"),
    "The most look-ups whose answers are kept, those without rows included; `0` turns the cache off.",
);
/// The option `cache_time`.
pub(crate) const CACHE_TIME: OptionSpec = text(
    "cache_time",
    Need::Optional("10000"),
    "How long an answer is kept, in milliseconds; `0` turns the cache off.",
);

/// Reads the options of the cache.
pub(crate) fn cache_options(options: &StreamOptions<'_>) -> Result<CacheOptions, ConnectorError> {
    let entries = options.number::<u64>("cache_max_num")?.unwrap_or(DEFAULT_ENTRIES);
    if entries > MOST_ENTRIES {
        return Err(options.error("cache_max_num", format!("must be at most {MOST_ENTRIES}")));
    }
    let time = options.number::<u64>("cache_time")?.unwrap_or(DEFAULT_MILLISECONDS);
    let entries = usize::try_from(entries).unwrap_or(usize::MAX);
    Ok(CacheOptions { entries, time_to_live: Duration::from_millis(time) })
}

/// Puts the cache in front of a table that its options ask for.
pub(crate) fn cached(
    table: SharedLookup,
    options: &StreamOptions<'_>,
    environment: &Environment,
) -> Result<SharedLookup, ConnectorError> {
    let cache = cache_options(options)?;
    Ok(match cache.is_off() {
        true => table,
        false => Arc::new(CachedLookup::new(table, cache, Arc::clone(&environment.clock))),
    })
}
