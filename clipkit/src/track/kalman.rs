//! Prediction of a face's position from frame to frame, with its uncertainty.

use crate::model::Rect;

/// The standard deviation of a detector's box position, in face sizes.
const POSITION_NOISE: f64 = 0.08;
/// How much a head's velocity changes within a second, in face sizes per second: someone who sits
/// may start to walk.
const VELOCITY_NOISE: f64 = 1.5;
/// The prediction moves with the last velocity for at most this long, in seconds, because people
/// stop.
const MAX_COASTING: f64 = 0.8;

/// A Kalman filter for one coordinate, with constant velocity and white noise acceleration
/// (Bar-Shalom, Li and Kirubarajan, Estimation with Applications to Tracking and Navigation,
/// 6.2.2). All lengths are in face sizes.
#[derive(Clone, Copy, Debug)]
struct Coordinate {
    position: f64,
    velocity: f64,
    /// The covariance matrix of position and velocity.
    position_variance: f64,
    covariance: f64,
    velocity_variance: f64,
}

impl Coordinate {
    fn new(position: f64) -> Self {
        Coordinate {
            position,
            velocity: 0.0,
            position_variance: POSITION_NOISE * POSITION_NOISE,
            covariance: 0.0,
            velocity_variance: VELOCITY_NOISE * VELOCITY_NOISE,
        }
    }

    fn predict(self, seconds: f64) -> Self {
        let noise = VELOCITY_NOISE * VELOCITY_NOISE;
        let (t, t2, t3) = (seconds, seconds.powi(2), seconds.powi(3));
        Coordinate {
            position: self.position + self.velocity * t.min(MAX_COASTING),
            velocity: self.velocity,
            position_variance: self.position_variance + 2.0 * t * self.covariance + t2 * self.velocity_variance + noise * t3 / 3.0,
            covariance: self.covariance + t * self.velocity_variance + noise * t2 / 2.0,
            velocity_variance: self.velocity_variance + noise * t,
        }
    }

    fn update(self, position: f64) -> Self {
        let total = self.position_variance + POSITION_NOISE * POSITION_NOISE;
        let (gain, velocity_gain) = (self.position_variance / total, self.covariance / total);
        let innovation = position - self.position;
        Coordinate {
            position: self.position + gain * innovation,
            velocity: self.velocity + velocity_gain * innovation,
            position_variance: (1.0 - gain) * self.position_variance,
            covariance: (1.0 - gain) * self.covariance,
            velocity_variance: self.velocity_variance - velocity_gain * self.covariance,
        }
    }
}

/// The motion of a face in scene coordinates, from which the camera's motion is removed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Motion {
    across: Coordinate,
    down: Coordinate,
    /// The face size at the first detection, in picture heights. It is the unit of all lengths.
    unit: f64,
    /// The picture's width divided by its height.
    aspect_ratio: f64,
}

impl Motion {
    /// Starts at a first detection; `rect` is in scene coordinates.
    pub(super) fn new(rect: Rect, aspect_ratio: f64) -> Self {
        let unit = rect.size(aspect_ratio);
        let (x, y) = rect.center();
        Motion { across: Coordinate::new(x * aspect_ratio / unit), down: Coordinate::new(y / unit), unit, aspect_ratio }
    }

    /// The prediction `seconds` later, without a detection.
    pub(super) fn predict(self, seconds: f64) -> Self {
        Motion { across: self.across.predict(seconds), down: self.down.predict(seconds), ..self }
    }

    /// The state after a detection at the predicted time.
    pub(super) fn update(self, rect: Rect) -> Self {
        let (x, y) = rect.center();
        Motion { across: self.across.update(x * self.aspect_ratio / self.unit), down: self.down.update(y / self.unit), ..self }
    }

    /// The predicted box, with the size of `like`.
    pub(super) fn expected_box(&self, like: Rect) -> Rect {
        let (x, y) = (self.across.position * self.unit / self.aspect_ratio, self.down.position * self.unit);
        Rect { x: x - like.width / 2.0, y: y - like.height / 2.0, ..like }
    }

    /// The standard deviation of the next detection's position, in picture heights.
    pub(super) fn deviation(&self) -> f64 {
        self.unit * (self.across.position_variance.max(self.down.position_variance) + POSITION_NOISE * POSITION_NOISE).max(0.0).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASPECT_RATIO: f64 = 16.0 / 9.0;

    /// A face 0.1 wide whose centre is at `x`.
    fn face(x: f64) -> Rect {
        Rect::new(x - 0.05, 0.3, 0.1, 0.1 * ASPECT_RATIO)
    }

    #[test]
    fn a_walking_person_is_predicted_ahead() {
        let mut motion = Motion::new(face(0.2), ASPECT_RATIO);
        for n in 1..10 {
            motion = motion.predict(0.2).update(face(0.2 + 0.02 * f64::from(n)));
        }
        let (x, _) = motion.predict(0.2).expected_box(face(0.0)).center();
        assert!((x - 0.4).abs() < 0.005, "{x}");
        // After a long gap, the person is expected to have stopped.
        let (x, _) = motion.predict(60.0).expected_box(face(0.0)).center();
        assert!((0.4..0.5).contains(&x), "{x}");
    }

    #[test]
    fn the_deviation_grows_without_detections_and_shrinks_with_them() {
        let first = Motion::new(face(0.5), ASPECT_RATIO);
        let settled = (0..10).fold(first, |motion, _| motion.predict(0.2).update(face(0.5)));
        assert!(settled.predict(0.2).deviation() < first.predict(0.2).deviation());
        assert!(settled.predict(0.2).deviation() < settled.predict(1.0).deviation());
    }

    #[test]
    fn jitter_of_the_box_is_not_motion() {
        let mut motion = Motion::new(face(0.5), ASPECT_RATIO);
        for n in 0..20 {
            motion = motion.predict(0.2).update(face(if n % 2 == 0 { 0.506 } else { 0.494 }));
        }
        let (x, _) = motion.predict(0.2).expected_box(face(0.0)).center();
        assert!((x - 0.5).abs() < 0.01, "{x}");
    }
}
