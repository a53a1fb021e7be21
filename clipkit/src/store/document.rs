use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::model::{Candidate, ClipPlan, Media, Receipt, SpeechMap, Tracks, Transcript};

/// A kind of document in an [`ArtifactStore`](crate::store::ArtifactStore). Its name is a folder of
/// the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ArtifactKind {
    /// A fetched and probed [`Media`].
    Media,
    /// A [`Transcript`].
    Transcript,
    /// Ranked [`Candidate`]s.
    Candidates,
    /// The [`Tracks`] of a span.
    Tracks,
    /// The spans in which a voice is heard.
    SpeechMap,
    /// A [`ClipPlan`].
    Plan,
    /// A [`Receipt`].
    Receipt,
    /// What is known about a publication to a server, which may have been begun only.
    Publication,
}

impl ArtifactKind {
    /// The kind's name in addresses of entries.
    pub fn name(self) -> &'static str {
        match self {
            ArtifactKind::Media => "media",
            ArtifactKind::Transcript => "transcript",
            ArtifactKind::Candidates => "candidates",
            ArtifactKind::Tracks => "tracks",
            ArtifactKind::SpeechMap => "speech",
            ArtifactKind::Plan => "plan",
            ArtifactKind::Receipt => "receipt",
            ArtifactKind::Publication => "publication",
        }
    }

    /// Whether the store's age limit applies. It applies to documents that can be computed again.
    /// It does not apply to plans, which a person may have edited, and to receipts and
    /// publications, which say what was published.
    pub fn expires(self) -> bool {
        !matches!(self, ArtifactKind::Plan | ArtifactKind::Receipt | ArtifactKind::Publication)
    }

    /// The kind with this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        use ArtifactKind::{Candidates, Media, Plan, Publication, Receipt, SpeechMap, Tracks, Transcript};
        [Media, Transcript, Candidates, Tracks, SpeechMap, Plan, Receipt, Publication].into_iter().find(|kind| kind.name() == name)
    }
}

/// A document that an [`ArtifactStore`](crate::store::ArtifactStore) can keep. Implemented for this
/// crate's own documents only.
///
/// The version is part of every key. It rises when the meaning of the document changes, so that
/// documents of an older meaning are not found.
pub trait Document: Serialize + DeserializeOwned + Send + Sync + sealed::Sealed + 'static {
    /// What the document is.
    const KIND: ArtifactKind;
    /// The version of its format and meaning.
    const VERSION: u32;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! documents {
    ($($type:ty: $kind:ident, version $version:expr;)*) => {$(
        impl sealed::Sealed for $type {}

        impl Document for $type {
            const KIND: ArtifactKind = ArtifactKind::$kind;
            const VERSION: u32 = $version;
        }
    )*};
}

documents! {
    Media: Media, version 1;
    Transcript: Transcript, version 1;
    Vec<Candidate>: Candidates, version 1;
    Tracks: Tracks, version 1;
    SpeechMap: SpeechMap, version 2;
    ClipPlan: Plan, version ClipPlan::VERSION;
    Receipt: Receipt, version 1;
}
