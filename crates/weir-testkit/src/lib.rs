//! Golden-job runner and helpers for tests.
