//! Finds speech in the sound of a medium, several parts of it concurrently.

use futures::{StreamExt, TryStreamExt};

use crate::av;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Media, Span, SpeechMap, Timestamp};
use crate::voice::{VoiceActivity, VoiceDetector};

/// The length of a part, in seconds: a whole number of the networks' windows and of
/// [`av::LEVEL_SECS`].
const PART: f64 = 300.0;
/// How long a network hears the sound before a part, so that its state is that of continuous
/// listening: a whole number of windows, in seconds.
const LEAD_IN: f64 = 6.4;
/// Containers with an index of exact times. In others, a decoder that seeks may be off, so the
/// sound is one part.
const INDEXED: [&str; 3] = ["mov", "mp4", "matroska"];

/// The speech map of a medium and the fingerprint of the network that found it.
pub(super) async fn to(cx: &Context, media: &Media) -> Result<(SpeechMap, &'static str)> {
    to_parts(cx, media, parts(media)).await
}

async fn to_parts(cx: &Context, media: &Media, parts: Vec<Span>) -> Result<(SpeechMap, &'static str)> {
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    let heard: Vec<Heard> = futures::stream::iter(parts)
        .map(|part| {
            let media = media.clone();
            async move { cx.blocking(move |cx| hear(cx, &media, part)).await }
        })
        .buffered(jobs)
        .try_collect()
        .await?;
    // A map is the built-in network's if any of its parts is.
    let merge = |all, part| if part == VoiceDetector::BUILT_IN { part } else { all };
    let network = heard.iter().map(|part| part.network).reduce(merge).unwrap_or(VoiceDetector::BUILT_IN);
    let mut levels = Vec::new();
    let mut activity = Vec::new();
    for part in heard {
        levels.extend(part.levels);
        activity.push(part.activity);
    }
    Ok((SpeechMap::new(VoiceActivity::spans_of(activity), levels), network))
}

/// The spans that are listened to separately.
fn parts(media: &Media) -> Vec<Span> {
    let indexed = media.container.split(',').any(|name| INDEXED.contains(&name));
    let (end, part) = (media.duration.secs(), if indexed { PART } else { f64::INFINITY });
    let mut parts = Vec::new();
    let mut start = 0.0;
    while start < end {
        let until = if end - start < part * 1.5 { end } else { start + part };
        parts.push(Span::between(Timestamp::from_secs(start), Timestamp::from_secs(until)));
        start = until;
    }
    parts
}

struct Heard {
    levels: Vec<u8>,
    activity: VoiceActivity,
    network: &'static str,
}

fn hear(cx: &Context, media: &Media, part: Span) -> Result<Heard> {
    let start = part.start().plus(-LEAD_IN).max(Timestamp::ZERO);
    match hear_with(cx, media, part, VoiceDetector::open(cx, start))? {
        Some(heard) => Ok(heard),
        // The built-in network cannot fail, so this arm runs at most once.
        None => {
            let failed = || Error::new(ErrorKind::Contract, "the built-in voice detector returned nothing");
            hear_with(cx, media, part, VoiceDetector::built_in(cx, start))?.ok_or_else(failed)
        }
    }
}

/// `None` if the network failed.
fn hear_with(cx: &Context, media: &Media, part: Span, mut detector: VoiceDetector<'_>) -> Result<Option<Heard>> {
    let start = part.start().plus(-LEAD_IN).max(Timestamp::ZERO);
    let lead_in = part.start().since(start).secs();
    let mut skipped = (lead_in / av::LEVEL_SECS).round() as usize;
    let mut levels = Vec::new();
    av::listen(cx, media, Span::between(start, part.end()), &mut |samples| {
        detector.push(samples);
        match skipped {
            0 => levels.push(SpeechMap::level_of(samples)),
            _ => skipped -= 1,
        }
    })?;
    // Sound that ends inside this part may go on in the next.
    levels.resize((part.duration().as_secs_f64() / av::LEVEL_SECS).round() as usize, u8::MAX);
    let network = detector.fingerprint();
    let heard = |activity: VoiceActivity| Heard { levels, activity: activity.without_start(lead_in), network };
    Ok(detector.finish().map(heard))
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::model::ContentId;
    use crate::testing::make_media;

    fn medium(container: &str, seconds: f64) -> Media {
        let mut media = Media::new("talk", ContentId::new("test", ""));
        (media.container, media.duration) = (container.into(), Timestamp::from_secs(seconds));
        media
    }

    #[test]
    fn parts_cover_the_medium() {
        let ends = |container, seconds| parts(&medium(container, seconds)).iter().map(|part| part.end().secs()).collect::<Vec<_>>();
        assert_eq!(ends("mov,mp4,m4a,3gp,3g2,mj2", 1_000.0), [300.0, 600.0, 1_000.0]);
        assert_eq!(ends("matroska,webm", 400.0), [400.0]);
        assert_eq!(ends("mp3", 1_000.0), [1_000.0]);
        assert!(ends("mp3", 0.0).is_empty());
    }

    #[tokio::test]
    async fn parts_give_the_map_of_the_whole() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("talk.mp4");
        // Notes with overtones pass for a voice; every fifth second is silent.
        let notes =
            "aevalsrc=0.2*gt(mod(t\\,5)\\,1)*exp(-3*mod(t\\,0.4))*(sin(2*PI*220*t)+0.5*sin(4*PI*220*t)+0.3*sin(6*PI*220*t)):s=48000:d=40";
        make_media(&file, &format!("-f lavfi -i {notes} -c:a aac"));
        // The built-in network: Silero knows that notes are no voice.
        let cx = Context::builder().environment(crate::context::Environment::default()).build();
        let media = av::probe(&cx, &file, ContentId::new("test", "")).unwrap();
        let part = |start: f64, end: f64| Span::secs(start, end).unwrap();
        let (whole, _) = to_parts(&cx, &media, vec![part(0.0, 40.0)]).await.unwrap();
        let (joined, _) = to_parts(&cx, &media, vec![part(0.0, 9.6), part(9.6, 28.8), part(28.8, 40.0)]).await.unwrap();
        assert!(whole.spans.len() > 3 && whole.levels.len() == 800, "{whole:?}");
        assert_eq!(joined.spans.len(), whole.spans.len());
        // The network's state differs slightly, which may move an end by a window.
        for (joined, whole) in joined.spans.iter().zip(&whole.spans) {
            let apart = [joined.start().since(whole.start()), joined.end().since(whole.end())].map(|apart| apart.secs().abs());
            assert!(apart.iter().all(|apart| *apart < 0.017), "{joined:?} {whole:?}");
        }
        let differing = joined.levels.iter().zip(&whole.levels).filter(|(a, b)| a.abs_diff(**b) > 2).count();
        assert_eq!((joined.levels.len(), differing), (800, 0));
    }
}
