//! What a connector says of itself: its roles, its options and their meaning.
//!
//! The checker's messages and the reference page of connectors are made from these values.

/// The part a stream plays in a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// `CREATE SOURCE STREAM`.
    Source,
    /// `CREATE SINK STREAM`.
    Sink,
    /// `CREATE TABLE`: a dimension table.
    Table,
}

/// Whether an option must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Always.
    Mandatory,
    /// Never; the text is the default as shown to users, empty when there is none.
    Optional(&'static str),
    /// Only when option `encode` has one of these values.
    WithEncode(&'static [&'static str]),
}

/// One option of a `WITH` clause.
#[derive(Debug)]
pub struct OptionSpec {
    /// Canonical name, such as `field_delimiter`. Comparison ignores case and underscores.
    pub name: &'static str,
    /// Whether it must be given.
    pub need: Need,
    /// The only values allowed, or empty when any text is.
    pub values: &'static [&'static str],
    /// One sentence for the reference page.
    pub meaning: &'static str,
}

/// A check over all options of a stream. Gets a look-up from canonical name to value; the error is the complaint.
pub type OptionRule = fn(&dyn Fn(&str) -> Option<String>) -> Result<(), String>;

/// A column of a stream or table as the rule of its connector sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeclaredColumn<'a> {
    /// Its name as declared.
    pub name: &'a str,
    /// Its type in the words of the language, such as `STRING` or `DECIMAL(10, 2)`.
    pub type_name: &'a str,
}

/// By which columns rows of a table are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableKeys {
    /// By any.
    Any,
    /// By exactly these, all of them.
    Exactly(Vec<usize>),
}

/// What is wrong with the columns of a stream or table, or with an option that names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnsFault {
    /// Where.
    pub at: ColumnsPlace,
    /// The complaint.
    pub message: String,
}

/// A part of a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnsPlace {
    /// The declaration as a whole.
    Whole,
    /// The column of this index.
    Column(usize),
    /// The value of the option with this canonical name.
    Option(&'static str),
}

/// A check over columns and options together; gets the options like an [`OptionRule`]. What a source or sink returns
/// is [`TableKeys::Any`].
pub type ColumnsRule =
    fn(&[DeclaredColumn<'_>], &dyn Fn(&str) -> Option<String>) -> Result<TableKeys, ColumnsFault>;

/// The options of a connector in one role.
#[derive(Debug)]
pub struct RoleSpec {
    /// The role.
    pub role: Role,
    /// The options it reads.
    pub options: &'static [OptionSpec],
    /// Options it accepts with a warning and does not use.
    pub ignored: &'static [&'static str],
    /// For rules such as "one of the two". A complaint that begins with ``option `name`: `` is placed there.
    pub rule: Option<OptionRule>,
    /// What it asks of the columns. Without a rule any columns will do, and any are keys of a table.
    pub columns: Option<ColumnsRule>,
}

/// A connector type.
#[derive(Debug)]
pub struct ConnectorSpec {
    /// The value of option `type`.
    pub name: &'static str,
    /// One sentence for the reference page.
    pub summary: &'static str,
    /// What it can be used as.
    pub roles: &'static [RoleSpec],
    /// Whether jobs of the shared cluster may use it; otherwise CS.13016 (CS.13014 for Kafka).
    pub shared_cluster: bool,
}

impl ConnectorSpec {
    /// Returns the options of a role, or `None` when the connector cannot play it.
    pub fn role(&self, role: Role) -> Option<&RoleSpec> {
        self.roles.iter().find(|spec| spec.role == role)
    }
}

/// The connectors that the checker knows.
#[derive(Debug, Clone, Copy)]
pub struct ConnectorCatalog(pub &'static [&'static ConnectorSpec]);

impl ConnectorCatalog {
    /// Returns a connector by its type, compared without case.
    pub fn find(&self, name: &str) -> Option<&'static ConnectorSpec> {
        self.0.iter().copied().find(|spec| spec.name.eq_ignore_ascii_case(name))
    }
}

/// Returns an option name in the form in which names are compared: lower case, no underscores.
pub fn option_key(name: &str) -> String {
    name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect()
}
