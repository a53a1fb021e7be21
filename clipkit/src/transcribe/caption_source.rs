//! Captions of a video, wherever they are: a file beside it, or a stream inside it.

use super::embedded::describe;
use super::language::of_container;
use super::sidecar::Sidecar;
use super::text::{self, Coding, Packet, ReadOptions, ReadTranscript};
use crate::av;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{Limit, Media, SubtitleStream};

/// Where captions are.
#[derive(Clone, Debug)]
pub(super) enum Captioned {
    File(Sidecar),
    Stream { stream: SubtitleStream, coding: Coding },
}

impl Captioned {
    /// The name in warnings.
    pub(super) fn name(&self) -> String {
        match self {
            Captioned::File(sidecar) => sidecar.name(),
            Captioned::Stream { stream, .. } => describe(stream),
        }
    }

    /// The language that the file's name or the stream states, as a BCP 47 tag.
    pub(super) fn language(&self) -> Option<String> {
        match self {
            Captioned::File(sidecar) => sidecar.language.clone(),
            Captioned::Stream { stream, .. } => stream.language.as_deref().and_then(of_container),
        }
    }

    /// Whether `other` has other captions of the same kind of place. Streams are seldom named
    /// beside files: a file was put there to be used.
    pub(super) fn differs_from(&self, other: &Captioned) -> bool {
        match (self, other) {
            (Captioned::File(one), Captioned::File(other)) => one.differs_from(other),
            (Captioned::Stream { stream: one, .. }, Captioned::Stream { stream: other, .. }) => one.index != other.index,
            _ => false,
        }
    }
}

/// Captions in memory, before they are read.
pub(super) struct Loaded {
    /// The name in the transcript and in warnings.
    pub(super) origin: String,
    content: Content,
    path: std::path::PathBuf,
}

enum Content {
    Bytes(Vec<u8>),
    Packets(Vec<Packet>, Coding),
}

/// Loads captions.
pub(super) fn load(cx: &Context, media: &Media, captioned: &Captioned) -> Result<Loaded> {
    match captioned {
        Captioned::File(sidecar) => {
            let origin = sidecar.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let bytes = cx.read_within(&sidecar.path, "read", cx.limits().transcript_bytes, Limit::TranscriptBytes)?;
            Ok(Loaded { origin, content: Content::Bytes(bytes), path: sidecar.path.clone() })
        }
        Captioned::Stream { stream, coding } => {
            let origin = format!("{} subtitles, stream {}", stream.codec, stream.index);
            let packets = av::read_subtitles(cx, media, stream.index)?;
            let packets = packets.into_iter().map(|packet| Packet { start: packet.start, end: packet.end, data: packet.data }).collect();
            Ok(Loaded { origin, content: Content::Packets(packets, *coding), path: media.path.clone() })
        }
    }
}

impl Loaded {
    /// Reads the captions.
    pub(super) fn parse(&self, options: &ReadOptions) -> Result<ReadTranscript> {
        match &self.content {
            Content::Bytes(bytes) => text::read_transcript(bytes, options).map_err(|error| error.with_path(&self.path)),
            Content::Packets(packets, coding) => text::read_stream(packets, *coding, options).map_err(|error| self.of_stream(error)),
        }
    }

    /// The error with the stream's name.
    fn of_stream(&self, error: Error) -> Error {
        let named = Error::new(error.kind(), format!("{}: {}", self.origin, error.message())).with_path(&self.path);
        match error.advice() {
            Some(advice) => named.with_advice(advice),
            None => named,
        }
    }
}
