//! XML documents, written by quick-xml.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesStart, BytesText, Event};

use crate::error::{Error, ErrorKind, Result};

/// An XML document under construction.
pub(super) struct Xml(Writer<Vec<u8>>);

impl Xml {
    /// Writes a document with a document type and one root element.
    pub(super) fn document(doctype: &str, fill: impl FnOnce(&mut Xml) -> io::Result<()>) -> Result<String> {
        let mut xml = Xml(Writer::new_with_indent(Vec::new(), b' ', 2));
        let write = || {
            xml.0.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
            xml.0.write_event(Event::DocType(BytesText::from_escaped(doctype)))?;
            fill(&mut xml)
        };
        let failed = |error: &dyn std::fmt::Display| Error::new(ErrorKind::Io, format!("the timeline cannot be written: {error}"));
        write().map_err(|error| failed(&error))?;
        let mut bytes = xml.0.into_inner();
        bytes.push(b'\n');
        String::from_utf8(bytes).map_err(|error| failed(&error))
    }

    /// An element with other elements in it.
    pub(super) fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        fill: impl FnOnce(&mut Xml) -> io::Result<()>,
    ) -> io::Result<()> {
        let start = tag(name, attributes);
        self.0.write_event(Event::Start(start.borrow()))?;
        fill(self)?;
        self.0.write_event(Event::End(start.to_end()))
    }

    /// An element without content.
    pub(super) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
        self.0.write_event(Event::Empty(tag(name, attributes)))
    }

    /// An element with text.
    pub(super) fn text(&mut self, name: &str, text: impl ToString) -> io::Result<()> {
        self.text_with(name, &[], text)
    }

    /// An element with attributes and text.
    pub(super) fn text_with(&mut self, name: &str, attributes: &[(&str, &str)], text: impl ToString) -> io::Result<()> {
        let start = tag(name, attributes);
        self.0.write_event(Event::Start(start.borrow()))?;
        self.0.write_event(Event::Text(BytesText::new(&valid(&text.to_string()))))?;
        self.0.write_event(Event::End(start.to_end()))
    }
}

fn tag<'a>(name: &'a str, attributes: &[(&str, &str)]) -> BytesStart<'a> {
    let mut tag = BytesStart::new(name);
    for (name, value) in attributes {
        tag.push_attribute((*name, valid(value).as_str()));
    }
    tag
}

/// The text without characters that XML 1.0 cannot contain, even escaped. Line breaks become
/// spaces, as readers do to those of attributes.
fn valid(text: &str) -> String {
    let letters = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    letters.filter(|letter| !matches!(letter, '\u{fffe}' | '\u{ffff}')).collect()
}

/// A number with at most six decimals.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.6}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_are_escaped() {
        let xml = Xml::document("x", |xml| {
            xml.element("x", &[("a", "\"1\" < 2 & 'b'\n")], |xml| {
                xml.text("t", "<b>&\u{1}\u{ffff}ß")?;
                xml.empty("e", &[("n", "")])
            })
        });
        assert_eq!(
            xml.unwrap(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE x>\n<x a=\"&quot;1&quot; &lt; 2 &amp; &apos;b&apos; \">\n  \
             <t>&lt;b&gt;&amp; ß</t>\n  <e n=\"\"/>\n</x>\n"
        );
    }
}
