//! ONNX files: the messages of the format that the converted models need, and a way to write a
//! graph node by node.
//!
//! The tags are those of `onnx.proto`. Values of 0 are written, because ONNX tells them from
//! missing ones.

use prost::Message;

/// The version of the format. Every supported runtime reads it.
const IR_VERSION: i64 = 7;
/// The version of the set of operators.
const OPERATORS: i64 = 14;

/// Codes of `TensorProto.DataType`.
pub(super) const FLOAT: i32 = 1;
const INT64: i32 = 7;
/// Codes of `AttributeProto.AttributeType`.
const ATTRIBUTE_INT: i32 = 2;
const ATTRIBUTE_STRING: i32 = 3;
const ATTRIBUTE_INTS: i32 = 7;

#[derive(Clone, PartialEq, Message)]
pub(super) struct ModelFile {
    #[prost(int64, optional, tag = "1")]
    ir_version: Option<i64>,
    #[prost(string, optional, tag = "2")]
    producer_name: Option<String>,
    #[prost(message, optional, tag = "7")]
    pub(super) graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    operators: Vec<OperatorSet>,
    #[prost(message, repeated, tag = "14")]
    notes: Vec<Note>,
}

#[derive(Clone, PartialEq, Message)]
struct OperatorSet {
    #[prost(string, optional, tag = "1")]
    domain: Option<String>,
    #[prost(int64, optional, tag = "2")]
    version: Option<i64>,
}

/// A remark about the model: a key and a text.
#[derive(Clone, PartialEq, Message)]
struct Note {
    #[prost(string, optional, tag = "1")]
    key: Option<String>,
    #[prost(string, optional, tag = "2")]
    text: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub(super) nodes: Vec<Node>,
    #[prost(string, optional, tag = "2")]
    name: Option<String>,
    #[prost(message, repeated, tag = "5")]
    pub(super) tensors: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    inputs: Vec<Port>,
    #[prost(message, repeated, tag = "12")]
    outputs: Vec<Port>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Node {
    #[prost(string, repeated, tag = "1")]
    pub(super) inputs: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    outputs: Vec<String>,
    #[prost(string, optional, tag = "3")]
    name: Option<String>,
    #[prost(string, optional, tag = "4")]
    pub(super) operator: Option<String>,
    #[prost(message, repeated, tag = "5")]
    attributes: Vec<Attribute>,
}

/// A setting of a node.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Attribute {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(int64, optional, tag = "3")]
    int: Option<i64>,
    #[prost(bytes = "vec", optional, tag = "4")]
    string: Option<Vec<u8>>,
    #[prost(int64, repeated, packed = "false", tag = "8")]
    ints: Vec<i64>,
    #[prost(int32, optional, tag = "20")]
    kind: Option<i32>,
}

impl Attribute {
    pub(super) fn of_int(name: &str, value: i64) -> Self {
        Attribute { name: Some(name.to_owned()), int: Some(value), kind: Some(ATTRIBUTE_INT), ..Attribute::default() }
    }

    pub(super) fn of_ints(name: &str, values: &[i64]) -> Self {
        Attribute { name: Some(name.to_owned()), ints: values.to_vec(), kind: Some(ATTRIBUTE_INTS), ..Attribute::default() }
    }

    pub(super) fn of_text(name: &str, value: &str) -> Self {
        Attribute { name: Some(name.to_owned()), string: Some(value.into()), kind: Some(ATTRIBUTE_STRING), ..Attribute::default() }
    }
}

/// A constant of the graph.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Tensor {
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub(super) shape: Vec<i64>,
    #[prost(int32, optional, tag = "2")]
    pub(super) element: Option<i32>,
    #[prost(string, optional, tag = "8")]
    pub(super) name: Option<String>,
    /// The values in row-major order, little-endian.
    #[prost(bytes = "vec", optional, tag = "9")]
    pub(super) bytes: Option<Vec<u8>>,
}

/// An input or output of the graph.
#[derive(Clone, PartialEq, Message)]
struct Port {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
    #[prost(message, optional, tag = "2")]
    kind: Option<PortType>,
}

#[derive(Clone, PartialEq, Message)]
struct PortType {
    #[prost(message, optional, tag = "1")]
    tensor: Option<PortTensor>,
}

#[derive(Clone, PartialEq, Message)]
struct PortTensor {
    #[prost(int32, optional, tag = "1")]
    element: Option<i32>,
    #[prost(message, optional, tag = "2")]
    shape: Option<PortShape>,
}

#[derive(Clone, PartialEq, Message)]
struct PortShape {
    #[prost(message, repeated, tag = "1")]
    sizes: Vec<PortSize>,
}

/// The size of a dimension, or the name of a size that differs from call to call.
#[derive(Clone, PartialEq, Message)]
struct PortSize {
    #[prost(int64, optional, tag = "1")]
    size: Option<i64>,
    #[prost(string, optional, tag = "2")]
    name: Option<String>,
}

/// An input or output of 32-bit floats. Sizes that are not numbers are names.
fn port(name: &str, sizes: &[&str]) -> Port {
    let size = |text: &&str| match text.parse() {
        Ok(size) => PortSize { size: Some(size), name: None },
        Err(_) => PortSize { size: None, name: Some((*text).to_owned()) },
    };
    let shape = PortShape { sizes: sizes.iter().map(size).collect() };
    let tensor = PortTensor { element: Some(FLOAT), shape: Some(shape) };
    Port { name: Some(name.to_owned()), kind: Some(PortType { tensor: Some(tensor) }) }
}

/// A graph that is being written. Values are referred to by their names.
pub(super) struct GraphWriter {
    graph: Graph,
}

impl GraphWriter {
    pub(super) fn new(name: &str) -> Self {
        GraphWriter { graph: Graph { name: Some(name.to_owned()), ..Graph::default() } }
    }

    /// Adds an input of 32-bit floats. Sizes that are not numbers are names.
    pub(super) fn input(&mut self, name: &str, sizes: &[&str]) -> String {
        self.graph.inputs.push(port(name, sizes));
        name.to_owned()
    }

    /// Adds a constant of 32-bit floats.
    pub(super) fn floats(&mut self, shape: &[usize], values: &[f32]) -> String {
        let shape = shape.iter().map(|size| *size as i64).collect();
        self.constant(FLOAT, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// Adds a constant list of integers.
    pub(super) fn integers(&mut self, values: &[i64]) -> String {
        self.constant(INT64, vec![values.len() as i64], values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    fn constant(&mut self, element: i32, shape: Vec<i64>, bytes: Vec<u8>) -> String {
        let name = format!("constant_{}", self.graph.tensors.len());
        self.graph.tensors.push(Tensor { shape, element: Some(element), name: Some(name.clone()), bytes: Some(bytes) });
        name
    }

    /// Adds a node with one output.
    pub(super) fn node(&mut self, operator: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        let output = format!("{}_{}", operator.to_lowercase(), self.graph.nodes.len());
        self.named_node(operator, inputs, attributes, output)
    }

    fn named_node(&mut self, operator: &str, inputs: &[&str], attributes: Vec<Attribute>, output: String) -> String {
        self.graph.nodes.push(Node {
            inputs: inputs.iter().map(|name| (*name).to_owned()).collect(),
            outputs: vec![output.clone()],
            name: Some(format!("{output}_node")),
            operator: Some(operator.to_owned()),
            attributes,
        });
        output
    }

    /// Adds the last node, whose output is the graph's, and encodes the file.
    pub(super) fn finish(
        mut self,
        (operator, inputs, attributes): (&str, &[&str], Vec<Attribute>),
        (output, sizes): (&str, &[&str]),
        notes: &[(&str, &str)],
    ) -> Vec<u8> {
        self.named_node(operator, inputs, attributes, output.to_owned());
        self.graph.outputs.push(port(output, sizes));
        let note = |(key, text): &(&str, &str)| Note { key: Some((*key).to_owned()), text: Some((*text).to_owned()) };
        let file = ModelFile {
            ir_version: Some(IR_VERSION),
            producer_name: Some("clipkit".to_owned()),
            graph: Some(self.graph),
            operators: vec![OperatorSet { domain: Some(String::new()), version: Some(OPERATORS) }],
            notes: notes.iter().map(note).collect(),
        };
        file.encode_to_vec()
    }
}
