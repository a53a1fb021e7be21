use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::Pane;
use super::{
    Bumper, CaptionTrack, Censored, ClipId, FaceTrack, Hook, MediaRef, Output, Overlay, Piece, PostTexts, Scene, Score, Shot, Sound, Span,
    SubjectTrack, Timeline, Timestamp, Zoom,
};

/// Everything that a renderer needs to make one clip. The renderer makes no decisions of its own.
///
/// A plan is written as JSON beside each clip. It can be edited and rendered again. The format is
/// stable within a [`version`](ClipPlan::VERSION). All times except `span` and `pieces` are on the
/// clip's timeline, in seconds from the clip's first frame. In a file with an intro, that frame
/// comes after the intro: time in the file = duration of the intro + time of the clip
/// ([`ClipPlan::parts`]). Positions and sizes are fractions of the displayed source picture
/// (upright, square pixels). Those of captions, of the hook, of overlays and of [`Pane::place`] are
/// fractions of the output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ClipPlan {
    /// The version of this document: [`ClipPlan::VERSION`].
    pub version: u32,
    /// The source file.
    pub source: PlanSource,
    /// The stretch of the source that the clip is made of, on the source's timeline, in seconds. It
    /// ranks and names the clip.
    pub span: Span,
    /// The stretches of the source that the clip plays, in the order in which it plays them. All
    /// lie in `span`. The clip's timeline is their concatenation. An empty list means one piece:
    /// `span`, at the source's speed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<Piece>,
    /// Music and effects that play with the clip's own sound, not during intro and outro.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sound: Vec<Sound>,
    /// The stretches in which the clip's own sound is not heard, because a censored word is said
    /// there: in order of time, without overlaps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub censored: Vec<Censored>,
    /// The clip's title. The clip's file is named after it.
    pub title: String,
    /// Why the scorer chose the span.
    pub reason: String,
    /// A line of text for the clip's first seconds. `None` means that the scorer wrote no line.
    /// Only `hook` makes the renderer draw a title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_line: Option<String>,
    /// The quality of the span as a clip.
    pub score: Score,
    /// The shots, on the clip's timeline. They explain the scenes. The renderer does not read them.
    pub shots: Vec<Shot>,
    /// The face tracks, on the clip's timeline. They explain the crop paths. The renderer does not
    /// read them.
    pub faces: Vec<FaceTrack>,
    /// The tracks of subjects other than faces, on the clip's timeline. They explain the crop
    /// paths. The renderer does not read them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<SubjectTrack>,
    /// The scenes in order of time. They cover the clip from 0 to its end without gaps. A crop
    /// window jumps only between two scenes.
    pub scenes: Vec<Scene>,
    /// The captions. `None` means that the clip has no captions.
    pub captions: Option<CaptionTrack>,
    /// The title over the clip's first seconds. `None` means that the clip has no such title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<Hook>,
    /// Images, texts and progress bars over the picture, from back to front.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlays: Vec<Overlay>,
    /// The punch-ins, in order of time, without overlaps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zooms: Vec<Zoom>,
    /// The paths of font files (TTF, OTF, TTC) that captions, hook and texts can name besides the
    /// installed fonts. A relative path starts at the working folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fonts: Vec<String>,
    /// What plays before the clip. `None` means that the file starts with the clip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intro: Option<Bumper>,
    /// What plays after the clip. `None` means that the file ends with the clip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outro: Option<Bumper>,
    /// What the clip's posts say besides the title.
    #[serde(default, skip_serializing_if = "PostTexts::is_empty")]
    pub post: PostTexts,
    /// The parameters of the file to make.
    pub output: Output,
}

impl ClipPlan {
    /// Makes a plan with scenes. It has no captions, no hook, no overlays, no intro, no outro, no
    /// shots and no tracks.
    pub fn new(source: PlanSource, span: Span, title: impl Into<String>, score: Score, scenes: Vec<Scene>, output: Output) -> Self {
        ClipPlan {
            version: ClipPlan::VERSION,
            source,
            span,
            pieces: Vec::new(),
            sound: Vec::new(),
            censored: Vec::new(),
            title: title.into(),
            reason: String::new(),
            hook_line: None,
            score,
            shots: Vec::new(),
            faces: Vec::new(),
            subjects: Vec::new(),
            scenes,
            captions: None,
            hook: None,
            overlays: Vec::new(),
            zooms: Vec::new(),
            fonts: Vec::new(),
            intro: None,
            outro: None,
            post: PostTexts::default(),
            output,
        }
    }

    /// The clip's identity: a BLAKE3 hash of the source's id and of the fields that determine the
    /// clip's picture and sound (span and pieces, sounds, censored stretches, scenes, captions,
    /// hook, overlays, punch-ins, font files, intro, outro, output). Title, post, reason, score,
    /// shots and tracks are not part of the hash, nor is the content of image and font files. Of
    /// several pieces, those count that [`ClipPlan::timeline`] returns, so two ways to write the
    /// same pieces give the same id.
    pub fn id(&self) -> ClipId {
        #[derive(Serialize)]
        struct Content<'a> {
            source: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            audio_track: Option<usize>,
            span: Span,
            // Absent for one piece, as in plans without pieces.
            #[serde(skip_serializing_if = "Vec::is_empty")]
            pieces: Vec<Piece>,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            sound: Vec<Sound>,
            #[serde(skip_serializing_if = "<[Censored]>::is_empty")]
            censored: &'a [Censored],
            scenes: &'a [Scene],
            captions: &'a Option<CaptionTrack>,
            hook: &'a Option<Hook>,
            // Absent for none, as in plans without overlays.
            #[serde(skip_serializing_if = "<[Overlay]>::is_empty")]
            overlays: &'a [Overlay],
            #[serde(skip_serializing_if = "<[Zoom]>::is_empty")]
            zooms: &'a [Zoom],
            #[serde(skip_serializing_if = "<[String]>::is_empty")]
            fonts: &'a [String],
            #[serde(skip_serializing_if = "Option::is_none")]
            intro: Option<Bumper>,
            #[serde(skip_serializing_if = "Option::is_none")]
            outro: Option<Bumper>,
            output: &'a Output,
        }
        let ClipPlan { source, censored, scenes, captions, hook, overlays, zooms, fonts, output, .. } = self;
        let sound = self.sound.iter().map(Sound::content).collect();
        let timeline = self.timeline();
        let pieces = match timeline.pieces() {
            [only] if only.speed == Piece::NORMAL_SPEED => Vec::new(),
            pieces => pieces.iter().map(|piece| Piece::new(piece.source).at_speed(piece.speed)).collect(),
        };
        let (audio_track, span) = (source.audio_track, timeline.extent());
        let id = source.media.id.as_str();
        let [intro, outro] = [&self.intro, &self.outro].map(|bumper| bumper.as_ref().map(Bumper::content));
        let content = Content {
            source: id,
            audio_track,
            span,
            pieces,
            sound,
            censored,
            scenes,
            captions,
            hook,
            overlays,
            zooms,
            fonts,
            intro,
            outro,
            output,
        };
        // Plain data with string keys always serializes.
        let bytes = serde_json::to_vec(&content).unwrap_or_default();
        let hash = blake3::hash(&bytes).to_hex();
        ClipId::new(&hash.as_str()[..32])
    }

    /// The clip's timeline: the pieces of the source and where they play in the clip.
    pub fn timeline(&self) -> Timeline {
        match &self.pieces[..] {
            [] => Timeline::of(&[Piece::new(self.span)]),
            pieces => Timeline::of(pieces),
        }
    }

    /// The version that this crate writes. The crate also reads version 1.
    pub const VERSION: u32 = 2;
}

/// The source file of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct PlanSource {
    /// The reference to the file. A step that needs the file locates it on its machine.
    pub media: MediaRef,
    /// The width of the displayed picture, in pixels.
    pub width: u32,
    /// The height of the displayed picture, in pixels.
    pub height: u32,
    /// The duration of the file.
    pub duration: Timestamp,
    /// The position of the audio track to render among the file's audio streams, from 0. `None`
    /// means the file's default track.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_track: Option<usize>,
}

impl PlanSource {
    /// Makes a source from its reference, the size of its displayed picture in pixels, and its
    /// duration.
    pub fn new(media: MediaRef, width: u32, height: u32, duration: Timestamp) -> Self {
        PlanSource { media, width, height, duration, audio_track: None }
    }
}
