//! Bodies of type multipart/form-data, which a few calls take.

use crate::call::Body;

/// What boundaries begin with.
const BOUNDARY: &str = "weir-form-8d1f0c5e";

/// A form: texts and files, in their order.
#[derive(Debug, Clone, Default)]
pub struct Form {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
struct Part {
    name: String,
    file: Option<String>,
    contents: Vec<u8>,
}

impl Form {
    /// Adds a text.
    pub fn text(&mut self, name: &str, text: &str) {
        self.parts.push(Part { name: name.to_string(), file: None, contents: text.as_bytes().to_vec() });
    }

    /// Adds a file. What would end its name in the head of the part is replaced by `_`.
    pub fn file(&mut self, name: &str, file: &str, contents: Vec<u8>) {
        let file = file.replace(['"', ';', '\r', '\n'], "_");
        self.parts.push(Part { name: name.to_string(), file: Some(file), contents });
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Returns the body. Its boundary is in none of the parts.
    pub fn into_body(self) -> Body {
        let occurs = |boundary: &str| {
            let needle = boundary.as_bytes();
            self.parts.iter().any(|part| part.contents.windows(needle.len()).any(|window| window == needle))
        };
        let mut boundary = BOUNDARY.to_string();
        let mut number = 0;
        while occurs(&boundary) {
            number += 1;
            boundary = format!("{BOUNDARY}-{number}");
        }
        let mut bytes = Vec::new();
        for part in &self.parts {
            let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", part.name);
            if let Some(file) = &part.file {
                head.push_str(&format!("; filename=\"{file}\"\r\nContent-Type: application/octet-stream"));
            }
            bytes.extend(head.into_bytes());
            bytes.extend(b"\r\n\r\n");
            bytes.extend(&part.contents);
            bytes.extend(b"\r\n");
        }
        bytes.extend(format!("--{boundary}--\r\n").into_bytes());
        Body::Bytes { content_type: format!("multipart/form-data; boundary={boundary}"), bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_files_become_parts_between_boundaries_that_none_of_them_holds() {
        let mut form = Form::default();
        assert!(form.is_empty());
        form.text("name", "j1");
        // A number behind the beginning does not make it another text: the search is for parts of contents.
        form.file("jar", "a\";b.jar", format!("x--{BOUNDARY}-2y").into_bytes());
        let Body::Bytes { content_type, bytes } = form.into_body() else { panic!("a form is bytes") };
        assert_eq!(content_type, "multipart/form-data; boundary=weir-form-8d1f0c5e-1");
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "--weir-form-8d1f0c5e-1\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nj1\r\n\
             --weir-form-8d1f0c5e-1\r\nContent-Disposition: form-data; name=\"jar\"; filename=\"a__b.jar\"\r\n\
             Content-Type: application/octet-stream\r\n\r\nx--weir-form-8d1f0c5e-2y\r\n\
             --weir-form-8d1f0c5e-1--\r\n"
        );
    }
}
