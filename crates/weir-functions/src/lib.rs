//! SQL functions as vectorised Arrow kernels, one file per family.
//!
//! [`find`] looks a function up by its name in a query. [`conversion`], [`collection`],
//! [`temporal`] and [`interval`] also hold the kernels behind syntax that is not a call: `CAST`, subscripts, `EXTRACT`.

pub mod clock;
pub mod collection;
pub mod comparison;
mod compiled;
pub mod conversion;
mod date_pattern;
mod digest;
mod forms;
pub mod interval;
mod json;
mod kernel;
pub mod math;
pub mod pattern;
mod random;
pub mod reference;
mod registry;
pub mod rounding;
mod slicing;
pub mod temporal;
pub mod text;
pub mod window;

pub use kernel::{begun, variant_of};
pub use registry::{Call, Context, Family, Function, Parameter, all, find};
