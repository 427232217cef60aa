//! User-defined functions: their names, and why none can be used.

use weir_base::error::codes;

use super::settings::Cluster;
use crate::CheckError;
use crate::plan::is_built_in;
use crate::syntax::ast::{CreateFunction, Name};

/// The functions that a job declares.
#[derive(Default)]
pub(super) struct Functions(Vec<Name>);

impl Functions {
    /// Checks a declaration. None is accepted: a function is a Java class, and there is no Java machine to run it.
    pub(super) fn declare(&mut self, create: &CreateFunction, cluster: Cluster) -> Result<(), CheckError> {
        let Name { value, position, length } = &create.name;
        let at_name = |text: String| CheckError::new(*position, *length, text);
        if is_built_in(value) {
            return Err(
                at_name(format!("`{value}` is a built-in function")).hint("give the function another name")
            );
        }
        if let Some(first) = self.0.iter().find(|name| name.value.eq_ignore_ascii_case(value)) {
            let place = first.position;
            return Err(at_name(format!("function `{value}` is declared twice"))
                .hint(format!("`{}` stands at line {}, column {}", first.value, place.line, place.column)));
        }
        self.0.push(create.name.clone());
        let error = match cluster {
            Cluster::Shared { .. } => {
                at_name("user-defined functions cannot be used in the shared cluster".to_string())
                    .hint("run the job in an exclusive cluster, or use the built-in functions")
            }
            Cluster::Exclusive | Cluster::Local => {
                let text =
                    format!("function `{value}` is a Java class, which the embedded engine cannot run");
                CheckError::new(create.class_position, create.class_length, text)
                    .hint("use the built-in functions")
            }
        };
        Err(error.code(codes::UDF_NOT_SUPPORTED_IN_SHARED_CLUSTER))
    }
}
