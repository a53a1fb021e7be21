//! Makes a [`ClipPlan`](crate::model::ClipPlan) from a transcript and tracks.
//!
//! Everything here is pure: no I/O, no FFmpeg, no network, no clock. A plan depends on its input
//! and options only.
//!
//! - [`snap`](snap::snap) moves the ends of a span into pauses.
//! - [`plan`](plan()) frames each shot of a span, groups its words into caption cues, places
//!   captions and title, and sets the encoder options.
//! - [`edit`](edit::edit) applies operations to a plan: cuts, orders, corrections.
//! - [`export`] writes captions for players, and timelines for editors.
//!
//! ```
//! use clipkit::model::{
//!     Candidate, FaceSample, FaceTrack, Media, Rect, Score, Shot, Span, Timestamp, Tracks,
//!     Transcript, Word,
//! };
//! use clipkit::plan::{PlanInput, PlanOptions, plan};
//!
//! // A 16:9 source of one minute, as a source stage describes it.
//! let media: Media = serde_json::from_value(serde_json::json!({
//!     "uri": "talk.mp4", "path": "talk.mp4", "id": "blake3:00", "container": "mov,mp4",
//!     "duration": 60.0, "audio": [], "subtitles": [],
//!     "video": {
//!         "index": 0, "codec": "h264", "width": 1920, "height": 1080, "pixel_aspect": 1.0,
//!         "orientation": {"clockwise": 0, "mirrored": false}, "frame_rate": {"num": 25, "den": 1},
//!         "variable_rate": false, "pixel_format": "yuv420p", "bit_depth": 8, "start": 0.0,
//!         "color": {
//!             "primaries": "bt709", "transfer": "bt709", "matrix": "bt709", "range": "tv",
//!             "hdr": null,
//!         },
//!     },
//! })).unwrap();
//! let span = Span::secs(10.0, 25.0)?;
//! let words = ["Every", "clock", "is", "wrong."].iter().zip([11.0, 11.4, 11.8, 12.2]);
//! let words = words.map(|(text, at)| Word::new(*text, at, at + 0.4)).collect();
//! let transcript = Transcript::new(words);
//! // One shot with one face in the right part of the picture.
//! let rect = Rect::new(0.7, 0.2, 0.1, 0.18);
//! let sample = |secs: u32| {
//!     let at = Timestamp::from_secs(f64::from(secs));
//!     FaceSample::new(at, rect, 0.9)
//! };
//! let face = FaceTrack::new(0, (10..25).map(sample).collect());
//! let tracks = Tracks::new(vec![Shot::new(span)], vec![face]);
//! let candidate = Candidate::new(span, Score::of(80.0), "Every clock is wrong", "a strong line");
//!
//! let input = PlanInput::new(&media, &transcript, &tracks, &candidate);
//! let (plan, warnings) = plan(&input, &PlanOptions::default())?;
//!
//! assert!(warnings.is_empty());
//! assert_eq!((plan.output.width, plan.output.height), (1080, 1920));
//! // The crop window contains the face, and the captions contain the words.
//! let (crop, _) = plan.scenes[0].layout.panes()[0];
//! let window = crop.at(Timestamp::ZERO);
//! assert!(window.x <= rect.x && rect.x + rect.width <= window.x + window.width);
//! assert_eq!(plan.captions.map(|track| track.cues[0].words.len()), Some(4));
//! # Ok::<(), clipkit::Error>(())
//! ```

mod brand;
pub(crate) mod bumper;
pub(crate) mod caption;
mod censor;
mod compose;
pub mod edit;
pub mod export;
mod options;
mod post_texts;
mod punch_in;
pub(crate) mod reframe;
pub mod snap;

pub use brand::Brand;
pub use censor::Censor;
pub(crate) use compose::source_of;
pub use compose::{PlanInput, plan};
pub use options::PlanOptions;
pub(crate) use options::caption_style;
pub use punch_in::PunchIn;
pub(crate) use punch_in::{Heard, punch_ins};
