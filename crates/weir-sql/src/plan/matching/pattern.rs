//! The variables of a pattern.

use sqlparser::ast::{Ident, MatchRecognizePattern, MatchRecognizeSymbol, SymbolDefinition};

use crate::CheckError;
use crate::nodes::RowPattern;
use crate::plan::refuse::{Checked, Place, did_you_mean, hinted};
use crate::syntax::pattern::repetition;

/// A pattern and the names of its variables, as they are first written.
pub(super) struct Variables {
    pub(super) names: Vec<String>,
    /// How many of them are in the pattern.
    pub(super) in_pattern: usize,
    pub(super) pattern: RowPattern,
    /// Where each variable is first written.
    pub(super) places: Vec<Place>,
}

/// Finds a variable by its name.
fn find(names: &[String], name: &str) -> Option<usize> {
    names.iter().position(|known| known.eq_ignore_ascii_case(name))
}

impl Variables {
    /// Reads a pattern. Variables that are only defined follow those of the pattern.
    pub(super) fn of(
        pattern: &MatchRecognizePattern,
        definitions: &[SymbolDefinition],
        otherwise: Place,
    ) -> Checked<Self> {
        let pattern_of = RowPattern::Sequence(vec![]);
        let mut variables =
            Self { names: Vec::new(), in_pattern: 0, pattern: pattern_of, places: Vec::new() };
        variables.pattern = variables.read(pattern, otherwise)?;
        variables.in_pattern = variables.names.len();
        for definition in definitions {
            variables.number(&definition.symbol, otherwise);
        }
        Ok(variables)
    }

    fn read(&mut self, pattern: &MatchRecognizePattern, otherwise: Place) -> Checked<RowPattern> {
        if let Some(repeated) = repetition(pattern) {
            return Ok(RowPattern::Repeat {
                pattern: Box::new(self.read(repeated.pattern, otherwise)?),
                least: repeated.least,
                most: repeated.most,
                greedy: repeated.greedy,
            });
        }
        let mut list = |parts: &[MatchRecognizePattern]| {
            parts.iter().map(|part| self.read(part, otherwise)).collect::<Checked<Vec<_>>>()
        };
        Ok(match pattern {
            MatchRecognizePattern::Symbol(MatchRecognizeSymbol::Named(name)) => {
                RowPattern::Variable(self.number(name, otherwise))
            }
            MatchRecognizePattern::Concat(parts) => RowPattern::Sequence(list(parts)?),
            MatchRecognizePattern::Alternation(parts) => RowPattern::Alternatives(list(parts)?),
            MatchRecognizePattern::Group(inner) => self.read(inner, otherwise)?,
            other => return Err(otherwise.unavailable(&format!("`{other}` in a pattern"))),
        })
    }

    fn number(&mut self, name: &Ident, otherwise: Place) -> usize {
        find(&self.names, &name.value).unwrap_or_else(|| {
            self.names.push(name.value.clone());
            self.places.push(Place::of(name.span, otherwise));
            self.names.len() - 1
        })
    }
}

impl Variables {
    /// Finds a variable of the pattern that a clause names.
    pub(super) fn named(&self, name: &Ident, otherwise: Place) -> Checked<usize> {
        find(self.of_pattern(), &name.value).ok_or_else(|| self.unknown(name, otherwise))
    }

    /// Makes the refusal of a name that is no variable of the pattern.
    pub(super) fn unknown(&self, name: &Ident, otherwise: Place) -> CheckError {
        let names = self.of_pattern();
        let hint = did_you_mean(&name.value, names.iter().map(String::as_str)).unwrap_or_else(|| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("its variables are {}", names.join(", "))
        });
        let text = format!("variable `{}` is not in the pattern", name.value);
        hinted(Place::of(name.span, otherwise).refuse(text), Some(hint))
    }

    /// Returns the names of the variables in the pattern.
    fn of_pattern(&self) -> &[String] {
        &self.names[..self.in_pattern]
    }
}
