use crate::model::{Orientation, Rect};

/// Reads a display matrix (ISO/IEC 14496-12, 6.2.2: nine 16.16 fixed-point numbers, row vectors) as
/// a horizontal flip followed by a clockwise rotation, rounded to quarter turns.
pub(super) fn from_display_matrix(matrix: [i32; 9]) -> Orientation {
    let [a, b, _, c, d, ..] = matrix.map(f64::from);
    let mirrored = a * d - b * c < 0.0;
    // A mirrored matrix is a flip (x -> -x) followed by a rotation: undo the flip to read the
    // rotation.
    let (a, b) = if mirrored { (-a, -b) } else { (a, b) };
    let quarters = (b.atan2(a) / std::f64::consts::FRAC_PI_2).round() as i32;
    Orientation { clockwise: (quarters.rem_euclid(4) * 90) as u16, mirrored }
}

/// Converts a rectangle from the displayed picture to the stored picture, both in normalised
/// coordinates (0 to 1, origin top left).
pub(crate) fn stored_rect(display: Rect, orientation: Orientation) -> Rect {
    let Rect { x, y, width, height } = display;
    let mut stored = match orientation.clockwise {
        90 => Rect::new(y, 1.0 - x - width, height, width),
        180 => Rect::new(1.0 - x - width, 1.0 - y - height, width, height),
        270 => Rect::new(1.0 - y - height, x, height, width),
        _ => display,
    };
    if orientation.mirrored {
        stored.x = 1.0 - stored.x - stored.width;
    }
    stored
}

/// Converts a rectangle from the stored picture to the displayed picture, both in normalised
/// coordinates. The inverse of [`stored_rect`].
pub(crate) fn displayed_rect(stored: Rect, orientation: Orientation) -> Rect {
    let Rect { mut x, y, width, height } = stored;
    if orientation.mirrored {
        x = 1.0 - x - width;
    }
    match orientation.clockwise {
        90 => Rect::new(1.0 - y - height, x, height, width),
        180 => Rect::new(1.0 - x - width, 1.0 - y - height, width, height),
        270 => Rect::new(y, 1.0 - x - width, height, width),
        _ => Rect::new(x, y, width, height),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: i32 = 1 << 16;

    fn turn(a: i32, b: i32, c: i32, d: i32) -> Orientation {
        from_display_matrix([a * ONE, b * ONE, 0, c * ONE, d * ONE, 0, 0, 0, 1 << 30])
    }

    #[test]
    fn orientations_are_read_from_display_matrices() {
        let upright = |clockwise| Orientation { clockwise, mirrored: false };
        assert_eq!(turn(1, 0, 0, 1), upright(0));
        assert_eq!(turn(0, 1, -1, 0), upright(90));
        assert_eq!(turn(-1, 0, 0, -1), upright(180));
        assert_eq!(turn(0, -1, 1, 0), upright(270));
        assert_eq!(turn(-1, 0, 0, 1), Orientation { clockwise: 0, mirrored: true });
        assert_eq!(turn(1, 0, 0, -1), Orientation { clockwise: 180, mirrored: true });
    }

    #[test]
    fn the_displayed_corner_is_found_in_the_stored_picture() {
        let corner = Rect::new(0.0, 0.0, 0.25, 0.125);
        let at = |clockwise, mirrored| stored_rect(corner, Orientation { clockwise, mirrored });
        // After a clockwise rotation the stored bottom left is the displayed top left.
        assert_eq!(at(90, false), Rect::new(0.0, 0.75, 0.125, 0.25));
        assert_eq!(at(180, false), Rect::new(0.75, 0.875, 0.25, 0.125));
        assert_eq!(at(270, false), Rect::new(0.875, 0.0, 0.125, 0.25));
        assert_eq!(at(0, true), Rect::new(0.75, 0.0, 0.25, 0.125));
        assert_eq!(at(90, true), Rect::new(0.875, 0.75, 0.125, 0.25));
    }

    #[test]
    fn displayed_rect_inverts_stored_rect() {
        let rect = Rect::new(0.125, 0.25, 0.5, 0.0625);
        for orientation in
            [0, 90, 180, 270].into_iter().flat_map(|clockwise| [false, true].map(|mirrored| Orientation { clockwise, mirrored }))
        {
            assert_eq!(displayed_rect(stored_rect(rect, orientation), orientation), rect, "{orientation:?}");
        }
    }
}
