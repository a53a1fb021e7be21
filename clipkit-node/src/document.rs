//! Documents on their way between the two languages.
//!
//! They travel as JSON text, which JavaScript reads and writes faster than anything built value by value. Hours of words make megabytes
//! of it, more than the event loop should take at once, so long arrays are cut out and read by the turn.

use std::collections::VecDeque;

use napi_derive::napi;
use serde::Serialize;
use serde::de::DeserializeOwned;

use clipkit::{Error, ErrorKind, Result};

/// About as much as JavaScript reads in a fraction of a millisecond.
const PIECE: usize = 32 * 1024;

/// A document for JavaScript: first the text without its long arrays, each replaced by `{"$array": n}`, then those arrays in pieces.
#[napi]
pub struct Document {
    pieces: VecDeque<Piece>,
}

/// A part of a document.
#[napi(object)]
pub struct Piece {
    /// The array that the text's elements belong to; none for the document itself.
    pub array: Option<u32>,
    /// JSON.
    pub text: String,
}

#[napi]
impl Document {
    /// The next piece; none after the last.
    #[napi]
    pub fn next(&mut self) -> Option<Piece> {
        self.pieces.pop_front()
    }
}

impl Document {
    pub(crate) fn of(value: &impl Serialize) -> Result<Self> {
        let text =
            serde_json::to_string(value).map_err(|error| Error::new(ErrorKind::Contract, format!("this cannot be written: {error}")))?;
        Ok(Document { pieces: cut(text) })
    }
}

/// A document from JavaScript, put together from parts.
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
    /// The JSON; what is left is empty.
    pub(crate) fn take(&mut self) -> String {
        std::mem::take(&mut self.0)
    }
}

/// Reads a document that a program gave; `what` names it.
pub(crate) fn read<T: DeserializeOwned>(kind: ErrorKind, what: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::new(kind, format!("this is not {what}: {error}")))
}

/// Cuts the outermost long arrays out of a JSON text.
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

/// Where an array stands in a text, and the commas between its elements.
struct Array {
    start: usize,
    end: usize,
    commas: Vec<usize>,
}

/// The longest arrays of a JSON text that hold a piece and more, none inside another, in order.
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
