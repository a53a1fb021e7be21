//! Following a face from look to look: where it should be next, and how sure that is.

use crate::model::Rect;

/// How far a detector's box strays from look to look, in face sizes.
const STRAY: f64 = 0.08;
/// How much a head's velocity changes within a second, in face sizes a second: someone who sits starts to walk.
const RESTLESS: f64 = 1.5;
/// A velocity is believed for this long after the face was last seen, in seconds; people stop.
const COASTING: f64 = 0.8;

/// A coordinate and its rate of change, followed through noisy sightings: a Kalman filter with constant velocity and white noise for
/// acceleration (Bar-Shalom, Li and Kirubarajan, Estimation with Applications to Tracking and Navigation, 6.2.2). All in face sizes.
#[derive(Clone, Copy, Debug)]
struct Coordinate {
    place: f64,
    rate: f64,
    /// Variances of the place, of both together, and of the rate.
    place_variance: f64,
    shared_variance: f64,
    rate_variance: f64,
}

impl Coordinate {
    fn new(place: f64) -> Self {
        Coordinate { place, rate: 0.0, place_variance: STRAY * STRAY, shared_variance: 0.0, rate_variance: RESTLESS * RESTLESS }
    }

    fn after(self, seconds: f64) -> Self {
        let noise = RESTLESS * RESTLESS;
        let (t, t2, t3) = (seconds, seconds.powi(2), seconds.powi(3));
        Coordinate {
            place: self.place + self.rate * t.min(COASTING),
            rate: self.rate,
            place_variance: self.place_variance + 2.0 * t * self.shared_variance + t2 * self.rate_variance + noise * t3 / 3.0,
            shared_variance: self.shared_variance + t * self.rate_variance + noise * t2 / 2.0,
            rate_variance: self.rate_variance + noise * t,
        }
    }

    fn seen(self, place: f64) -> Self {
        let all = self.place_variance + STRAY * STRAY;
        let (gain, rate_gain) = (self.place_variance / all, self.shared_variance / all);
        let news = place - self.place;
        Coordinate {
            place: self.place + gain * news,
            rate: self.rate + rate_gain * news,
            place_variance: (1.0 - gain) * self.place_variance,
            shared_variance: (1.0 - gain) * self.shared_variance,
            rate_variance: self.rate_variance - rate_gain * self.shared_variance,
        }
    }
}

/// Where a face is in the scene, which stands still while the camera moves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Motion {
    across: Coordinate,
    down: Coordinate,
    /// The size that all lengths are measured in, in picture heights: the face's own as it was first seen.
    unit: f64,
    /// The picture's width divided by its height.
    shape: f64,
}

impl Motion {
    /// Of a face seen for the first time; `rect` is in the scene.
    pub(super) fn new(rect: Rect, shape: f64) -> Self {
        let unit = rect.size(shape);
        let (x, y) = rect.center();
        Motion { across: Coordinate::new(x * shape / unit), down: Coordinate::new(y / unit), unit, shape }
    }

    /// The same `seconds` later, the face not being seen meanwhile.
    pub(super) fn after(self, seconds: f64) -> Self {
        Motion { across: self.across.after(seconds), down: self.down.after(seconds), ..self }
    }

    /// After a sighting at this moment.
    pub(super) fn seen(self, rect: Rect) -> Self {
        let (x, y) = rect.center();
        Motion { across: self.across.seen(x * self.shape / self.unit), down: self.down.seen(y / self.unit), ..self }
    }

    /// A box as large as `like` where the face should be.
    pub(super) fn expected(&self, like: Rect) -> Rect {
        let (x, y) = (self.across.place * self.unit / self.shape, self.down.place * self.unit);
        Rect { x: x - like.width / 2.0, y: y - like.height / 2.0, ..like }
    }

    /// The standard deviation of where a box for it will be seen, in picture heights.
    pub(super) fn doubt(&self) -> f64 {
        self.unit * (self.across.place_variance.max(self.down.place_variance) + STRAY * STRAY).max(0.0).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: f64 = 16.0 / 9.0;

    /// A face 0.1 wide whose middle is at `x`.
    fn face(x: f64) -> Rect {
        Rect::new(x - 0.05, 0.3, 0.1, 0.1 * SHAPE)
    }

    #[test]
    fn someone_who_walks_is_expected_ahead() {
        let mut motion = Motion::new(face(0.2), SHAPE);
        for n in 1..10 {
            motion = motion.after(0.2).seen(face(0.2 + 0.02 * f64::from(n)));
        }
        let (x, _) = motion.after(0.2).expected(face(0.0)).center();
        assert!((x - 0.4).abs() < 0.005, "{x}");
        // After long, they are taken to have stopped.
        let (x, _) = motion.after(60.0).expected(face(0.0)).center();
        assert!((0.4..0.5).contains(&x), "{x}");
    }

    #[test]
    fn doubt_grows_while_a_face_is_unseen_and_shrinks_as_it_is_seen() {
        let first = Motion::new(face(0.5), SHAPE);
        let settled = (0..10).fold(first, |motion, _| motion.after(0.2).seen(face(0.5)));
        assert!(settled.after(0.2).doubt() < first.after(0.2).doubt());
        assert!(settled.after(0.2).doubt() < settled.after(1.0).doubt());
    }

    #[test]
    fn a_boxs_jitter_is_not_taken_for_motion() {
        let mut motion = Motion::new(face(0.5), SHAPE);
        for n in 0..20 {
            motion = motion.after(0.2).seen(face(if n % 2 == 0 { 0.506 } else { 0.494 }));
        }
        let (x, _) = motion.after(0.2).expected(face(0.0)).center();
        assert!((x - 0.5).abs() < 0.01, "{x}");
    }
}
