//! WAV files for servers that read nothing else. Pure.

/// A mono file of 16-bit samples
/// (<https://learn.microsoft.com/windows/win32/xaudio2/resource-interchange-file-format--riff->).
/// Samples are from -1 to 1; `rate` is in samples per second.
pub(super) fn file(samples: &[f32], rate: u32) -> Vec<u8> {
    const HEADER_BYTES: usize = 44;
    const BYTES: u32 = 2;
    let data = u32::try_from(samples.len()).unwrap_or(u32::MAX).saturating_mul(BYTES);
    let mut file = Vec::with_capacity(HEADER_BYTES + samples.len() * 2);
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&data.saturating_add(HEADER_BYTES as u32 - 8).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    // PCM, one channel.
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&1_u16.to_le_bytes());
    file.extend_from_slice(&rate.to_le_bytes());
    file.extend_from_slice(&(rate * BYTES).to_le_bytes());
    file.extend_from_slice(&(BYTES as u16).to_le_bytes());
    file.extend_from_slice(&16_u16.to_le_bytes());
    file.extend_from_slice(b"data");
    file.extend_from_slice(&data.to_le_bytes());
    for sample in samples {
        // The conversion saturates, and NaN becomes 0.
        file.extend_from_slice(&((sample * 32767.0).round() as i16).to_le_bytes());
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_become_little_endian_pcm_behind_a_header() {
        let file = file(&[0.0, 1.0, -1.0, 9.0, f32::NAN], 16_000);
        assert_eq!(file.len(), 44 + 10);
        assert_eq!(&file[..4], b"RIFF");
        assert_eq!(file[4..8], 46_u32.to_le_bytes());
        assert_eq!(file[24..28], 16_000_u32.to_le_bytes());
        assert_eq!(file[40..44], 10_u32.to_le_bytes());
        assert_eq!(file[44..], [0, 0, 0xff, 0x7f, 0x01, 0x80, 0xff, 0x7f, 0, 0]);
    }
}
