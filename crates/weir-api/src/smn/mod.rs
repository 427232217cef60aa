//! The Simple Message Notification service, version 2: topics, subscriptions, publishing, templates.
//!
//! Every handler takes a [`call::Call`] (the request, admitted and with its body read) and returns an
//! [`answer::Answer`] or an [`error::SmnError`]; both become bodies in [`answer::render`], which adds the id of the request.

mod answer;
mod call;
mod changes;
mod error;
mod links;
mod publish;
mod routes;
mod subscriptions;
mod templates;
mod topics;

pub(crate) use answer::unknown;
pub(crate) use changes::CHANGES;
pub use routes::router;
