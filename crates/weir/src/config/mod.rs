//! The configuration of the service: one table of options, four places they may come from.

mod elsewhere;
mod options;
mod resolve;
mod settings;
mod values;

pub use elsewhere::{AlarmsSetting, ObjectsSetting};
pub use options::OPTIONS;
pub use resolve::{arguments, resolve};
pub use settings::{NamespacesSetting, Settings};
