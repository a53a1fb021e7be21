//! A cut in whole frames, which every format of a timeline writes.

use std::ops::Range;

use super::captions::Line;
use super::framing::{Framing, framing};
use super::rate::timeline_rate;
use super::reference::Reference;
use super::source_file::SourceFile;
use super::timecode::nominal;
use super::{ExportFormat, ExportOptions, PlanOfMedia, warning};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Bumper, ClipPlan, FrameRate, Layout, Media, PlacedPiece, Scene, Timestamp, Warning};
use crate::plan::bumper::as_clip;

/// A frame counts as due this long before its time, as in the renderer: containers round times to
/// a millisecond.
const ROUNDING_MICROS: i64 = 500;

/// A cut: clips one after the other, in frames from the timeline's first one.
pub(super) struct Cut {
    pub(super) name: String,
    pub(super) rate: FrameRate,
    /// The label of the first frame, as a number of frames, and whether labels are drop frame.
    pub(super) start: u64,
    pub(super) drop: bool,
    /// The width and height of the picture, in pixels.
    pub(super) size: (u32, u32),
    pub(super) frames: u64,
    pub(super) files: Vec<SourceFile>,
    /// The clips of the main track, without gaps.
    pub(super) clips: Vec<CutClip>,
    /// The second windows of split layouts and insets, above the main track.
    pub(super) insets: Vec<CutClip>,
    pub(super) captions: Vec<Note>,
    pub(super) markers: Vec<Note>,
    /// The language of the captions, as an ISO 639 code.
    pub(super) language: String,
}

/// A clip: a stretch of a source file.
pub(super) struct CutClip {
    /// The position of the file in [`Cut::files`].
    pub(super) file: usize,
    pub(super) name: String,
    /// Where the clip plays on the timeline.
    pub(super) record: Range<u64>,
    /// The first source frame, from the file's first one, and the number of source frames that
    /// play.
    pub(super) source_in: u64,
    pub(super) source_frames: u64,
    pub(super) speed: f64,
    pub(super) framing: Framing,
    /// The position among the file's audio streams of the one that is on.
    pub(super) audio_track: usize,
}

impl CutClip {
    pub(super) fn frames(&self) -> u64 {
        self.record.end - self.record.start
    }

    pub(super) fn is_retimed(&self) -> bool {
        self.speed != 1.0
    }
}

/// A text over a stretch of the timeline: a caption or a marker.
pub(super) struct Note {
    pub(super) record: Range<u64>,
    pub(super) text: String,
    pub(super) kind: NoteKind,
}

impl Note {
    /// The text with what it is.
    pub(super) fn title(&self) -> String {
        match self.kind {
            NoteKind::Hook => format!("Hook: {}", self.text),
            NoteKind::Clip => format!("Clip: {}", self.text),
            NoteKind::Scene | NoteKind::Caption => self.text.clone(),
        }
    }
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoteKind {
    Caption,
    Clip,
    Hook,
    Scene,
}

impl NoteKind {
    pub(super) fn name(self) -> &'static str {
        match self {
            NoteKind::Caption => "caption",
            NoteKind::Clip => "clip",
            NoteKind::Hook => "hook",
            NoteKind::Scene => "scene",
        }
    }

    /// The marker's colour, by its name in OpenTimelineIO and in Avid's comments.
    pub(super) fn color(self) -> &'static str {
        match self {
            NoteKind::Caption => "YELLOW",
            NoteKind::Clip => "BLUE",
            NoteKind::Hook => "RED",
            NoteKind::Scene => "GREEN",
        }
    }
}

impl Cut {
    pub(super) fn of(plans: &[PlanOfMedia<'_>], format: ExportFormat, options: &ExportOptions) -> Result<(Cut, Vec<Warning>)> {
        let Some(first) = plans.first() else {
            return Err(Error::new(ErrorKind::InvalidInput, "there is no plan to export"));
        };
        let mut warnings = Vec::new();
        let rate = timeline_rate(first.media.require_video()?, format).rate;
        let size = (first.plan.output.width, first.plan.output.height);
        let language = first.media.about.language.as_deref().and_then(|tag| tag.split(['-', '_']).next());
        let mut cut = Cut {
            name: options.name.clone().unwrap_or_else(|| first.plan.title.clone()),
            rate,
            start: options.start.frames(rate)?,
            drop: options.start.is_drop_frame(),
            size,
            frames: 0,
            files: Vec::new(),
            clips: Vec::new(),
            insets: Vec::new(),
            captions: Vec::new(),
            markers: Vec::new(),
            language: language.filter(|tag| (2..=3).contains(&tag.len())).unwrap_or("en").to_lowercase(),
        };
        for of in plans {
            let PlanOfMedia { plan, media, .. } = of;
            plan.validate()?;
            let found = timeline_rate(media.require_video()?, format);
            if found.rate != rate || (plan.output.width, plan.output.height) != size {
                return Err(Error::new(
                    ErrorKind::InvalidInput,
                    format!(
                        "one timeline has one frame rate and size: {rate} and {}x{} here, {} and {}x{} in another plan",
                        size.0, size.1, found.rate, plan.output.width, plan.output.height
                    ),
                )
                .with_path(&media.path)
                .with_advice("write a file for each plan"));
            }
            if let Some(why) = found.inexact {
                let message =
                    format!("{}: {why}: the timeline has {rate} frames a second, and cuts may be off by a frame", media.path.display());
                warnings.push(warning(message));
            }
            cut.add(of, options, plans.len() > 1, &mut warnings)?;
        }
        let day = 86_400 * u64::from(nominal(rate));
        if cut.start + cut.frames > day {
            return Err(Error::new(ErrorKind::InvalidInput, format!("the timeline passes 24 hours: it starts at {}", options.start))
                .with_advice("give an earlier start time code"));
        }
        Ok((cut, warnings))
    }

    fn add(&mut self, of: &PlanOfMedia<'_>, options: &ExportOptions, is_one_of_many: bool, warnings: &mut Vec<Warning>) -> Result<()> {
        let &PlanOfMedia { plan, media, intro, outro } = of;
        self.add_bumper(("Intro", &plan.intro, intro), plan, options, warnings)?;
        self.add_clip(plan, media, options, is_one_of_many, warnings)?;
        self.add_bumper(("Outro", &plan.outro, outro), plan, options, warnings)
    }

    /// Adds an intro or an outro as a clip of its own file.
    fn add_bumper(
        &mut self,
        (name, bumper, media): (&str, &Option<Bumper>, Option<&Media>),
        plan: &ClipPlan,
        options: &ExportOptions,
        warnings: &mut Vec<Warning>,
    ) -> Result<()> {
        let Some(bumper) = bumper else { return Ok(()) };
        let what = name.to_lowercase();
        let Some(media) = media else {
            return Err(Error::new(ErrorKind::InvalidInput, format!("the medium of the plan's {what} is not given"))
                .with_path(&bumper.file)
                .with_advice(format!("give it (PlanOfMedia::with_{what}), or use stage::export")));
        };
        let mut clip = as_clip(&what, bumper, media, &plan.output)?;
        name.clone_into(&mut clip.title);
        let rate = media.require_video()?.frame_rate;
        if !bumper.is_image() && rate != self.rate {
            let message =
                format!("the {what} has {rate} frames a second, the timeline {}: its start and end may be off by a frame", self.rate);
            warnings.push(warning(message));
        }
        if bumper.gain != 0.0 || bumper.fade_in > 0.0 || bumper.fade_out > 0.0 {
            warnings.push(warning(format!("gain and fades of the {what} are left out: the timeline plays its file as it is")));
        }
        let file = self.file(&clip, media, options, warnings)?;
        if let Some(file) = self.files.get_mut(file) {
            file.is_image = bumper.is_image();
        }
        self.frames += self.add_pieces(&clip, media, file, warnings)?.total;
        Ok(())
    }

    fn add_clip(
        &mut self,
        plan: &ClipPlan,
        media: &Media,
        options: &ExportOptions,
        is_one_of_many: bool,
        warnings: &mut Vec<Warning>,
    ) -> Result<()> {
        let file = self.file(plan, media, options, warnings)?;
        if !plan.overlays.is_empty() {
            warnings.push(warning(format!("the {} overlays of the plan are left out: a timeline has none", plan.overlays.len())));
        }
        if !plan.sound.is_empty() {
            warnings.push(warning(format!(
                "{}: the timeline has no music and effects, of which the plan has {}",
                plan.title,
                plan.sound.len()
            )));
        }
        if !plan.censored.is_empty() {
            let count = plan.censored.len();
            warnings.push(warning(format!("{}: {count} censored words are heard in the timeline, which plays the source", plan.title)));
        }
        let clip = self.add_pieces(plan, media, file, warnings)?;
        if options.captions {
            self.add_captions(plan, &clip);
        }
        if options.markers {
            self.add_markers(plan, &clip, is_one_of_many);
        }
        self.frames += clip.total;
        Ok(())
    }

    /// Adds the pieces of a plan as clips. `file` is the position of its file.
    fn add_pieces(&mut self, plan: &ClipPlan, media: &Media, file: usize, warnings: &mut Vec<Warning>) -> Result<ClipFrames> {
        let video = media.require_video()?;
        let (rate, timeline) = (self.rate, plan.timeline());
        let clip = ClipFrames { rate, total: timeline.frames(rate) };
        let (offset, available) = (self.frames, self.files.get(file).map_or(0, |file| file.frames));
        let audio_track = plan.source.audio_track.or(media.audio_track).unwrap_or(0);
        let pieces = timeline.pieces();
        let (mut unseen, mut missing) = (0_usize, 0_u64);
        for (n, piece) in pieces.iter().enumerate() {
            let frames = clip.piece(pieces, n);
            if frames.is_empty() {
                unseen += 1;
                continue;
            }
            let count = frames.end - frames.start;
            let source_frames = if piece.speed == 1.0 { count } else { ((count as f64 * piece.speed).round() as u64).max(1) };
            let mut source_in = clip.source_frame(piece, frames.start, video.start);
            let over = (source_in + source_frames).saturating_sub(available);
            // The last frame may lie in the rounding of the source's end.
            source_in = source_in.saturating_sub(over.min(1));
            missing = missing.max(over.saturating_sub(1));
            let name = match pieces.len() {
                1 => plan.title.clone(),
                _ => format!("{} {}", plan.title, n + 1),
            };
            let made = |frames: Range<u64>, framing: Framing| {
                let into = frames.start.saturating_sub(clip.piece(pieces, n).start);
                CutClip {
                    file,
                    name: name.clone(),
                    record: frames.start + offset..frames.end + offset,
                    source_in: source_in + (into as f64 * piece.speed).round() as u64,
                    source_frames: if piece.speed == 1.0 {
                        frames.end - frames.start
                    } else {
                        (((frames.end - frames.start) as f64 * piece.speed).round() as u64).max(1)
                    },
                    speed: piece.speed,
                    framing,
                    audio_track,
                }
            };
            for scene in &plan.scenes {
                let seen = clip.scene(scene, &frames);
                if let (false, Some((crop, place))) = (seen.is_empty(), scene.layout.panes().get(1)) {
                    let keys = framing(&[(seen.clone(), *crop, *place, &[])], rate, seen.start);
                    self.insets.push(made(seen, keys));
                }
            }
            let windows: Vec<_> = plan
                .scenes
                .iter()
                .filter_map(|scene| {
                    let (crop, place) = *scene.layout.panes().first()?;
                    let zooms = if let Layout::Fill { .. } = scene.layout { &plan.zooms[..] } else { &[] };
                    Some((clip.scene(scene, &frames), crop, place, zooms)).filter(|(seen, ..)| !seen.is_empty())
                })
                .collect();
            let keys = framing(&windows, rate, frames.start);
            self.clips.push(made(frames, keys));
        }
        if unseen > 0 {
            warnings.push(warning(format!("{unseen} pieces are shorter than a frame of the timeline, so it does not have them")));
        }
        if missing > 0 {
            warnings.push(warning(format!("{}: the picture ends {missing} frames before the clip does", media.path.display())));
        }
        Ok(clip)
    }

    /// The position of a plan's source file, which is added at its first use.
    fn file(&mut self, plan: &ClipPlan, media: &Media, options: &ExportOptions, warnings: &mut Vec<Warning>) -> Result<usize> {
        let reference = Reference::of(media, options.relative_to.as_deref());
        if let Some(found) = self.files.iter().position(|file| file.is(media, &reference)) {
            return Ok(found);
        }
        self.files.push(SourceFile::of(plan, media, reference, self.rate, warnings)?);
        Ok(self.files.len() - 1)
    }

    fn add_captions(&mut self, plan: &ClipPlan, clip: &ClipFrames) {
        let Some(track) = &plan.captions else { return };
        for cue in &track.cues {
            let line = Line::of(cue, Timestamp::ZERO);
            let text = line.text();
            let start = nearest_frame(line.span.start().micros(), self.rate);
            // A cue's last frame is not the next one's first.
            let end = nearest_frame(line.span.end().micros(), self.rate).max(start + 1).min(clip.total);
            if !text.is_empty() && start < end {
                let after = self.captions.last().map_or(0, |last| last.record.end);
                let record = (start + self.frames).max(after)..end + self.frames;
                if !record.is_empty() {
                    self.captions.push(Note { record, text, kind: NoteKind::Caption });
                }
            }
        }
    }

    fn add_markers(&mut self, plan: &ClipPlan, clip: &ClipFrames, is_one_of_many: bool) {
        let offset = self.frames;
        let mut mark = |start: u64, end: u64, kind: NoteKind, text: String| {
            let start = start.min(clip.total.saturating_sub(1));
            let record = start + offset..end.clamp(start + 1, clip.total.max(start + 1)) + offset;
            self.markers.push(Note { record, text, kind });
        };
        if is_one_of_many {
            mark(0, 1, NoteKind::Clip, plan.title.clone());
        }
        match (&plan.hook, &plan.hook_line) {
            (Some(hook), _) => {
                let (start, end) = (hook.span.start().micros(), hook.span.end().micros());
                mark(nearest_frame(start, self.rate), nearest_frame(end, self.rate), NoteKind::Hook, hook.text.clone());
            }
            (None, Some(line)) => mark(0, 1, NoteKind::Hook, line.clone()),
            (None, None) => {}
        }
        for (n, scene) in plan.scenes.iter().enumerate() {
            let layout = match &scene.layout {
                Layout::Fill { .. } => "fill",
                Layout::Split { .. } => "split",
                Layout::Fit { .. } => "fit",
                Layout::Pip { .. } => "pip",
            };
            mark(clip.edge(scene.span.start()), 0, NoteKind::Scene, format!("Scene {}: {layout}", n + 1));
        }
    }
}

/// The frames of one plan, from its first one.
struct ClipFrames {
    rate: FrameRate,
    total: u64,
}

impl ClipFrames {
    /// The first frame at or after a time of the clip.
    fn edge(&self, at: Timestamp) -> u64 {
        let micros = i128::from(at.micros().saturating_sub(ROUNDING_MICROS).max(0));
        let second = i128::from(self.rate.den.max(1)) * 1_000_000;
        let frame = (micros * i128::from(self.rate.num) + second - 1) / second;
        u64::try_from(frame).unwrap_or(u64::MAX).min(self.total)
    }

    fn piece(&self, pieces: &[PlacedPiece], n: usize) -> Range<u64> {
        let start = pieces.get(n).map_or(0, |piece| self.edge(piece.clip.start()));
        start..pieces.get(n + 1).map_or(self.total, |next| self.edge(next.clip.start()))
    }

    /// The frames of a stretch of the clip in which a scene is shown.
    fn scene(&self, scene: &Scene, within: &Range<u64>) -> Range<u64> {
        let start = self.edge(scene.span.start());
        // The last scene ends with the clip, whatever the rounding of its end.
        let end = if self.edge(scene.span.end()) + 1 >= self.total { self.total } else { self.edge(scene.span.end()) };
        start.max(within.start)..end.min(within.end)
    }

    /// The source frame on screen at a frame of the clip, counted from the source's first picture.
    fn source_frame(&self, piece: &PlacedPiece, frame: u64, first: Timestamp) -> u64 {
        // The first frame may be due a moment before its piece: the others of the piece decide.
        let into = self.rate.frame_start(frame).since(piece.clip.start()).micros() as f64 * piece.speed;
        let at = piece.source.start().offset(Timestamp::from_micros(into.round() as i64)).since(first);
        let micros = i128::from(at.micros().saturating_add(ROUNDING_MICROS).max(0));
        let shown = micros * i128::from(self.rate.num) / (i128::from(self.rate.den.max(1)) * 1_000_000);
        u64::try_from(shown).unwrap_or(0)
    }
}

/// The frame that starts nearest to a time in microseconds.
pub(super) fn nearest_frame(micros: i64, rate: FrameRate) -> u64 {
    let second = i128::from(rate.den.max(1)) * 1_000_000;
    let frame = (i128::from(micros.max(0)) * i128::from(rate.num) + second / 2) / second;
    u64::try_from(frame).unwrap_or(u64::MAX)
}
