//! The scalar functions by name: what they accept, what they give, and the kernel behind each.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_expr::ScalarUDF;

/// What an argument must be, and what it is converted to before the kernel sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// A string.
    Text,
    /// Any integer; arrives as BIGINT.
    Integer,
    /// Exactly BIGINT (or a narrower integer literal); arrives as BIGINT.
    BigInt,
    /// Any number; arrives as DOUBLE.
    Double,
    /// Any number; keeps its type.
    Number,
    /// An integer or a string; integers arrive as BIGINT.
    IntegerOrText,
    /// A number or a string; keeps its type.
    NumberOrText,
    /// DATE, TIME or TIMESTAMP; keeps its type.
    Time,
    /// DATE or TIMESTAMP; keeps its type.
    Day,
    /// A string that is a regular expression.
    Regex,
    /// A string that is a date pattern.
    DatePattern,
}

impl Parameter {
    /// Returns the words for a message: "must be ...".
    pub fn wanted(self) -> &'static str {
        match self {
            Parameter::Text => "a STRING",
            Parameter::Integer => "an integer",
            Parameter::BigInt => "a BIGINT",
            Parameter::Double | Parameter::Number => "a number",
            Parameter::IntegerOrText => "an integer or a STRING",
            Parameter::NumberOrText => "a number or a STRING",
            Parameter::Time => "a DATE, TIME or TIMESTAMP",
            Parameter::Day => "a DATE or TIMESTAMP",
            Parameter::Regex => "a STRING with a regular expression",
            Parameter::DatePattern => "a STRING with a date pattern",
        }
    }

    /// Checks a literal argument beyond its type: what would fail in every row fails before there is one.
    pub fn check_literal(self, text: &str) -> Result<(), String> {
        match self {
            Parameter::Regex => crate::pattern::regex(text).map(|_| ()),
            Parameter::DatePattern => crate::date_pattern::DatePattern::parse(text).map(|_| ()),
            _ => Ok(()),
        }
    }
}

/// The chapter of the reference page that a function stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Arithmetic.
    Math,
    /// Strings.
    Text,
    /// Dates and times.
    Temporal,
}

/// What a kernel may depend on besides its arguments.
#[derive(Debug, Clone)]
pub struct Context {
    /// The time zone of the job.
    pub time_zone: String,
}

/// A function chosen for the types of its arguments.
#[derive(Debug, Clone)]
pub struct Call {
    /// The function.
    pub function: Arc<ScalarUDF>,
    /// The type of its result.
    pub returns: DataType,
}

/// A scalar function that a query may call by name.
#[derive(Debug)]
pub struct Function {
    /// Name in upper case.
    pub name: &'static str,
    /// Chapter.
    pub family: Family,
    /// How it is called, as shown to users.
    pub synopsis: &'static str,
    /// One sentence for the reference page.
    pub meaning: &'static str,
    /// What it accepts.
    pub parameters: &'static [Parameter],
    /// How many of the parameters may be left out at the end.
    pub optional: usize,
    /// Whether the last parameter may be repeated.
    pub variadic: bool,
    /// Chooses the kernel for the converted argument types.
    pub(crate) build: fn(&[DataType], &Context) -> Call,
}

impl Function {
    /// Returns the parameter that takes the argument at `index`.
    pub fn parameter(&self, index: usize) -> Option<Parameter> {
        let last = if self.variadic { self.parameters.last() } else { None };
        self.parameters.get(index).or(last).copied()
    }

    /// Returns the smallest and, unless it is unlimited, the greatest number of arguments.
    pub fn arity(&self) -> (usize, Option<usize>) {
        let all = self.parameters.len();
        (all - self.optional, (!self.variadic).then_some(all))
    }

    /// Chooses the kernel; the types are those that [`Parameter`] converts to.
    pub fn call(&self, types: &[DataType], context: &Context) -> Call {
        (self.build)(types, context)
    }
}

/// Returns all functions.
pub fn all() -> impl Iterator<Item = &'static Function> {
    let families =
        [crate::math::FUNCTIONS, crate::text::FUNCTIONS, crate::temporal::FUNCTIONS, crate::clock::FUNCTIONS];
    families.into_iter().flatten()
}

/// Returns a function by its name, compared without case.
pub fn find(name: &str) -> Option<&'static Function> {
    all().find(|function| function.name.eq_ignore_ascii_case(name))
}

impl Function {
    /// Describes a function all of whose parameters must be given.
    pub(crate) const fn new(
        family: Family,
        name: &'static str,
        synopsis: &'static str,
        meaning: &'static str,
        parameters: &'static [Parameter],
        build: fn(&[DataType], &Context) -> Call,
    ) -> Self {
        Self { name, family, synopsis, meaning, parameters, optional: 0, variadic: false, build }
    }

    /// Lets the last `count` parameters be left out.
    pub(crate) const fn optional(mut self, count: usize) -> Self {
        self.optional = count;
        self
    }

    /// Lets the last parameter be repeated.
    pub(crate) const fn variadic(mut self) -> Self {
        self.variadic = true;
        self
    }
}
