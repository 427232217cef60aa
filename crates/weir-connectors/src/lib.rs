//! Sources, sinks and lookup tables, one folder each, behind one contract.
//!
//! [`CATALOG`] tells the checker which options a connector has; [`source`] and [`sink`] make the
//! connectors of a checked stream; [`reference()`] writes the page about them.

mod blackhole;
mod catalog;
mod connect;
mod content;
mod datagen;
mod dis;
mod environment;
mod file;
mod generate;
mod nexmark;
mod obs;
mod options;
mod pace;
mod print;
mod reference;

pub use catalog::CATALOG;
pub use connect::{discard_staged, sink, source};
pub use environment::{Environment, FileAccess};
pub use print::{LogPrint, PrintTarget};
pub use reference::reference;
