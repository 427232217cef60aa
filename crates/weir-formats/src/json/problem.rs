//! What makes a JSON record dirty.

use super::cursor::Cursor;

/// The values of one object that do not fit, each with the place of its key.
pub(crate) type Misfits = Vec<(usize, Problem)>;

/// Why a record is dirty. Boxed, because the way without problems is the one that must be fast.
#[derive(Debug)]
pub(crate) struct Problem(Box<Inner>);

#[derive(Debug)]
enum Inner {
    Syntax { message: &'static str, at: usize },
    Value { path: Vec<String>, message: String },
}

impl Problem {
    /// The text is not JSON.
    #[cold]
    pub fn syntax(message: &'static str, at: usize) -> Self {
        Self(Box::new(Inner::Syntax { message, at }))
    }

    /// The text is JSON, but a value does not fit its column.
    #[cold]
    pub fn value(message: String) -> Self {
        Self(Box::new(Inner::Value { path: Vec::new(), message }))
    }

    /// Says that the value belongs to this column, or to this field of a ROW.
    #[cold]
    pub fn within(mut self, name: &str) -> Self {
        if let Inner::Value { path, .. } = self.0.as_mut() {
            path.insert(0, name.to_string());
        }
        self
    }

    /// Moves the cursor behind the value at `start`, which does not fit its column. Only the last of equal
    /// keys counts, so the record is dirty only when no other value takes the place of this one.
    #[cold]
    pub fn behind_value(self, cursor: &mut Cursor<'_>, start: usize) -> Result<Self, Problem> {
        if matches!(*self.0, Inner::Syntax { .. }) {
            return Err(self);
        }
        cursor.position = start;
        cursor.skip_value()?;
        Ok(self)
    }

    /// Returns the reason for people.
    pub fn reason(self) -> String {
        match *self.0 {
            Inner::Syntax { message, at } => format!("not a JSON object: {message} at byte {at}"),
            Inner::Value { path, message } => format!("column `{}`: {message}", path.join(".")),
        }
    }
}
