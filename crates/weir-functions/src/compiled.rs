//! Keeps what patterns compile to, so that a literal is compiled once and not once a batch.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion_common::{Result, exec_datafusion_err};

/// How many different patterns one call keeps. Patterns are nearly always literals; of those that come
/// from a column some repeat.
const KEPT: usize = 64;

/// Compiles a pattern, or says what is wrong with it.
type Compile<T> = dyn Fn(&str) -> Result<T, String> + Send + Sync;

/// The patterns of one call of a function, shared by the subtasks of a job.
pub(crate) struct Compiled<T> {
    compile: Box<Compile<T>>,
    known: Mutex<HashMap<String, Arc<T>>>,
}

impl<T> Compiled<T> {
    /// Makes an empty collection.
    pub(crate) fn new(compile: impl Fn(&str) -> Result<T, String> + Send + Sync + 'static) -> Self {
        Self { compile: Box::new(compile), known: Mutex::default() }
    }

    /// Returns what serves the rows of one batch.
    pub(crate) fn batch(&self) -> Batch<'_, T> {
        Batch { all: self, last: None }
    }

    fn get(&self, pattern: &str) -> Result<Arc<T>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(compiled) = known.get(pattern) {
            return Ok(Arc::clone(compiled));
        }
        let compiled = Arc::new((self.compile)(pattern).map_err(|text| exec_datafusion_err!("{text}"))?);
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(pattern.to_string(), Arc::clone(&compiled));
        Ok(compiled)
    }
}

/// The patterns as the rows of one batch use them: the lock is taken only when the pattern changes.
pub(crate) struct Batch<'a, T> {
    all: &'a Compiled<T>,
    last: Option<(String, Arc<T>)>,
}

impl<T> Batch<'_, T> {
    /// Returns what a pattern compiles to.
    pub(crate) fn get(&mut self, pattern: &str) -> Result<Arc<T>> {
        match &self.last {
            Some((last, compiled)) if last == pattern => Ok(Arc::clone(compiled)),
            _ => {
                let compiled = self.all.get(pattern)?;
                self.last = Some((pattern.to_string(), Arc::clone(&compiled)));
                Ok(compiled)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_pattern_is_compiled_once_for_all_batches() {
        static COMPILED: AtomicUsize = AtomicUsize::new(0);
        let patterns = Compiled::new(|pattern: &str| {
            COMPILED.fetch_add(1, Ordering::SeqCst);
            Ok(pattern.len())
        });
        for _ in 0..3 {
            let mut batch = patterns.batch();
            for _ in 0..3 {
                assert_eq!(*batch.get("abc").expect("it compiles"), 3);
            }
        }
        assert_eq!(COMPILED.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn the_number_of_kept_patterns_is_bounded() {
        let patterns = Compiled::new(|pattern: &str| Ok(pattern.len()));
        for n in 0..1000 {
            patterns.batch().get(&n.to_string()).expect("it compiles");
        }
        assert!(patterns.known.lock().expect("not poisoned").len() <= KEPT);
    }
}
