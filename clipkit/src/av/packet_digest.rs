//! Digests of encoded packets. They show that a finished file holds exactly the packets that the
//! encoders returned, without decoding it.

/// The digests of all packets of a file, in the order of writing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PacketDigests {
    pub(super) video: Vec<u64>,
    pub(super) audio: Vec<u64>,
}

/// The digest of an audio packet.
pub(super) fn of_bytes(data: &[u8]) -> u64 {
    of_parts(std::iter::once(data))
}

/// The digest of an H.264 packet in the encoder's format: NAL units after start codes (ITU-T H.264,
/// annex B).
pub(super) fn of_annex_b(data: &[u8]) -> u64 {
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(&[a, b, c]) = data.get(at..).and_then(|rest| rest.first_chunk::<3>()) {
        match (a, b, c) {
            (0, 0, 1) => {
                starts.push((at, at + 3));
                at += 3;
            }
            // No start code begins at or before a byte above 1.
            (.., 2..) => at += 3,
            _ => at += 1,
        }
    }
    let ends = starts.iter().skip(1).map(|&(code, _)| code).chain([data.len()]);
    of_parts(starts.iter().zip(ends).map(|(&(_, from), to)| data.get(from..to).unwrap_or_default()))
}

/// The digest of the same packet in MP4's format: each NAL unit after its length in four bytes
/// (ISO/IEC 14496-15).
pub(super) fn of_mp4(data: &[u8]) -> u64 {
    let mut rest = data;
    let units = std::iter::from_fn(|| {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (unit, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize).unwrap_or((after, &[]));
        rest = after;
        Some(unit)
    });
    of_parts(units)
}

fn of_parts<'a>(parts: impl Iterator<Item = &'a [u8]>) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        // Trailing zeros of a NAL unit belong to the next start code or are padding.
        let end = part.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        let part = part.get(..end).unwrap_or_default();
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    let mut start = [0; 8];
    hasher.finalize_xof().fill(&mut start);
    u64::from_le_bytes(start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The same NAL units in both formats: after start codes of three or four bytes, and after
    /// lengths.
    fn both(units: &[Vec<u8>]) -> (Vec<u8>, Vec<u8>) {
        let (mut annex_b, mut mp4) = (Vec::new(), Vec::new());
        for (n, unit) in units.iter().enumerate() {
            annex_b.extend_from_slice(if n % 2 == 0 { &[0, 0, 0, 1] } else { &[0, 0, 1] });
            annex_b.extend_from_slice(unit);
            mp4.extend_from_slice(&(unit.len() as u32).to_be_bytes());
            mp4.extend_from_slice(unit);
        }
        (annex_b, mp4)
    }

    #[test]
    fn the_same_units_have_the_same_digest_in_both_formats() {
        let (annex_b, mp4) = both(&[vec![0x65, 0, 0, 3, 1, 9], vec![0x41, 7], vec![0x41, 0, 2, 0x80]]);
        assert_eq!(of_annex_b(&annex_b), of_mp4(&mp4));
        let (other, _) = both(&[vec![0x65, 0, 0, 3, 1, 8], vec![0x41, 7], vec![0x41, 0, 2, 0x80]]);
        assert_ne!(of_annex_b(&annex_b), of_annex_b(&other));
        let (split, _) = both(&[vec![0x65, 0, 0, 3, 1, 9, 0x41], vec![7], vec![0x41, 0, 2, 0x80]]);
        assert_ne!(of_annex_b(&annex_b), of_annex_b(&split));
        assert_ne!(of_bytes(b"sound"), of_bytes(b"round"));
    }

    proptest! {
        #[test]
        fn units_without_start_codes_are_found(units in prop::collection::vec(prop::collection::vec(2..=255_u8, 1..40), 0..6)) {
            let (annex_b, mp4) = both(&units);
            prop_assert_eq!(of_annex_b(&annex_b), of_mp4(&mp4));
        }

        #[test]
        fn any_bytes_are_accepted(data in prop::collection::vec(0..4_u8, 0..80)) {
            of_annex_b(&data);
            of_mp4(&data);
        }
    }
}
