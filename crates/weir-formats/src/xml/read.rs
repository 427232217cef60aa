//! Reading records that are one XML document each.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use weir_base::text::Zone;

use super::grammar::{
    check_attributes, check_characters, check_declaration, check_doctype, is_blank, is_name, resolve,
};
use super::plan::{Plan, ROOT};
use crate::column::Values;
use crate::decode::{Decoder, Dirty};
use crate::options::{FormatError, FormatOptions};
use crate::rows::{Rows, checked_text};
use crate::scalar::{Mismatch, push_field};
use crate::text_list::{check_flat, push_list};

/// What may stand before a document to say that it is Unicode.
const BYTE_ORDER_MARK: char = '\u{FEFF}';

pub(crate) struct XmlDecoder {
    rows: Rows,
    plan: Plan,
    zone: Zone,
    document: Document,
    /// Documents so far, dirty ones included.
    documents: u64,
}

/// Where the walk of a document is.
#[derive(Default)]
struct Document {
    /// The wanted elements that are open, from the root inwards.
    path: Vec<usize>,
    /// Open elements below the last of them.
    unwanted: usize,
    has_root: bool,
    has_doctype: bool,
    /// The text of the wanted element so far.
    text: Vec<u8>,
}

impl Document {
    /// Goes to the start of another document.
    fn begin(&mut self) {
        self.path.clear();
        (self.unwanted, self.has_root, self.has_doctype) = (0, false, false);
    }
}

/// Why a document is dirty.
enum Fault {
    /// It is not well-formed.
    Malformed(String),
    /// A text does not fit its column.
    Column(usize, String),
}

impl XmlDecoder {
    pub fn new(schema: SchemaRef, options: &FormatOptions) -> Result<Self, FormatError> {
        schema.fields().iter().try_for_each(|field| check_flat(field, "xml"))?;
        Ok(Self {
            plan: Plan::new(&schema, options.xml_config.as_deref())?,
            rows: Rows::new(schema)?,
            zone: options.zone,
            document: Document::default(),
            documents: 0,
        })
    }

    fn read(&mut self, record: &[u8]) -> Result<(), String> {
        let text = checked_text(record)?;
        check_characters(text).map_err(|what| format!("not well-formed XML: {what}"))?;
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let skipped = record.len() - text.len();
        let malformed =
            |what: &str, at: usize| format!("not well-formed XML: {what} at byte {}", skipped + at);
        if text.starts_with(BYTE_ORDER_MARK) {
            // The parser would skip it as well.
            return Err(malformed("a second byte-order mark", 0));
        }
        self.documents += 1;
        self.document.begin();
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.check_comments = true;
        config.expand_empty_elements = true;
        let mut at = 0;
        loop {
            let event = match reader.read_event() {
                Ok(event) => event,
                Err(error) => {
                    let at = usize::try_from(reader.error_position()).unwrap_or(at);
                    return Err(malformed(&without_class(error), at));
                }
            };
            if matches!(event, Event::Eof) {
                break;
            }
            let end = usize::try_from(reader.buffer_position()).unwrap_or(text.len());
            let raw = text.as_bytes().get(at..end).unwrap_or_default();
            self.take(&event, raw, at == 0).map_err(|fault| match fault {
                Fault::Malformed(what) => malformed(&what, at),
                Fault::Column(column, reason) => self.rows.reason(column, &reason),
            })?;
            at = end;
        }
        match (self.document.has_root, self.document.path.is_empty()) {
            (false, _) => Err(malformed("no root element", text.len())),
            (true, false) => Err(malformed("an element without its end tag", text.len())),
            (true, true) => {
                self.rows.fill_with_null();
                Ok(())
            }
        }
    }

    /// Takes the next piece of the document, which is `raw` in the text.
    fn take(&mut self, event: &Event<'_>, raw: &[u8], is_first: bool) -> Result<(), Fault> {
        let document = &mut self.document;
        let is_outside = document.path.is_empty();
        match event {
            Event::Start(tag) => self.start(tag),
            // The parser writes `<a/>` as a start and an end.
            Event::Empty(_) | Event::Eof => Ok(()),
            Event::End(_) => self.end(),
            Event::Text(text) if is_outside => match is_blank(text) {
                true => Ok(()),
                false => malformed("text outside of the root element"),
            },
            Event::Text(text) => {
                if memchr::memmem::find(text, b"]]>").is_some() {
                    return malformed("`]]>` in a text");
                }
                let text = text.xml10_content().map_err(|error| Fault::Malformed(error.to_string()))?;
                self.characters(text.as_bytes());
                Ok(())
            }
            Event::CData(_) | Event::GeneralRef(_) if is_outside => {
                malformed("text outside of the root element")
            }
            Event::CData(text) => {
                let text = text.xml10_content().map_err(|error| Fault::Malformed(error.to_string()))?;
                self.characters(text.as_bytes());
                Ok(())
            }
            Event::GeneralRef(name) => {
                let character = resolve(name).map_err(Fault::Malformed)?;
                self.characters(character.encode_utf8(&mut [0; 4]).as_bytes());
                Ok(())
            }
            Event::Comment(_) => Ok(()),
            Event::Decl(declaration) if is_first => {
                check_declaration(declaration.strip_prefix(b"xml").unwrap_or(declaration))
                    .map_err(Fault::Malformed)
            }
            Event::Decl(_) => malformed("an XML declaration that is not at the start"),
            Event::PI(instruction) => {
                match is_name(instruction.target()) && !instruction.target().eq_ignore_ascii_case(b"xml") {
                    true => Ok(()),
                    false => malformed("a processing instruction without a name"),
                }
            }
            Event::DocType(_) => {
                let is_misplaced = document.has_root || std::mem::replace(&mut document.has_doctype, true);
                if is_misplaced {
                    return malformed("a DOCTYPE in a wrong place");
                }
                check_doctype(raw).map_err(Fault::Malformed)
            }
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), Fault> {
        let name = tag.name().into_inner();
        if !is_name(name) {
            return malformed("a tag without a name");
        }
        check_attributes(tag.attributes_raw()).map_err(Fault::Malformed)?;
        let document = &mut self.document;
        let Some(parent) = document.path.last() else {
            if std::mem::replace(&mut document.has_root, true) {
                return malformed("a second root element");
            }
            document.path.push(ROOT);
            return Ok(());
        };
        if document.unwanted > 0 {
            document.unwanted += 1;
            return Ok(());
        }
        if let Some(column) = self.plan.columns(*parent).first() {
            let reason = format!("element `{}` stands where a text should be", String::from_utf8_lossy(name));
            return Err(Fault::Column(*column, reason));
        }
        match self.plan.enter(*parent, name, self.documents) {
            Some(element) => {
                document.path.push(element);
                document.text.clear();
            }
            None => document.unwanted = 1,
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Fault> {
        let document = &mut self.document;
        if document.unwanted > 0 {
            document.unwanted -= 1;
            return Ok(());
        }
        let Some(element) = document.path.pop() else { return Ok(()) };
        for column in self.plan.columns(element) {
            push_element(&mut self.rows, *column, &document.text, &self.zone)
                .map_err(|reason| Fault::Column(*column, reason))?;
        }
        Ok(())
    }

    /// Adds to the text of the wanted element, when the walk is right in one.
    fn characters(&mut self, text: &[u8]) {
        let document = &mut self.document;
        let is_wanted = document.unwanted == 0
            && document.path.last().is_some_and(|element| !self.plan.columns(*element).is_empty());
        if is_wanted {
            document.text.extend_from_slice(text);
        }
    }
}

/// Returns the text of a parser's error without the class of error before it.
fn without_class(error: quick_xml::Error) -> String {
    match error {
        quick_xml::Error::Syntax(error) => error.to_string(),
        quick_xml::Error::IllFormed(error) => error.to_string(),
        error => error.to_string(),
    }
}

fn malformed(what: &str) -> Result<(), Fault> {
    Err(Fault::Malformed(what.to_string()))
}

/// Adds the text of an element by the rules of csv; that of an ARRAY is `[x,y,z]`.
fn push_element(rows: &mut Rows, column: usize, text: &[u8], zone: &Zone) -> Result<(), String> {
    let column = &mut rows.columns[column];
    if !matches!(column.values, Values::List { .. }) || text.trim_ascii().is_empty() {
        return push_field(column, text, zone);
    }
    let elements = text.trim_ascii().strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]"));
    match elements {
        Some(elements) => push_list(column, elements, zone),
        None => Err(Mismatch::NotOfType.reason(text, &column.values)),
    }
}

impl Decoder for XmlDecoder {
    fn push(&mut self, record: &[u8]) -> Result<(), Dirty> {
        self.rows.begin();
        let outcome = self.read(record);
        self.rows.end(outcome)
    }

    fn rows(&self) -> usize {
        self.rows.count()
    }

    fn flush(&mut self) -> RecordBatch {
        self.rows.flush()
    }
}
