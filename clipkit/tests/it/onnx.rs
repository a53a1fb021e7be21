//! Writes small ONNX models (onnx.proto3) for tests of model loading and decoding.

use std::path::Path;

/// The part of protocol buffers that an ONNX file (onnx.proto3) needs.
#[derive(Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn int(mut self, field: u64, value: i64) -> Self {
        self.varint(field << 3);
        self.varint(value as u64);
        self
    }

    fn bytes(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn text(self, field: u64, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    fn message(self, field: u64, message: Message) -> Self {
        self.bytes(field, &message.0)
    }
}

pub(crate) fn node(kind: &str, inputs: &[&str], output: &str, attributes: Vec<Message>) -> Message {
    let node = inputs.iter().fold(Message::default(), |node, input| node.text(1, input)).text(2, output).text(4, kind);
    attributes.into_iter().fold(node, |node, attribute| node.message(5, attribute))
}

pub(crate) fn integer(name: &str, value: i64) -> Message {
    Message::default().text(1, name).int(3, value).int(20, 2)
}

pub(crate) fn integers(name: &str, values: &[i64]) -> Message {
    values.iter().fold(Message::default().text(1, name), |attribute, value| attribute.int(8, *value)).int(20, 7)
}

pub(crate) fn tensor(name: &str, shape: &[i64], kind: i64, raw: Vec<u8>) -> Message {
    shape.iter().fold(Message::default(), |tensor, side| tensor.int(1, *side)).int(2, kind).text(8, name).bytes(9, &raw)
}

pub(crate) fn floats(name: &str, shape: &[i64], values: impl IntoIterator<Item = f32>) -> Message {
    tensor(name, shape, FLOAT, values.into_iter().flat_map(f32::to_le_bytes).collect())
}

/// Element types.
pub(crate) const FLOAT: i64 = 1;
pub(crate) const INT32: i64 = 6;
pub(crate) const INT64: i64 = 7;

pub(crate) fn longs(name: &str, values: &[i64]) -> Message {
    tensor(name, &[values.len() as i64], INT64, values.iter().flat_map(|value| value.to_le_bytes()).collect())
}

/// An input or output. A dimension of 0 is dynamic.
pub(crate) fn value(name: &str, kind: i64, sides: &[i64]) -> Message {
    let side = |(n, side): (usize, &i64)| match side {
        0 => Message::default().text(2, &format!("side{n}")),
        _ => Message::default().int(1, *side),
    };
    let shape = sides.iter().enumerate().fold(Message::default(), |shape, part| shape.message(1, side(part)));
    let kind = Message::default().message(1, Message::default().int(1, kind).message(2, shape));
    Message::default().text(1, name).message(2, kind)
}

pub(crate) fn write(path: &Path, nodes: Vec<Message>, constants: Vec<Message>, inputs: Vec<Message>, outputs: Vec<Message>) {
    let parts = [(1, nodes), (5, constants), (11, inputs), (12, outputs)];
    let graph = parts.into_iter().fold(Message::default().text(2, "graph"), |graph, (field, messages)| {
        messages.into_iter().fold(graph, |graph, message| graph.message(field, message))
    });
    let model = Message::default().int(1, 8).message(7, graph).message(8, Message::default().text(1, "").int(2, 13));
    std::fs::write(path, model.0).unwrap();
}
