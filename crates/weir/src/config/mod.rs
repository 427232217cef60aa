//! The configuration of the service: one table of options, four places they may come from.

mod options;
mod resolve;
mod settings;

pub use options::OPTIONS;
pub use resolve::{arguments, resolve};
pub use settings::{AlarmsSetting, NamespacesSetting, ObjectsSetting, Settings};
