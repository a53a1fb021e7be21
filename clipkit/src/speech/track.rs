//! Which audio track of a medium is heard: files can have several, and the default one can be
//! silent.

use std::num::NonZero;

use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AudioStream, Media, Span, SpeechMap, Timestamp, WarningKind};
use crate::voice::VoiceDetector;

/// How many parts of a track are listened to, spread evenly over the medium.
const PROBES: usize = 12;
/// The length of such a part in seconds.
const PROBE: f64 = 4.0;
/// A block is silent at this level or below, in half dB below full scale: -60 dB. Digital silence
/// and the noise of an open input are lower; quiet speech is above -50 dB.
const SILENT: u8 = 120;

/// Sets the audio track of `media`: `asked` (from 1), else the default one. If the file has several
/// tracks and the default one is silent, it is the one with the most speech, with a warning.
///
/// Fails with [`ErrorKind::Config`] if there is no such track.
pub(crate) async fn choose(cx: &Context, mut media: Media, asked: Option<NonZero<usize>>) -> Result<Media> {
    if let Some(track) = asked {
        if track.get() > media.audio.len() {
            let message = format!("there is no audio track {track}: the file has {}", media.audio.len());
            return Err(Error::new(ErrorKind::Config, message)
                .with_path(&media.path)
                .with_advice("`clipkit probe` lists the tracks; the default one needs no option"));
        }
        media.audio_track = Some(track.get() - 1);
        return Ok(media);
    }
    if media.audio_track.is_some() || media.audio.len() < 2 {
        return Ok(media);
    }
    cx.blocking(move |cx| {
        let Some(default) = av::default_audio_track(cx, &media)? else { return Ok(media) };
        if heard(cx, &media, default)?.loud > 0 {
            return Ok(media);
        }
        let mut best: Option<(usize, Heard)> = None;
        for track in (0..media.audio.len()).filter(|track| *track != default) {
            let found = heard(cx, &media, track)?;
            if found.loud > 0 && best.is_none_or(|(_, best)| (found.speech, found.loud) > (best.speech, best.loud)) {
                best = Some((track, found));
            }
        }
        if let Some((track, _)) = best {
            let name = |track: usize| media.audio.get(track).map_or_else(String::new, |stream| describe(track, stream));
            let message = format!(
                "the default audio track, {}, is silent: {} is used; choose another with --audio-track (ClipOptions::audio_track)",
                name(default),
                name(track)
            );
            cx.warn_of(WarningKind::Track, message);
            media.audio_track = Some(track);
        }
        Ok(media)
    })
    .await
}

/// `track 2 (aac, eng)`.
fn describe(track: usize, stream: &AudioStream) -> String {
    let language = stream.language.as_deref().map_or_else(String::new, |language| format!(", {language}"));
    format!("track {} ({}{language})", track + 1, stream.codec)
}

/// What the probes of a track found.
#[derive(Clone, Copy, Default)]
struct Heard {
    /// Blocks of [`av::LEVEL_SECS`] that are not silent.
    loud: usize,
    /// The seconds with speech.
    speech: f64,
}

fn heard(cx: &Context, media: &Media, track: usize) -> Result<Heard> {
    let media = Media { audio_track: Some(track), ..media.clone() };
    let mut heard = Heard::default();
    for part in probes(media.duration) {
        cx.check()?;
        let mut detector = VoiceDetector::open(cx, part.start());
        av::listen(cx, &media, part, &mut |samples| {
            heard.loud += usize::from(SpeechMap::level_of(samples) < SILENT);
            detector.push(samples);
        })?;
        let speech = detector.finish().map(|activity| activity.spans()).unwrap_or_default();
        heard.speech += speech.iter().map(|span| span.duration().as_secs_f64()).sum::<f64>();
    }
    Ok(heard)
}

/// The parts to listen to. A short medium is one part.
fn probes(duration: Timestamp) -> Vec<Span> {
    let length = duration.secs();
    if length <= PROBES as f64 * PROBE {
        return vec![Span::between(Timestamp::ZERO, duration)];
    }
    let step = (length - PROBE) / (PROBES - 1) as f64;
    let start = |n: usize| Timestamp::from_secs(n as f64 * step);
    (0..PROBES).map(|n| Span::between(start(n), start(n).plus(PROBE))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probes_lie_within_the_medium_from_its_start_to_its_end() {
        for seconds in [0.5, 47.9, 48.1, 3600.0] {
            let probes = probes(Timestamp::from_secs(seconds));
            assert_eq!(probes[0].start(), Timestamp::ZERO);
            let end = probes.last().unwrap().end().secs();
            assert!((end - seconds).abs() < 1e-5, "{seconds}: {end}");
            assert!(probes.windows(2).all(|pair| pair[0].end() <= pair[1].start()), "{seconds}");
        }
    }
}
