//! `xml_config`: which elements are wanted, as a tree below the root.

use std::collections::HashMap;

use arrow::datatypes::Schema;

use super::grammar::is_name;
use crate::column_paths::listed_paths;
use crate::options::FormatError;

/// The root element of every document.
pub(super) const ROOT: usize = 0;

/// The wanted elements, the root first.
pub(super) struct Plan {
    elements: Vec<Element>,
}

/// One wanted element.
#[derive(Default)]
struct Element {
    name: String,
    /// The columns that read its text.
    columns: Vec<usize>,
    children: HashMap<Vec<u8>, usize>,
    /// The document in which it was last met.
    seen: u64,
}

impl Plan {
    /// Makes the plan of a stream. A column that is not listed is the element of its name below the root.
    pub fn new(schema: &Schema, xml_config: Option<&str>) -> Result<Self, FormatError> {
        let paths = listed_paths(schema, "xml_config", xml_config.unwrap_or_default(), parse_path)?;
        let mut plan = Self { elements: vec![Element::default()] };
        for (column, path) in paths.into_iter().enumerate() {
            let path = path.unwrap_or_else(|| vec![schema.field(column).name().clone()]);
            let element = path.iter().fold(ROOT, |parent, name| plan.child(parent, name));
            plan.elements[element].columns.push(column);
        }
        for element in &plan.elements {
            if let Some(column) = element.columns.first()
                && !element.children.is_empty()
            {
                let column = schema.field(*column).name();
                let message = format!(
                    "column `{column}` reads element `{}`, in which others look for elements",
                    element.name
                );
                return Err(FormatError::option("xml_config", message)
                    .hint("expected paths that end at elements with text"));
            }
        }
        Ok(plan)
    }

    fn child(&mut self, parent: usize, name: &str) -> usize {
        let next = self.elements.len();
        let child = *self.elements[parent].children.entry(name.as_bytes().to_vec()).or_insert(next);
        if child == next {
            self.elements.push(Element { name: name.to_string(), ..Element::default() });
        }
        child
    }

    /// Returns the wanted element of a name. Of equal ones in a parent the first counts, so that all
    /// columns below it come from one element.
    pub fn enter(&mut self, parent: usize, name: &[u8], document: u64) -> Option<usize> {
        let child = *self.elements[parent].children.get(name)?;
        let element = &mut self.elements[child];
        (element.seen != document).then(|| {
            element.seen = document;
            child
        })
    }

    /// Returns the columns that read the text of an element.
    pub fn columns(&self, element: usize) -> &[usize] {
        &self.elements[element].columns
    }
}

fn parse_path(text: &str) -> Result<Vec<String>, FormatError> {
    let names: Vec<String> = text.split('.').map(|name| name.trim().to_string()).collect();
    match names.iter().find(|name| !is_name(name.as_bytes())) {
        None => Ok(names),
        Some(name) => {
            let message = format!("path `{text}`: `{name}` is not a name of an element");
            Err(FormatError::option("xml_config", message)
                .hint("write the names of elements below the root, joined by `.`"))
        }
    }
}
