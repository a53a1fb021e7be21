//! Conversion of documents between Rust and JavaScript.
//!
//! Documents are passed as JSON text, which JavaScript parses faster than values that are built
//! one by one. The transcript of hours is megabytes of JSON. So that parsing does not block the
//! event loop, long arrays are split into pieces.

use std::collections::VecDeque;

use napi_derive::napi;
use serde::Serialize;
use serde::de::DeserializeOwned;

use clipkit::{Error, ErrorKind, Result};

/// The length of a piece in bytes. JavaScript parses it in a fraction of a millisecond.
const PIECE: usize = 32 * 1024;

/// A document for JavaScript. The first piece is the text with each long array replaced by
/// `{"$array": n}`; the other pieces are parts of these arrays.
#[napi]
pub struct Document {
    pieces: VecDeque<Piece>,
}

/// A part of a document.
#[napi(object)]
pub struct Piece {
    /// The number of the array that the elements belong to. `None` for the document itself.
    pub array: Option<u32>,
    /// JSON.
    pub text: String,
}

#[napi]
impl Document {
    /// The next piece. `None` after the last one.
    #[napi]
    pub fn next(&mut self) -> Option<Piece> {
        self.pieces.pop_front()
    }
}

impl Document {
    pub(crate) fn of(value: &impl Serialize) -> Result<Self> {
        let text =
            serde_json::to_string(value).map_err(|error| Error::new(ErrorKind::Contract, format!("this cannot be written: {error}")))?;
        Ok(Document::from_json(text))
    }

    pub(crate) fn from_json(text: String) -> Self {
        Document { pieces: cut(text) }
    }
}

/// A document from JavaScript, concatenated from parts.
#[napi]
pub struct Text(String);

#[napi]
impl Text {
    #[napi(constructor)]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Text(String::new())
    }

    /// Appends JSON.
    #[napi]
    pub fn push(&mut self, part: String) {
        self.0.push_str(&part);
    }
}

impl Text {
    /// Takes the JSON and leaves an empty text.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

/// Parses a document. `what` names it in the error.
pub(crate) fn read<T: DeserializeOwned>(kind: ErrorKind, what: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::new(kind, format!("this is not {what}: {error}")))
}

/// Splits a JSON text at its outermost long arrays.
fn cut(text: String) -> VecDeque<Piece> {
    if text.len() <= PIECE {
        return VecDeque::from([Piece { array: None, text }]);
    }
    let arrays = long_arrays(&text);
    let (mut skeleton, mut pieces, mut copied) = (String::new(), VecDeque::new(), 0);
    for (number, array) in arrays.iter().enumerate() {
        skeleton.push_str(&text[copied..array.start]);
        skeleton.push_str(&format!("{{\"$array\":{number}}}"));
        copied = array.end;
        // Fewer than 2^32 arrays of 32 KiB fit into memory.
        let array_number = u32::try_from(number).unwrap_or(u32::MAX);
        let mut from = array.start + 1;
        for &comma in array.commas.iter().chain([&(array.end - 1)]) {
            if comma - from >= PIECE || comma == array.end - 1 {
                pieces.push_back(Piece { array: Some(array_number), text: format!("[{}]", &text[from..comma]) });
                from = comma + 1;
            }
        }
    }
    skeleton.push_str(&text[copied..]);
    pieces.push_front(Piece { array: None, text: skeleton });
    pieces
}

/// The byte range of an array in a text, and the positions of the commas between its elements.
struct Array {
    start: usize,
    end: usize,
    commas: Vec<usize>,
}

/// The outermost arrays of a JSON text that are longer than a piece, in order.
fn long_arrays(text: &str) -> Vec<Array> {
    let (mut open, mut found): (Vec<Array>, Vec<Array>) = (Vec::new(), Vec::new());
    let (mut in_string, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        if in_string {
            (in_string, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => open.push(Array { start: at, end: at, commas: Vec::new() }),
            b',' => {
                if let Some(inner) = open.last_mut() {
                    inner.commas.push(at);
                }
            }
            b']' | b'}' => {
                if let Some(array) = open.pop()
                    && byte == b']'
                    && at - array.start >= PIECE
                {
                    found.retain(|inner| inner.start < array.start);
                    found.push(Array { end: at + 1, ..array });
                }
            }
            _ => {}
        }
    }
    found
}
