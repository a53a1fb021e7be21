//! The sounds of intro, clip and outro as one stream.

use super::clip_audio::PartOfSound;
use super::joined_audio::{FADE, Stereo, mix};
use crate::av::{AAC_FRAME, AudioFrame, stereo_frame};
use crate::error::Result;

/// Joins the sounds of parts, with a crossfade of 10 ms around each join, and passes on frames of
/// [`AAC_FRAME`] samples, of which only the last may be shorter.
///
/// A part has half a crossfade more than it lasts wherever another is beside it, so the join falls
/// on its sample. A part between two others lasts at least one crossfade.
pub(super) struct PartJoiner<'a> {
    take: &'a mut dyn FnMut(&AudioFrame) -> Result<()>,
    /// What is not passed on yet.
    pending: Stereo,
    /// The samples of the current part that were received, and its place in `pending`.
    received: usize,
    start: usize,
    /// The number of samples at the current part's start that are mixed with what is pending, and
    /// of those at its end that stay pending.
    mixed: usize,
    held: usize,
    position: i64,
}

impl<'a> PartJoiner<'a> {
    pub(super) fn new(take: &'a mut dyn FnMut(&AudioFrame) -> Result<()>) -> Self {
        PartJoiner { take, pending: Stereo::default(), received: 0, start: 0, mixed: 0, held: 0, position: 0 }
    }

    /// Starts the next part.
    pub(super) fn begin(&mut self, part: &PartOfSound) {
        let length = |is_beside: bool| if is_beside { FADE } else { 0 };
        (self.mixed, self.held) = (length(part.before), length(part.after));
        self.start = self.pending.len().saturating_sub(self.mixed);
        self.received = 0;
    }

    /// Adds the next samples of the part.
    pub(super) fn push(&mut self, frame: &AudioFrame) -> Result<()> {
        let count = frame.samples();
        let mixed = self.mixed.saturating_sub(self.received).min(count);
        for (n, channel) in self.pending.0.iter_mut().enumerate() {
            let samples = frame.plane::<f32>(n);
            for (at, sample) in (self.received..).zip(samples.iter().take(mixed)) {
                if let Some(before) = channel.get_mut(self.start + at) {
                    *before = mix(*before, *sample, at);
                }
            }
        }
        self.pending.extend(Some(frame), mixed, count - mixed);
        self.received += count;
        if self.received > self.mixed { self.pass_on(self.held) } else { Ok(()) }
    }

    /// Passes on the rest.
    pub(super) fn finish(mut self) -> Result<()> {
        self.pass_on(0)?;
        let rest = self.pending.len();
        if rest > 0 { self.emit(0, rest) } else { Ok(()) }
    }

    /// Passes on all whole frames but those that need one of the last `held` samples.
    fn pass_on(&mut self, held: usize) -> Result<()> {
        let mut passed = 0;
        while self.pending.len() >= passed + AAC_FRAME + held {
            self.emit(passed, AAC_FRAME)?;
            passed += AAC_FRAME;
        }
        self.pending.0.iter_mut().for_each(|channel| drop(channel.drain(..passed)));
        self.start = self.start.saturating_sub(passed);
        Ok(())
    }

    fn emit(&mut self, from: usize, count: usize) -> Result<()> {
        let [left, right] = &self.pending.0;
        let frame = stereo_frame(&left[from..from + count], &right[from..from + count], self.position)?;
        self.position += count as i64;
        (self.take)(&frame)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The joined sound of parts with their own levels, in frames of `step` samples.
    fn joined(parts: &[(u64, f32)], step: usize) -> (Vec<f32>, Vec<usize>) {
        let (mut heard, mut frames) = (Vec::new(), Vec::new());
        let mut take = |frame: &AudioFrame| {
            assert_eq!(frame.pts(), Some(heard.len() as i64));
            heard.extend_from_slice(frame.plane::<f32>(1));
            frames.push(frame.samples());
            Ok(())
        };
        let mut joiner = PartJoiner::new(&mut take);
        for (n, (samples, level)) in parts.iter().enumerate() {
            let part = PartOfSound { before: n > 0, after: n + 1 < parts.len(), ..PartOfSound::whole(*samples) };
            joiner.begin(&part);
            let all = vec![*level; part.total() as usize];
            all.chunks(step).for_each(|some| joiner.push(&stereo_frame(some, some, 0).unwrap()).unwrap());
        }
        joiner.finish().unwrap();
        (heard, frames)
    }

    #[test]
    fn a_crossfade_has_its_middle_at_the_join() {
        let (heard, _) = joined(&[(5000, 0.2), (7000, 0.8), (3000, -0.4)], 1024);
        assert_eq!(heard.len(), 15_000);
        for (n, level) in [(0, 0.2), (4759, 0.2), (5240, 0.8), (11_759, 0.8), (12_240, -0.4), (14_999, -0.4)] {
            assert!((heard[n] - level).abs() < 1e-6, "{n}: {}", heard[n]);
        }
        assert!((heard[4999] - 0.5).abs() < 0.002 && (heard[5000] - 0.5).abs() < 0.002, "{} {}", heard[4999], heard[5000]);
        let step = heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
        assert!(step < 0.005, "{step}");
    }

    proptest! {
        #[test]
        fn parts_have_their_lengths_and_frames_are_whole(lengths in prop::collection::vec(FADE as u64..6000, 1..4), step in 1..2000_usize) {
            let parts: Vec<(u64, f32)> = lengths.iter().map(|length| (*length, 0.5)).collect();
            let (heard, frames) = joined(&parts, step);
            prop_assert_eq!(heard.len() as u64, lengths.iter().sum::<u64>());
            prop_assert!(frames.split_last().is_none_or(|(last, whole)| *last <= AAC_FRAME && whole.iter().all(|count| *count == AAC_FRAME)));
            // Gains add up to 1.
            prop_assert!(heard.iter().all(|sample| (sample - 0.5).abs() < 1e-5));
        }
    }
}
