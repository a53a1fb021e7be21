use std::io::Write;

use proptest::prelude::*;
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

/// What `torch.save` of PyTorch 2.4.1 wrote: two layers, and two views of one storage.
const TORCH: &[u8] = include_bytes!("../../../fuzz/corpus/checkpoint/torch");

/// A tensor of a checkpoint that a test makes: its key, shape and values.
pub(in crate::weights) type Saved = (String, Vec<usize>, Vec<f32>);

/// An archive of a list of tensors and the values of the storages `0`, `1` and so on.
fn archive(list: &[u8], storages: &[Vec<u8>]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    archive.start_file("test/data.pkl", options).unwrap();
    archive.write_all(list).unwrap();
    for (number, storage) in storages.iter().enumerate() {
        archive.start_file(format!("test/data/{number}"), options).unwrap();
        archive.write_all(storage).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn text(into: &mut Vec<u8>, text: &str) {
    into.push(b'X');
    into.extend((text.len() as u32).to_le_bytes());
    into.extend(text.as_bytes());
}

fn number(into: &mut Vec<u8>, number: usize) {
    into.push(b'J');
    into.extend((number as u32).to_le_bytes());
}

fn sizes(into: &mut Vec<u8>, sizes: &[usize]) {
    into.push(b'(');
    sizes.iter().for_each(|size| number(into, *size));
    into.push(b't');
}

/// A dictionary with the items of the given bytes.
fn dictionary(items: &[u8]) -> Vec<u8> {
    [b"\x80\x02ccollections\nOrderedDict\n)R(", items, b"u."].concat()
}

/// A key and its tensor: a view of the storage `storage` of `count` elements.
fn item(key: &str, storage: usize, count: usize, offset: usize, shape: &[usize], strides: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    text(&mut bytes, key);
    bytes.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
    text(&mut bytes, "storage");
    bytes.extend(b"ctorch\nFloatStorage\n");
    text(&mut bytes, &storage.to_string());
    text(&mut bytes, "cuda:0");
    number(&mut bytes, count);
    bytes.extend(b"tQ");
    number(&mut bytes, offset);
    sizes(&mut bytes, shape);
    sizes(&mut bytes, strides);
    bytes.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    bytes
}

fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A checkpoint of the tensors, as `torch.save` lays it out.
pub(in crate::weights) fn saved(tensors: &[Saved]) -> Vec<u8> {
    let mut items = Vec::new();
    for (number, (key, shape, values)) in tensors.iter().enumerate() {
        let strides: Vec<usize> = (1..=shape.len()).map(|from| shape[from..].iter().product()).collect();
        items.extend(item(key, number, values.len(), 0, shape, &strides));
    }
    archive(&dictionary(&items), &tensors.iter().map(|(_, _, values)| little_endian(values)).collect::<Vec<_>>())
}

fn refusal(bytes: &[u8]) -> String {
    let error = Checkpoint::open(bytes).and_then(|mut checkpoint| checkpoint.tensor("w", &[2, 3])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    error.to_string()
}

#[test]
fn what_pytorch_writes_is_read() {
    let mut checkpoint = Checkpoint::open(TORCH).unwrap();
    assert_eq!(checkpoint.tensors.len(), 8);
    assert_eq!(checkpoint.tensor("attention.weight", &[3, 2, 1]).unwrap(), [0.0, 0.125, 0.25, 0.375, 0.5, 0.625]);
    assert_eq!(checkpoint.tensor("bn.running_mean", &[3]).unwrap(), [-1.5, 0.25, 1e-20]);
    assert_eq!(checkpoint.tensor("bn.weight", &[3]).unwrap(), [1.0; 3]);
    assert_eq!(checkpoint.tensor("part", &[2, 3]).unwrap(), [4.0, 5.0, 6.0, 7.0, 8.0, 9.0], "a part of a storage");
    let columns = checkpoint.tensor("columns", &[3, 2]).unwrap_err().to_string();
    assert!(columns.contains("columns is not stored row by row"), "{columns}");
    let counter = checkpoint.tensor("bn.num_batches_tracked", &[]).unwrap_err().to_string();
    assert!(counter.contains("32-bit floats"), "{counter}");
}

#[test]
fn a_missing_tensor_and_one_of_another_shape_are_named() {
    let values = vec![1.0; 6];
    let bytes = saved(&[("w".to_owned(), vec![2, 3], values.clone())]);
    assert_eq!(Checkpoint::open(&bytes).unwrap().tensor("w", &[2, 3]).unwrap(), values);
    let other = saved(&[("w".to_owned(), vec![3, 2], values)]);
    assert!(refusal(&other).contains("the checkpoint's tensor w has the shape [3, 2]; [2, 3] is expected"), "{}", refusal(&other));
    assert!(refusal(&saved(&[])).contains("the checkpoint's tensor w is missing"), "{}", refusal(&saved(&[])));
}

#[test]
fn values_outside_of_their_storage_are_an_error() {
    let storage = little_endian(&[0.0; 6]);
    let view = |count, offset, shape: &[usize]| dictionary(&item("w", 0, count, offset, shape, &[3, 1]));
    assert!(Checkpoint::open(&archive(&view(6, 0, &[2, 3]), std::slice::from_ref(&storage))).unwrap().tensor("w", &[2, 3]).is_ok());
    for (list, says) in [
        (view(6, 1, &[2, 3]), "larger than its data"),
        (view(6, 0x7fff_ffff, &[2, 3]), "larger than its data"),
        (view(7, 0, &[2, 3]), "length of 24 bytes"),
    ] {
        let refused = refusal(&archive(&list, std::slice::from_ref(&storage)));
        assert!(refused.contains(says) && refused.contains("tensor w"), "{refused}");
    }
    let refused = refusal(&archive(&view(6, 0, &[2, 3]), &[]));
    assert!(refused.contains("test/data/0"), "{refused}");
}

#[test]
fn a_list_that_wants_more_than_tensors_is_refused() {
    let mut nested = b"\x80\x02".to_vec();
    nested.extend(b")\x85".iter().chain([0x85_u8; 100].iter()));
    let twice = b"\x80\x02ccollections\nOrderedDict\n)Rq\x00h\x00.";
    for (list, says) in [
        (&b"\x80\x02cos\nsystem\n(X\x02\x00\x00\x00lstR."[..], "os.system"),
        (b"\x80\x02cbuiltins\neval\n.", "builtins.eval"),
        (b"\x80\x05.", "version 5"),
        (b"\x80\x02(lp0\n.", "operation 0x6c"),
        (b"\x80\x02K\x01.", "not a dictionary"),
        (b"\x80\x02h\x07.", "a value that it does not have"),
        (b"\x80\x02(0", "operation 0x30"),
        (b"\x80\x02)", "ends early"),
        (b"\x80\x02t.", "a value that is not there"),
        (b"\x80\x02}K\x01K\x02s.", "a key that is not a text"),
        (b"\x80\x02\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01.", "too large"),
        (twice, "one dictionary twice"),
        (&nested, "nested too deeply"),
    ] {
        let refused = refusal(&archive(list, &[]));
        assert!(refused.contains(says), "{refused}");
    }
    let long = vec![b'N'; MAX_LIST as usize + 1];
    assert!(refusal(&archive(&long, &[])).contains("length of 1048577 bytes"));
    assert!(refusal(b"not an archive").contains("not a checkpoint of PyTorch"));
    let empty = ZipWriter::new(Cursor::new(Vec::new())).finish().unwrap().into_inner();
    assert!(refusal(&empty).contains("no data.pkl"));
}

/// Bytes that mean something to the reader of lists.
fn operations() -> impl Strategy<Value = Vec<u8>> {
    let pieces = [
        &b"("[..],
        b")",
        b"}",
        b"N",
        b"K\x01",
        b"J\xff\xff\xff\xff",
        b"\x8a\x01\x80",
        b"X\x01\x00\x00\x00w",
        b"X\x07\x00\x00\x00storage",
        b"q\x00",
        b"h\x00",
        b"r\x01\x00\x00\x00",
        b"j\x01\x00\x00\x00",
        b"t",
        b"\x85",
        b"\x86",
        b"\x87",
        b"u",
        b"s",
        b"b",
        b"Q",
        b"R",
        b"\x89",
        b".",
        b"ccollections\nOrderedDict\n",
        b"ctorch._utils\n_rebuild_tensor_v2\n",
        b"ctorch\nFloatStorage\n",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_list_panics(list in prop_oneof![operations(), prop::collection::vec(any::<u8>(), 0..200)]) {
        let _ = pickle::read(&list);
    }
}
