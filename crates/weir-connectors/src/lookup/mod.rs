//! What dimension tables share: the cache in front of them, its options, and the rule of a table's columns.

mod cache;
mod lru;
mod options;

pub use cache::{CacheOptions, CachedLookup};
pub(crate) use options::{CACHE_MAX_NUM, CACHE_TIME, cache_options, cached};
