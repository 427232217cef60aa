//! `json_config` and `xml_config`: which path belongs to which column.

use arrow::datatypes::Schema;

use crate::options::FormatError;

/// Reads `column=path;...`. Returns for each column its path, or `None` when it is not listed.
pub(crate) fn listed_paths<P: Clone>(
    schema: &Schema,
    option: &'static str,
    config: &str,
    parse: impl Fn(&str) -> Result<P, FormatError>,
) -> Result<Vec<Option<P>>, FormatError> {
    let mut paths: Vec<Option<P>> = vec![None; schema.fields().len()];
    for pair in config.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let Some((name, path)) = pair.split_once('=') else {
            return Err(FormatError::option(option, format!("`{pair}` is not a pair"))
                .hint("write column=path, pairs separated by `;`"));
        };
        let name = name.trim();
        let Some(column) = column_index(schema, name) else {
            let columns: Vec<_> = schema.fields().iter().map(|field| format!("`{}`", field.name())).collect();
            return Err(FormatError::option(option, format!("the stream has no column `{name}`"))
                .hint(format!("its columns are {}", columns.join(", "))));
        };
        if paths[column].is_some() {
            return Err(FormatError::option(option, format!("column `{name}` is listed twice")));
        }
        paths[column] = Some(parse(path.trim())?);
    }
    Ok(paths)
}

fn column_index(schema: &Schema, name: &str) -> Option<usize> {
    let fields = schema.fields();
    let exact = fields.iter().position(|field| field.name() == name);
    exact.or_else(|| fields.iter().position(|field| field.name().to_lowercase() == name.to_lowercase()))
}
