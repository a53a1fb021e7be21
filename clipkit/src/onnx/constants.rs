//! Constants of a model that its file lists as inputs, too.
//!
//! Exporters did so until 2019, for models like UltraFace. A caller could then give other values,
//! so the runtime folds nothing into such constants: it normalises each layer's output by itself
//! and lays its memory out for the general case. Measured with UltraFace (RFB-320): 8 ms per
//! picture, and 2.7 ms without the entries.

use std::collections::HashSet;

use prost::Message;

/// Tags of `onnx.proto`.
const GRAPH: usize = 7;
const INPUT: usize = 11;
/// A code of `TensorProto.DataLocation`: the values are in another file.
const EXTERNAL: i32 = 1;

/// The parts of a model file that are needed here. The others are skipped.
#[derive(Clone, PartialEq, Message)]
struct ModelFile {
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "5")]
    constants: Vec<Constant>,
    #[prost(message, repeated, tag = "11")]
    inputs: Vec<Input>,
}

#[derive(Clone, PartialEq, Message)]
struct Constant {
    #[prost(string, optional, tag = "8")]
    name: Option<String>,
    #[prost(int32, optional, tag = "14")]
    location: Option<i32>,
}

#[derive(Clone, PartialEq, Message)]
struct Input {
    #[prost(string, optional, tag = "1")]
    name: Option<String>,
}

/// The model without the inputs that are constants. `None` if it has none, if its constants are in
/// other files, or if it cannot be read.
pub(super) fn without_constant_inputs(model: &[u8]) -> Option<Vec<u8>> {
    let graph = ModelFile::decode(model).ok()?.graph?;
    if graph.constants.iter().any(|constant| constant.location == Some(EXTERNAL)) {
        return None;
    }
    let constants: HashSet<String> = graph.constants.into_iter().filter_map(|constant| constant.name).collect();
    let is_constant = |input: Input| input.name.is_some_and(|name| constants.contains(&name));
    if !graph.inputs.into_iter().any(is_constant) {
        return None;
    }
    let mut written = Vec::with_capacity(model.len());
    for field in fields(model) {
        let field = field?;
        if field.tag != GRAPH {
            written.extend_from_slice(field.all);
            continue;
        }
        let mut graph = Vec::with_capacity(field.value.len());
        for part in fields(field.value) {
            let part = part?;
            if part.tag != INPUT || !is_constant(Input::decode(part.value).ok()?) {
                graph.extend_from_slice(part.all);
            }
        }
        // A key is the tag and the wire type of values with a length.
        prost::encode_length_delimiter(GRAPH << 3 | WITH_LENGTH, &mut written).ok()?;
        prost::encode_length_delimiter(graph.len(), &mut written).ok()?;
        written.append(&mut graph);
    }
    Some(written)
}

/// A field of a message.
struct Field<'a> {
    tag: usize,
    /// With its key.
    all: &'a [u8],
    /// The value, where it has a length; else empty.
    value: &'a [u8],
}

/// Wire types of Protocol Buffers ("Encoding", message structure).
const VARINT: usize = 0;
const FIXED_64: usize = 1;
const WITH_LENGTH: usize = 2;
const FIXED_32: usize = 5;

/// The fields of a message in their order. Ends with `None` where it is malformed.
fn fields(message: &[u8]) -> impl Iterator<Item = Option<Field<'_>>> {
    let mut rest = Some(message);
    std::iter::from_fn(move || {
        let begin = rest.take().filter(|rest| !rest.is_empty())?;
        let field = split_first(begin);
        rest = field.as_ref().and_then(|field| begin.get(field.all.len()..));
        Some(field)
    })
}

fn split_first(message: &[u8]) -> Option<Field<'_>> {
    let mut rest = message;
    let key = prost::decode_length_delimiter(&mut rest).ok()?;
    let length = match key & 7 {
        VARINT => rest.iter().position(|byte| byte & 0x80 == 0)? + 1,
        FIXED_64 => 8,
        WITH_LENGTH => prost::decode_length_delimiter(&mut rest).ok()?,
        FIXED_32 => 4,
        _ => return None,
    };
    let value = rest.get(..length)?;
    let all = message.get(..message.len() - rest.len() + length)?;
    Some(Field { tag: key >> 3, all, value: if key & 7 == WITH_LENGTH { value } else { &[] } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(name: &str) -> Input {
        Input { name: Some(name.to_owned()) }
    }

    fn model(inputs: &[&str], location: Option<i32>) -> Vec<u8> {
        let constant = Constant { name: Some("weight".to_owned()), location };
        let graph = Graph { constants: vec![constant], inputs: inputs.iter().map(|name| input(name)).collect() };
        // A version before the graph and a text after it, which are kept.
        let mut file = vec![0x08, 0x87, 0x01];
        file.extend(ModelFile { graph: Some(graph) }.encode_to_vec());
        file.extend([0x12, 0x02, b'o', b'k', 0x2d, 1, 2, 3, 4]);
        file
    }

    #[test]
    fn constants_are_no_longer_inputs() {
        let written = without_constant_inputs(&model(&["picture", "weight"], None)).unwrap();
        assert_eq!(written, model(&["picture"], None));
    }

    #[test]
    fn other_models_stay_as_they_are() {
        assert_eq!(without_constant_inputs(&model(&["picture"], None)), None);
        assert_eq!(without_constant_inputs(&model(&["picture", "weight"], Some(EXTERNAL))), None, "values in another file");
        assert_eq!(without_constant_inputs(b""), None);
    }

    proptest::proptest! {
        #[test]
        fn no_file_is_too_broken(cut in 0_usize..40, at in 0_usize..40, byte in 0_u8..) {
            let mut file = model(&["picture", "weight"], None);
            file.truncate(file.len().saturating_sub(cut));
            if let Some(place) = file.get_mut(at) {
                *place = byte;
            }
            let _ = without_constant_inputs(&file);
        }
    }
}
