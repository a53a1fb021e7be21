//! The clip's timeline as a concatenation of pieces of the source.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FrameRate, Span, Timestamp};

/// A stretch of the source that a clip plays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Piece {
    /// The stretch on the source's timeline, in seconds.
    pub span: Span,
    /// The playback speed, 0.5 to 2: source time divided by clip time. The pitch of the sound is
    /// kept. Default 1.
    #[serde(default = "normal", skip_serializing_if = "is_normal")]
    pub speed: f64,
}

fn normal() -> f64 {
    Piece::NORMAL_SPEED
}

#[allow(clippy::trivially_copy_pass_by_ref)] // Serde passes a reference.
fn is_normal(speed: &f64) -> bool {
    *speed == Piece::NORMAL_SPEED
}

impl Piece {
    /// The speed of the source.
    pub const NORMAL_SPEED: f64 = 1.0;
    /// The lowest and the highest speed.
    pub const SPEEDS: (f64, f64) = (0.5, 2.0);

    /// Makes a piece that plays at the source's speed.
    pub const fn new(span: Span) -> Self {
        Piece { span, speed: Piece::NORMAL_SPEED }
    }

    /// The same piece at another speed.
    #[must_use]
    pub const fn at_speed(self, speed: f64) -> Self {
        Piece { speed, ..self }
    }
}

/// A piece and the place where it plays in the clip.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlacedPiece {
    /// The stretch on the source's timeline.
    pub source: Span,
    /// The stretch on the clip's timeline.
    pub clip: Span,
    /// Source time divided by clip time.
    pub speed: f64,
}

impl PlacedPiece {
    /// The source time that plays at a time of the clip. A time outside the piece gives the nearest
    /// end.
    pub fn source_time(&self, at: Timestamp) -> Timestamp {
        let into = at.clamp(self.clip.start(), self.clip.end()).since(self.clip.start());
        scaled(into, self.speed).offset(self.source.start()).min(self.source.end())
    }

    /// The time of the clip at which a source time plays. A time outside the piece gives the
    /// nearest end.
    pub fn clip_time(&self, at: Timestamp) -> Timestamp {
        let into = at.clamp(self.source.start(), self.source.end()).since(self.source.start());
        scaled(into, 1.0 / self.speed).offset(self.clip.start()).min(self.clip.end())
    }
}

/// A duration times a factor, rounded to the nearest microsecond.
fn scaled(time: Timestamp, by: f64) -> Timestamp {
    if by == 1.0 { time } else { Timestamp::from_micros((time.micros() as f64 * by).round() as i64) }
}

/// The pieces of a clip on the source's timeline and on the clip's timeline. It maps times of one
/// to times of the other. [`ClipPlan::timeline`](super::ClipPlan::timeline) makes it.
///
/// Two pieces of the plan of which the second continues the first at the same speed are one piece
/// here, so each border between two pieces is a join: a jump of the source's time or of the speed.
/// The pieces cover the clip from 0 to its end without gaps. Ends on the clip's timeline are
/// rounded to microseconds independently of each other, so rounding errors do not add up.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    pieces: Vec<PlacedPiece>,
}

impl Timeline {
    /// Places pieces one after the other. A speed that is no positive number counts as 1.
    pub fn of(pieces: &[Piece]) -> Self {
        let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match joined.last_mut() {
                Some(last) if last.span.end() == piece.span.start() && last.speed == piece.speed => {
                    last.span = Span::between(last.span.start(), piece.span.end());
                }
                _ => joined.push(*piece),
            }
        }
        // The sum is exact at speed 1, and off by less than a microsecond for hours of other
        // speeds.
        let mut played = 0.0;
        let mut placed = Vec::with_capacity(joined.len());
        for piece in joined {
            let speed = if piece.speed.is_finite() && piece.speed > 0.0 { piece.speed } else { Piece::NORMAL_SPEED };
            let start = Timestamp::from_micros(f64::round(played) as i64);
            played += piece.span.duration().as_micros() as f64 / speed;
            let clip = Span::between(start, Timestamp::from_micros(f64::round(played) as i64));
            placed.push(PlacedPiece { source: piece.span, clip, speed });
        }
        Timeline { pieces: placed }
    }

    /// The pieces in the order in which they play.
    pub fn pieces(&self) -> &[PlacedPiece] {
        &self.pieces
    }

    /// The joins between pieces, on the clip's timeline.
    pub fn joins(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.pieces.iter().skip(1).map(|piece| piece.clip.start())
    }

    /// The end of the clip's timeline, which is the clip's duration.
    pub fn end(&self) -> Timestamp {
        self.pieces.last().map_or(Timestamp::ZERO, |piece| piece.clip.end())
    }

    /// The number of frames: the duration times the frame rate, rounded to the nearest integer, at
    /// least 1.
    pub fn frames(&self, rate: FrameRate) -> u64 {
        ((self.end().secs() * rate.fps()).round() as u64).max(1)
    }

    /// The smallest span of the source that contains all pieces.
    pub fn extent(&self) -> Span {
        let start = self.pieces.iter().map(|piece| piece.source.start()).min().unwrap_or_default();
        let end = self.pieces.iter().map(|piece| piece.source.end()).max().unwrap_or_default();
        Span::between(start, end)
    }

    /// The index of the piece that plays at a time of the clip. Times before the clip belong to the
    /// first piece, times after it to the last.
    pub fn index_at(&self, at: Timestamp) -> usize {
        self.pieces.partition_point(|piece| piece.clip.start() <= at).saturating_sub(1)
    }

    /// The source time that plays at a time of the clip. Times outside the clip give the nearest
    /// end.
    pub fn source_time(&self, at: Timestamp) -> Timestamp {
        self.pieces.get(self.index_at(at)).map_or(Timestamp::ZERO, |piece| piece.source_time(at))
    }

    /// The times of the clip at which a source time plays, in ascending order: none if it was cut,
    /// several if pieces overlap. A piece excludes its end, as a [`Span`] does.
    pub fn clip_times(&self, at: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        self.pieces.iter().filter(move |piece| piece.source.contains(at)).map(move |piece| piece.clip_time(at))
    }

    /// The parts of a span of the source that play in the clip, on the clip's timeline, in order.
    pub fn clip_spans(&self, span: Span) -> impl Iterator<Item = Span> + '_ {
        let part = move |piece: &PlacedPiece| {
            let kept = piece.source.intersection(span)?;
            Some(Span::between(piece.clip_time(kept.start()), piece.clip_time(kept.end())))
        };
        self.pieces.iter().filter_map(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn piece(start: f64, end: f64) -> Piece {
        Piece::new(Span::secs(start, end).unwrap())
    }

    fn at(secs: f64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn pieces_play_one_after_the_other() {
        let timeline = Timeline::of(&[piece(10.0, 12.0), piece(20.0, 21.0).at_speed(2.0), piece(5.0, 6.0).at_speed(0.5)]);
        let placed: Vec<Span> = timeline.pieces().iter().map(|piece| piece.clip).collect();
        assert_eq!(placed, [(0.0, 2.0), (2.0, 2.5), (2.5, 4.5)].map(|(a, b)| Span::secs(a, b).unwrap()));
        assert_eq!(timeline.joins().collect::<Vec<_>>(), [at(2.0), at(2.5)]);
        assert_eq!((timeline.end(), timeline.extent()), (at(4.5), Span::secs(5.0, 21.0).unwrap()));
        assert_eq!(timeline.frames(FrameRate::new(30, 1)), 135);
        for (clip, source) in [(-1.0, 10.0), (0.5, 10.5), (2.0, 20.0), (2.25, 20.5), (3.5, 5.5), (4.5, 6.0), (9.0, 6.0)] {
            assert_eq!(timeline.source_time(at(clip)), at(source), "{clip}");
        }
        assert_eq!(timeline.clip_times(at(20.5)).collect::<Vec<_>>(), [at(2.25)]);
        assert_eq!(timeline.clip_times(at(12.0)).count(), 0);
        let kept: Vec<Span> = timeline.clip_spans(Span::secs(5.5, 11.0).unwrap()).collect();
        assert_eq!(kept, [Span::secs(0.0, 1.0).unwrap(), Span::secs(3.5, 4.5).unwrap()]);
    }

    #[test]
    fn a_piece_that_continues_the_one_before_is_no_join() {
        let timeline = Timeline::of(&[piece(1.0, 2.0), piece(2.0, 3.0), piece(3.0, 4.0).at_speed(2.0)]);
        assert_eq!(timeline.pieces().len(), 2);
        assert_eq!(timeline.joins().collect::<Vec<_>>(), [at(2.0)]);
    }

    proptest! {
        #[test]
        fn any_pieces_map_monotonely_and_back(
            raw in prop::collection::vec((0..5_000_000_000_i64, 40_000..90_000_000_i64, 0.5..2.0_f64, any::<bool>()), 1..60),
            moments in prop::collection::vec(0.0..1.0_f64, 1..40),
        ) {
            let pieces: Vec<Piece> = raw.iter().map(|&(start, long, speed, plain)| {
                let span = Span::between(Timestamp::from_micros(start), Timestamp::from_micros(start + long));
                Piece::new(span).at_speed(if plain { 1.0 } else { speed })
            }).collect();
            let timeline = Timeline::of(&pieces);
            // The concatenation is exact: no gap, no overlap, and rounding does not add up.
            let exact: f64 = pieces.iter().map(|piece| piece.span.duration().as_micros() as f64 / piece.speed).sum();
            prop_assert!((timeline.end().micros() as f64 - exact).abs() <= 0.51);
            prop_assert_eq!(timeline.pieces()[0].clip.start(), Timestamp::ZERO);
            prop_assert!(timeline.pieces().windows(2).all(|pair| pair[0].clip.end() == pair[1].clip.start()));
            for rate in [FrameRate::new(30_000, 1001), FrameRate::new(60, 1)] {
                prop_assert!((timeline.frames(rate) as f64 - exact / 1e6 * rate.fps()).abs() <= 0.501);
            }
            let mut before: Option<(usize, Timestamp, Timestamp)> = None;
            let mut sorted = moments.clone();
            sorted.sort_by(f64::total_cmp);
            for part in sorted {
                let clip = Timestamp::from_micros((timeline.end().micros() as f64 * part) as i64);
                let index = timeline.index_at(clip);
                let piece = timeline.pieces()[index];
                prop_assert!(piece.clip.contains(clip));
                let source = timeline.source_time(clip);
                prop_assert!(piece.source.start() <= source && source <= piece.source.end());
                // There and back again: within the rounding of both ends, scaled by the speed.
                prop_assert!(piece.clip_time(source).micros().abs_diff(clip.micros()) <= 2, "{clip:?} {source:?}");
                if let Some((same, earlier, from)) = before {
                    prop_assert!(same != index || (earlier <= source && from <= clip));
                }
                before = Some((index, source, clip));
                if piece.speed == 1.0 {
                    prop_assert_eq!(piece.clip_time(source), clip.min(piece.clip.end()));
                    prop_assert!(timeline.clip_times(source).any(|found| found == clip) || source == piece.source.end());
                }
            }
        }

        #[test]
        fn plain_pieces_are_exact_to_the_microsecond(cuts in prop::collection::vec((0..1_000_000_i64, 40_000..1_000_000_i64), 1..200)) {
            let mut from = 0;
            let pieces: Vec<Piece> = cuts.iter().map(|&(gap, long)| {
                let start = from + gap;
                from = start + long;
                Piece::new(Span::between(Timestamp::from_micros(start), Timestamp::from_micros(from)))
            }).collect();
            let timeline = Timeline::of(&pieces);
            prop_assert_eq!(timeline.end().micros(), cuts.iter().map(|(_, long)| long).sum::<i64>());
            for piece in timeline.pieces() {
                prop_assert_eq!(piece.source.duration(), piece.clip.duration());
                prop_assert_eq!(timeline.clip_times(piece.source.start()).collect::<Vec<_>>(), vec![piece.clip.start()]);
                prop_assert_eq!(timeline.source_time(piece.clip.start()), piece.source.start());
            }
        }
    }
}
