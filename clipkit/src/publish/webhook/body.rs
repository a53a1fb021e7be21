//! The body of a delivery, which is signed and sent in pieces, so that a clip is never in memory.

use std::path::{Path, PathBuf};

use futures::Stream;
use futures::stream;
use tokio::io::AsyncReadExt;

use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::http::signature::Signing;

/// The bytes that are read at a time.
const PIECE: usize = 256 << 10;

/// A body of known length.
#[derive(Clone, Debug)]
pub(super) struct Body {
    parts: Vec<Part>,
    pub(super) content_type: String,
    pub(super) length: u64,
}

#[derive(Clone, Debug)]
enum Part {
    Bytes(Vec<u8>),
    /// A file, with its length when the body was made.
    File(PathBuf, u64),
}

/// A file of a form.
pub(super) struct FormFile<'a> {
    pub(super) name: &'static str,
    pub(super) file_name: String,
    pub(super) content_type: &'static str,
    pub(super) path: &'a Path,
}

impl Body {
    pub(super) fn json(bytes: Vec<u8>) -> Self {
        Body { length: bytes.len() as u64, parts: vec![Part::Bytes(bytes)], content_type: "application/json".to_owned() }
    }

    /// A form (RFC 7578) of a JSON part and files. `boundary` occurs nowhere in them.
    pub(super) async fn form(boundary: &str, event: &[u8], files: &[FormFile<'_>]) -> Result<Self> {
        let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"event\"\r\nContent-Type: application/json\r\n\r\n")
            .into_bytes();
        head.extend_from_slice(event);
        let mut parts = Vec::new();
        for file in files {
            let metadata = tokio::fs::metadata(file.path).await.map_err(|error| Error::io(file.path, "read the file", error))?;
            let FormFile { name, file_name, content_type, .. } = file;
            head.extend_from_slice(
                format!(
                    "\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\n\
                     Content-Type: {content_type}\r\n\r\n"
                )
                .as_bytes(),
            );
            parts.push(Part::Bytes(std::mem::take(&mut head)));
            parts.push(Part::File(file.path.to_owned(), metadata.len()));
        }
        head.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        parts.push(Part::Bytes(head));
        let length = parts.iter().map(|part| if let Part::File(_, length) = part { *length } else { part.bytes().len() as u64 }).sum();
        Ok(Body { parts, content_type: format!("multipart/form-data; boundary={boundary}"), length })
    }

    /// Feeds the body to a signature.
    pub(super) async fn sign(&self, signing: &mut Signing) -> Result<()> {
        let mut reader = Reader::new(self.parts.clone());
        while let Some(piece) = reader.next().await? {
            signing.update(&piece);
        }
        Ok(())
    }

    /// The body as a stream that reports progress to `cx`.
    pub(super) fn stream(&self, cx: &Context) -> impl Stream<Item = Result<Vec<u8>>> + Send + use<> {
        let (cx, total) = (cx.clone(), self.length.max(1));
        let reader = Reader::new(self.parts.clone());
        stream::try_unfold((reader, 0_u64), move |(mut reader, sent)| {
            let cx = cx.clone();
            async move {
                let Some(piece) = reader.next().await? else { return Ok(None) };
                let sent = sent + piece.len() as u64;
                cx.progress(sent as f64 / total as f64);
                Ok(Some((piece, (reader, sent))))
            }
        })
    }
}

impl Part {
    fn bytes(&self) -> &[u8] {
        match self {
            Part::Bytes(bytes) => bytes,
            Part::File(..) => &[],
        }
    }
}

/// Reads the parts one after the other.
struct Reader {
    parts: std::vec::IntoIter<Part>,
    /// The file that is being read, and how many of its bytes are missing.
    open: Option<(PathBuf, tokio::fs::File, u64)>,
}

impl Reader {
    fn new(parts: Vec<Part>) -> Self {
        Reader { parts: parts.into_iter(), open: None }
    }

    async fn next(&mut self) -> Result<Option<Vec<u8>>> {
        loop {
            if let Some((path, file, missing)) = &mut self.open {
                if *missing == 0 {
                    self.open = None;
                    continue;
                }
                let mut piece = vec![0; PIECE.min(usize::try_from(*missing).unwrap_or(PIECE))];
                let read = file.read(&mut piece).await.map_err(|error| Error::io(&*path, "read the file", error))?;
                if read == 0 {
                    return Err(Error::new(ErrorKind::Io, "the file became shorter while it was sent").with_path(&*path));
                }
                piece.truncate(read);
                *missing -= read as u64;
                return Ok(Some(piece));
            }
            match self.parts.next() {
                None => return Ok(None),
                Some(Part::Bytes(bytes)) if bytes.is_empty() => {}
                Some(Part::Bytes(bytes)) => return Ok(Some(bytes)),
                Some(Part::File(path, length)) => {
                    let file = tokio::fs::File::open(&path).await.map_err(|error| Error::io(&path, "read the file", error))?;
                    self.open = Some((path, file, length));
                }
            }
        }
    }
}
