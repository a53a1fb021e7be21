//! Checkpoints of PyTorch: the tensors of a network, as `torch.save` writes a state dictionary.
//!
//! The file is a ZIP archive of uncompressed entries in one folder: `data.pkl`, which lists the
//! tensors, and the folder `data` with their values, as little-endian numbers.

mod pickle;
#[cfg(test)]
pub(super) mod tests;

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::rc::Rc;

use zip::ZipArchive;

use crate::error::{Error, ErrorKind, Result};
use pickle::{Element, View};

/// The largest list of tensors that is read. One of 200 tensors has 20 kB.
const MAX_LIST: u64 = 1 << 20;
/// The name of the list of tensors, in the archive's folder.
const LIST: &str = "data.pkl";

fn unreadable(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidInput, format!("this is not a checkpoint of PyTorch that can be read: {what}"))
}

/// An opened checkpoint.
pub(crate) struct Checkpoint<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// The archive's folder, with a slash at its end.
    folder: String,
    tensors: BTreeMap<Rc<str>, Rc<View>>,
}

impl<'a> Checkpoint<'a> {
    /// Reads the list of tensors. Their values are read by [`tensor`](Self::tensor).
    ///
    /// `ErrorKind::InvalidInput` if `bytes` are not a checkpoint, or need more than tensors.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self> {
        let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
        let in_folder = |name: &str| name.strip_suffix(LIST).filter(|folder| folder.ends_with('/')).map(str::to_owned);
        let folder = archive.file_names().flatten().find_map(|name| in_folder(&name));
        let folder = folder.ok_or_else(|| unreadable(format!("it has no {LIST}")))?;
        let list = entry(&mut archive, &format!("{folder}{LIST}"), |length| length <= MAX_LIST)?;
        let tensors = pickle::read(&list)?.into_iter().collect();
        Ok(Checkpoint { archive, folder, tensors })
    }

    /// The values of the tensor `key` in row-major order.
    ///
    /// `ErrorKind::InvalidInput` if it is missing, of another shape or type, or incomplete.
    pub(crate) fn tensor(&mut self, key: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let refuse = |what: String| Error::new(ErrorKind::InvalidInput, format!("the checkpoint's tensor {key} {what}"));
        let view = self.tensors.get(key).cloned().ok_or_else(|| refuse("is missing".to_owned()))?;
        if !view.shape.iter().copied().eq(shape.iter().map(|size| *size as u64)) {
            return Err(refuse(format!("has the shape {:?}; {shape:?} is expected", view.shape)));
        }
        if view.storage.element != Element::F32 {
            return Err(refuse("does not consist of 32-bit floats".to_owned()));
        }
        if !is_row_major(&view) {
            return Err(refuse("is not stored row by row".to_owned()));
        }
        let part = || {
            let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size))?;
            let offset = usize::try_from(view.offset).ok()?;
            Some(offset.checked_mul(4)?..offset.checked_add(count)?.checked_mul(4)?)
        };
        let file = format!("{}data/{}", self.folder, view.storage.file);
        let bytes = entry(&mut self.archive, &file, |length| Some(length) == view.storage.count.checked_mul(4))
            .map_err(|error| refuse(format!("cannot be read: {}", error.message())))?;
        let bytes = part().and_then(|part| bytes.get(part)).ok_or_else(|| refuse("is larger than its data".to_owned()))?;
        Ok(bytes.as_chunks().0.iter().map(|value| f32::from_le_bytes(*value)).collect())
    }
}

/// Reads what hostile bytes hold, for the fuzz target.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_all(bytes: &[u8]) {
    let Ok(mut checkpoint) = Checkpoint::open(bytes) else { return };
    let tensors: Vec<_> = checkpoint.tensors.clone().into_iter().collect();
    for (key, view) in tensors {
        let shape: Vec<usize> = view.shape.iter().map(|size| *size as usize).collect();
        if let Ok(values) = checkpoint.tensor(&key, &shape) {
            assert!(values.len() * 4 <= bytes.len());
        }
    }
}

/// Whether the elements of a view follow each other, the last dimension fastest. The stride of a
/// dimension with one element means nothing.
fn is_row_major(view: &View) -> bool {
    let mut expected = Some(1_u64);
    view.shape.iter().zip(&view.strides).rev().all(|(size, stride)| {
        let fits = *size == 1 || Some(*stride) == expected;
        expected = expected.and_then(|count| count.checked_mul(*size));
        fits
    })
}

/// The bytes of an entry of the archive, if its length is accepted.
fn entry(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str, accepts: impl FnOnce(u64) -> bool) -> Result<Vec<u8>> {
    let failed = |error: &dyn std::fmt::Display| unreadable(format!("its entry {name}: {error}"));
    let file = archive.by_name(name).map_err(|error| failed(&error))?;
    let length = file.size();
    if !accepts(length) {
        return Err(failed(&format!("its length of {length} bytes is not the expected one")));
    }
    // Nothing is reserved by the length that the entry claims.
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 != length {
        return Err(failed(&format!("{} of {length} bytes are there", bytes.len())));
    }
    Ok(bytes)
}
