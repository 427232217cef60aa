//! The reference page of functions, written from the descriptions that the checker uses.

use std::fmt::Write as _;

use crate::forms::{AGGREGATES, OTHERS, SCALAR};
use crate::registry::{Family, all};

/// Returns how the forms are written that depend on one row or are aggregates: operators, literals, special forms.
pub fn forms() -> impl Iterator<Item = &'static str> {
    let chapters = SCALAR.iter().chain([&AGGREGATES]);
    chapters.flat_map(|(_, forms)| forms.iter().map(|(synopsis, _)| *synopsis))
}

/// Returns the page as Markdown.
pub fn page() -> String {
    let mut page = String::from(
        "# Functions\n\n\
         Generated from the code; `WEIR_UPDATE_DOCS=1 cargo test -p weir-functions` writes it anew.\n\
         Names are compared without case. A NULL argument gives NULL unless a line says otherwise.\n\
         Any other function is refused with CS.13005 when the job is checked.\n",
    );
    for (family, title) in
        [(Family::Math, "Arithmetic"), (Family::Text, "Strings"), (Family::Temporal, "Dates and times")]
    {
        heading(&mut page, title);
        for function in all().filter(|function| function.family == family) {
            line(&mut page, function.synopsis, function.meaning);
        }
    }
    for (title, forms) in SCALAR.iter().chain([&AGGREGATES]).chain(OTHERS) {
        heading(&mut page, title);
        for (synopsis, meaning) in *forms {
            line(&mut page, synopsis, meaning);
        }
    }
    page
}

fn heading(page: &mut String, title: &str) {
    let written = write!(page, "\n## {title}\n\n| Function | Meaning |\n| --- | --- |\n");
    debug_assert!(written.is_ok(), "writing to a string never fails");
}

fn line(page: &mut String, synopsis: &str, meaning: &str) {
    let written = writeln!(page, "| `{}` | {} |", synopsis.replace('|', "\\|"), meaning.replace('|', "\\|"));
    debug_assert!(written.is_ok(), "writing to a string never fails");
}
