//! Sources, sinks and lookup tables, one folder each, behind one contract.
//!
//! [`CATALOG`] tells the checker which options a connector has; [`source`], [`sink`] and [`table`] make
//! the connectors of a checked job; [`reference()`] writes the page about them.

mod apig;
mod blackhole;
mod catalog;
mod connect;
mod content;
mod datagen;
mod dcs_redis;
mod dis;
mod environment;
mod file;
mod generate;
mod lookup;
mod network;
mod nexmark;
mod obs;
mod options;
mod pace;
mod print;
mod rds;
mod reference;
mod row_kinds;

pub use catalog::CATALOG;
pub use connect::{discard_staged, sink, source, table};
pub use environment::{Environment, FileAccess};
pub use lookup::{CacheOptions, CachedLookup};
pub use network::{NameService, Network};
pub use print::{LogPrint, PrintTarget};
pub use reference::reference;
