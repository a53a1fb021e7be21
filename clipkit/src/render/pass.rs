use super::ffmpeg::Files;
use super::frame::Framer;
use super::loudness;
use super::sound::Sound;
use super::witness::{LOOK, Witness};
use crate::av::{AudioSettings, Effort, Mp4Writer, Picture, Progressive, RgbImage, Thumbnailer, VideoReader, VideoSettings};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ClipPlan, FrameRate, Media, Timestamp};

/// A frame counts as due this long before its time: containers round to a millisecond.
const ROUNDING_SECS: f64 = 0.000_5;
/// The cover is taken this far into the clip: the first frame is often a blink or a blur.
const COVER_AT: f64 = 0.25;
/// A picture that ends this long before its clip is worth a warning.
const HELD_SECS: f64 = 1.0;

/// Makes the clip in one pass over its span and answers the frame for its cover, and what the file has to hold. Peaks of the sound are held
/// `lower` dB further below the plan's limit than usual.
pub(super) fn run(cx: &Context, plan: &ClipPlan, media: &Media, files: &Files, threads: usize, lower: f64) -> Result<(RgbImage, Witness)> {
    let rate = plan.output.frame_rate;
    let mut shutter = Shutter::open(cx, plan, media, threads)?;
    let mut framer = Framer::new(cx, plan, media, files, threads)?;
    let mut sound = Sound::open(cx, media, plan.span)?;
    let (treatment, loudness) = loudness::settle(cx, &mut sound, plan, lower)?;
    sound.rewind(treatment)?;
    let mut look = Thumbnailer::new(media.require_video()?, LOOK);
    let mut witness = Witness { loudness, ..Witness::default() };
    let video = VideoSettings {
        width: plan.output.width,
        height: plan.output.height,
        frame_rate: rate,
        preset: plan.output.preset.name(),
        crf: plan.output.crf,
        threads,
    };
    let audio = AudioSettings { bitrate: plan.output.audio_bitrate };
    let mut writer = Mp4Writer::create(&files.video, &plan.title, &video, &audio)?;

    let frames = plan.frames();
    let cover_at = (frames as f64 * COVER_AT) as u64;
    let mut cover = None;
    for n in 0..frames {
        cx.check()?;
        let source = shutter.at(n)?;
        let mut frame = framer.apply(source, n)?;
        witness.see(&frame, source, &mut look)?;
        writer.write_video(&mut frame)?;
        sound.write_until(rate.frame_start(n + 1), &mut writer)?;
        if n == cover_at {
            cover = Some(RgbImage::of_output(&frame)?);
        }
        framer.give_back(frame);
        if n % 8 == 0 {
            cx.progress(n as f64 / frames as f64);
        }
    }
    witness.sound = sound.write_rest(&mut writer)?;
    witness.seals = writer.finish()?;
    if shutter.held > HELD_SECS {
        cx.warn(format!("the source's picture ends {:.1} s before the clip does; its last frame stands", shutter.held));
    }
    cx.progress(1.0);
    let cover = cover.ok_or_else(|| Error::new(ErrorKind::Encode, "the clip has no frame for its cover"))?;
    Ok((cover, witness))
}

/// Shows, for each frame of the clip, the source's frame of that moment: from any frame rate, constant or not, to the clip's.
struct Shutter {
    pictures: Progressive,
    start: Timestamp,
    rate: FrameRate,
    shown: Picture,
    upcoming: Option<Picture>,
    /// Seconds of the clip for which the source had no more frames.
    held: f64,
}

impl Shutter {
    fn open(cx: &Context, plan: &ClipPlan, media: &Media, threads: usize) -> Result<Self> {
        let start = plan.span.start();
        let mut reader = VideoReader::open(cx, media, Effort::Exact, threads)?;
        reader.seek(start)?;
        let mut pictures = Progressive::new(cx, reader, threads);
        // A picture that starts later than the clip (sound often leads by a moment) shows its first frame from the start.
        let Some(shown) = pictures.next()? else {
            return Err(Error::new(ErrorKind::Decode, "there is no picture in this span").with_path(&media.path).with_time(start));
        };
        let upcoming = pictures.next()?;
        Ok(Shutter { pictures, start, rate: plan.output.frame_rate, shown, upcoming, held: 0.0 })
    }

    fn at(&mut self, n: u64) -> Result<&Picture> {
        let due = self.rate.frame_start(n).offset(self.start).plus(ROUNDING_SECS);
        while self.upcoming.as_ref().is_some_and(|next| next.at() <= due) {
            let after = self.pictures.next()?;
            if let Some(next) = std::mem::replace(&mut self.upcoming, after) {
                self.shown = next;
            }
        }
        if self.upcoming.is_none() {
            self.held = due.since(self.shown.at()).secs();
        }
        Ok(&self.shown)
    }
}
