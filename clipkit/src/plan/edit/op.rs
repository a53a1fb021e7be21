use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Aspect, Bumper, CaptionStyle, CensorSound, HookStyle, LayoutChoice, Overlay, Sound, Timestamp, Zoom};
use crate::plan::options::caption_style;
use crate::plan::{Brand, PunchIn};

/// A change of a clip plan. In JSON, `op` names it: `{"op": "delete_words", "words": {"quote": "you
/// know"}}`.
///
/// Words are those of the clip as it is when the operation starts: of the captions, or of the
/// transcript for a plan without captions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum EditOp {
    /// Removes words with their sound and picture. The pause before them stays.
    DeleteWords {
        /// The words to remove.
        words: WordSelection,
    },
    /// Removes everything but these words.
    KeepWords {
        /// The words to keep.
        words: WordSelection,
    },
    /// Moves the clip's start to the start of a sentence. It needs the transcript.
    MoveStart {
        /// The sentence.
        to: SentencePlace,
    },
    /// Moves the clip's end to the end of a sentence. It needs the transcript.
    MoveEnd {
        /// The sentence.
        to: SentencePlace,
    },
    /// Plays the pieces in another order.
    OrderPieces {
        /// The numbers of the pieces, from 0, in their new order: each piece once.
        order: Vec<usize>,
    },
    /// Plays words first, as a hook.
    HookFirst {
        /// The words to start with.
        words: WordSelection,
        /// Whether they also stay at their old place. Default `false`.
        #[serde(default)]
        repeat: bool,
    },
    /// Shortens pauses and removes fillers and repeated words. It needs the speech map.
    Tighten {
        /// How much to remove.
        level: TightenLevel,
    },
    /// Sets the clip's title, after which its file is named.
    Title {
        /// The title.
        title: String,
    },
    /// Sets the hook line, and the text of the title over the first seconds if the plan has one.
    HookLine {
        /// The line. `null` removes it and the title over the first seconds.
        line: Option<String>,
        /// The style of the title over the first seconds. If given, the title is drawn, placed
        /// anew. Default: a title that the plan has keeps its style and place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        style: Option<HookStyle>,
    },
    /// Corrects the text of captions. The times stay.
    CorrectCaption {
        /// The words to correct.
        words: WordSelection,
        /// The right text. If it has as many words, each gets the time of the word that it
        /// replaces, else the time is shared by the lengths of the words.
        text: String,
    },
    /// Sets the style of the captions, and groups and places them anew. A plan without captions
    /// gets them from the transcript.
    CaptionStyle {
        /// A preset's name, `"none"` for no captions, or a style as
        /// [`CaptionStyle::from_json`] reads it.
        #[serde(with = "caption_style")]
        #[schemars(with = "Option<caption_style::StyleOrName>")]
        style: Option<CaptionStyle>,
    },
    /// Censors words: they are not heard, and captions, title, hook line and reason show their
    /// first letters and stars. The words are those of the captions and, if it is given, of the
    /// transcript. What later operations add to the clip is not censored.
    Censor {
        /// The words, as in [`Censor`](crate::plan::Censor).
        words: Vec<String>,
        /// What is heard instead. Default `beep`.
        #[serde(default)]
        with: CensorSound,
    },
    /// Adds music or an effect.
    AddSound {
        /// The sound.
        sound: Sound,
    },
    /// Removes music or an effect.
    RemoveSound {
        /// The number of the sound in the plan, from 0.
        sound: usize,
    },
    /// Plans the framing of a scene anew with a layout, from the faces and subjects in the plan.
    Layout {
        /// The number of the scene, from 0.
        scene: usize,
        /// The layout.
        layout: LayoutChoice,
    },
    /// Corrects the crop of a scene.
    Crop {
        /// The number of the scene, from 0.
        scene: usize,
        /// The number of the window in the layout, from 0: of `split`, top and bottom; of `pip`,
        /// screen and inset. Default 0.
        #[serde(default)]
        window: usize,
        /// The correction.
        change: CropChange,
    },
    /// Sets what the clip's posts say besides the title.
    Post {
        /// The description. `null`, the default, leaves it.
        #[serde(default)]
        description: Option<String>,
        /// The tags, without `#`. `null`, the default, leaves them.
        #[serde(default)]
        tags: Option<Vec<String>>,
    },
    /// Plans the framing anew for another aspect ratio, from the faces and subjects in the plan.
    /// Captions, title and overlays move into the platform's safe area of that ratio. Punch-ins are
    /// removed, since they belong to the old windows.
    Aspect {
        /// The aspect ratio. It sets the output's size.
        aspect: Aspect,
    },
    /// Makes the captions anew from a transcript of the source in another language, which is given
    /// beside the plan.
    Language {
        /// The language of that transcript, as an ISO 639 code.
        language: String,
    },
    /// Replaces the plan's punch-ins by planned ones. They need faces in the plan; numbers and
    /// laughter are known with the transcript only.
    PunchIn {
        /// Where. `null`, the default, removes all.
        #[serde(default)]
        at: Option<PunchIn>,
    },
    /// Adds a punch-in.
    AddZoom {
        /// The punch-in. It may not overlap another.
        zoom: Zoom,
    },
    /// Removes a punch-in.
    RemoveZoom {
        /// The number of the punch-in in the plan, from 0.
        zoom: usize,
    },
    /// Adds an image, an emoji, a text or a progress bar, in front of the overlays that the plan
    /// has. If its place has no area, it stays in the captions' safe area, or in that of all
    /// platforms if the plan has no captions.
    AddOverlay {
        /// The overlay.
        overlay: Overlay,
    },
    /// Gives the plan a brand's look: the captions and the title that it has, the brand's overlays
    /// in front of those that the plan has, its sounds and its fonts. The brand's intro and outro
    /// replace those of the plan.
    Brand {
        /// The brand.
        brand: Box<Brand>,
    },
    /// Removes an overlay.
    RemoveOverlay {
        /// The number of the overlay, from 0.
        overlay: usize,
    },
    /// Sets what plays before the clip. Times on the clip's timeline stay as they are.
    Intro {
        /// The intro. `null`, the default, removes it.
        #[serde(default)]
        bumper: Option<Bumper>,
    },
    /// Sets what plays after the clip.
    Outro {
        /// The outro. `null`, the default, removes it.
        #[serde(default)]
        bumper: Option<Bumper>,
    },
}

impl EditOp {
    /// The operation's name in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            EditOp::DeleteWords { .. } => "delete_words",
            EditOp::KeepWords { .. } => "keep_words",
            EditOp::MoveStart { .. } => "move_start",
            EditOp::MoveEnd { .. } => "move_end",
            EditOp::OrderPieces { .. } => "order_pieces",
            EditOp::HookFirst { .. } => "hook_first",
            EditOp::Tighten { .. } => "tighten",
            EditOp::Title { .. } => "title",
            EditOp::HookLine { .. } => "hook_line",
            EditOp::CorrectCaption { .. } => "correct_caption",
            EditOp::CaptionStyle { .. } => "caption_style",
            EditOp::Censor { .. } => "censor",
            EditOp::AddSound { .. } => "add_sound",
            EditOp::RemoveSound { .. } => "remove_sound",
            EditOp::Layout { .. } => "layout",
            EditOp::Crop { .. } => "crop",
            EditOp::Post { .. } => "post",
            EditOp::Aspect { .. } => "aspect",
            EditOp::Language { .. } => "language",
            EditOp::PunchIn { .. } => "punch_in",
            EditOp::AddZoom { .. } => "add_zoom",
            EditOp::RemoveZoom { .. } => "remove_zoom",
            EditOp::AddOverlay { .. } => "add_overlay",
            EditOp::Brand { .. } => "brand",
            EditOp::RemoveOverlay { .. } => "remove_overlay",
            EditOp::Intro { .. } => "intro",
            EditOp::Outro { .. } => "outro",
        }
    }

    /// The paths of the images, sounds, fonts and bumpers that the operation puts into a plan.
    pub(crate) fn files_mut(&mut self) -> Vec<&mut String> {
        match self {
            EditOp::AddOverlay { overlay } => overlay.file_mut().into_iter().collect(),
            EditOp::AddSound { sound } => vec![&mut sound.file],
            EditOp::Brand { brand } => brand.files_mut().collect(),
            EditOp::Intro { bumper } | EditOp::Outro { bumper } => bumper.iter_mut().map(|bumper| &mut bumper.file).collect(),
            _ => Vec::new(),
        }
    }
}

/// Words of the clip, by their numbers or by a quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", untagged)]
#[non_exhaustive]
pub enum WordSelection {
    /// The words from a number up to but not including another.
    Range(WordRange),
    /// Words that say something. Case and punctuation do not count.
    Quote(WordQuote),
}

impl WordSelection {
    /// The words from a number, from 0, up to but not including another.
    pub const fn range(from: usize, to: usize) -> Self {
        WordSelection::Range(WordRange { from, to })
    }

    /// The one place where this is said.
    pub fn quote(text: impl Into<String>) -> Self {
        WordSelection::Quote(WordQuote { quote: text.into(), occurrence: None, all: false })
    }
}

/// The words from a number up to but not including another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WordRange {
    /// The number of the first word, from 0.
    pub from: usize,
    /// The number after that of the last word.
    pub to: usize,
}

/// Words that say something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WordQuote {
    /// What is said. Case and punctuation do not count.
    pub quote: String,
    /// Which of several places, from 1. Without it, a quote that is said more than once is an
    /// error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<usize>,
    /// Whether all places are meant. Default `false`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// A sentence of the transcript, by its distance or by a quote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[non_exhaustive]
pub enum SentencePlace {
    /// So many sentences further.
    Sentences(SentenceDistance),
    /// The sentence that contains a quote.
    Quote(WordQuote),
}

impl SentencePlace {
    /// So many sentences later, or earlier if the number is negative.
    pub const fn sentences(sentences: i64) -> Self {
        SentencePlace::Sentences(SentenceDistance { sentences })
    }
}

/// A distance in sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SentenceDistance {
    /// The number of sentences: positive is later, negative is earlier, and 0 moves to the bound of
    /// the sentence that the clip starts or ends in.
    pub sentences: i64,
}

/// How much [`EditOp::Tighten`] removes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TightenLevel {
    /// Pauses are shortened to 0.7 s.
    Gentle,
    /// Pauses are shortened to 0.4 s; fillers and repeated words are removed.
    #[default]
    Normal,
    /// Pauses are shortened to 0.2 s; fillers and repeated words are removed.
    Tight,
}

/// A correction of a crop window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum CropChange {
    /// Moves the whole path. It stays inside the picture.
    Move {
        /// The distance to the right, as a fraction of the picture's width.
        #[serde(default)]
        x: f64,
        /// The distance downwards, as a fraction of the picture's height.
        #[serde(default)]
        y: f64,
    },
    /// Follows a face of the plan.
    Follow {
        /// The number of the face track.
        face: u32,
    },
    /// Stays at one position of the path.
    Hold {
        /// The time of the position on the clip's timeline. Default: the scene's start.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
}
