//! OpenTimelineIO documents.

use serde_json::{Value, json};

use super::cut::{Cut, CutClip, Note};
use super::source_file::SourceFile;
use crate::error::{Error, ErrorKind, Result};

/// The cut as an OpenTimelineIO document.
pub(super) fn write(cut: &Cut) -> Result<String> {
    let otio = Otio { cut };
    let mut tracks = vec![otio.track("Video", "Video", &cut.clips, None)];
    if !cut.insets.is_empty() {
        tracks.push(otio.track("Insets", "Video", &cut.insets, None));
    }
    let streams = cut.files.iter().map(|file| file.audio.len()).max().unwrap_or(0);
    for stream in 0..streams {
        tracks.push(otio.track(&format!("Audio {}", stream + 1), "Audio", &cut.clips, Some(stream)));
    }
    let markers: Vec<Value> = cut.markers.iter().chain(&cut.captions).map(|note| otio.marker(note)).collect();
    let document = json!({
        "OTIO_SCHEMA": "Timeline.1",
        "name": cut.name,
        "metadata": {"clipkit": {"width": cut.size.0, "height": cut.size.1}},
        "global_start_time": otio.time(cut.start),
        "tracks": {
            "OTIO_SCHEMA": "Stack.1",
            "name": "tracks",
            "metadata": {},
            "source_range": null,
            "effects": [],
            "markers": markers,
            "enabled": true,
            "children": tracks,
        },
    });
    let mut text = serde_json::to_string_pretty(&document)
        .map_err(|error| Error::new(ErrorKind::Io, format!("the timeline cannot be written: {error}")))?;
    text.push('\n');
    Ok(text)
}

struct Otio<'a> {
    cut: &'a Cut,
}

impl Otio<'_> {
    fn time(&self, frames: u64) -> Value {
        json!({"OTIO_SCHEMA": "RationalTime.1", "rate": self.cut.rate.fps(), "value": frames as f64})
    }

    fn range(&self, start: u64, frames: u64) -> Value {
        json!({"OTIO_SCHEMA": "TimeRange.1", "start_time": self.time(start), "duration": self.time(frames)})
    }

    /// A track of clips, and of gaps where there is none or its file has no such audio stream.
    fn track(&self, name: &str, kind: &str, clips: &[CutClip], stream: Option<usize>) -> Value {
        let (mut at, mut children) = (0, Vec::new());
        for clip in clips {
            let Some(file) = self.cut.files.get(clip.file).filter(|file| stream.is_none_or(|stream| stream < file.audio.len())) else {
                continue;
            };
            if at < clip.record.start {
                children.push(self.gap(clip.record.start - at));
            }
            children.push(self.clip(clip, file, stream));
            at = clip.record.end;
        }
        json!({
            "OTIO_SCHEMA": "Track.1",
            "name": name,
            "kind": kind,
            "metadata": {},
            "source_range": null,
            "effects": [],
            "markers": [],
            "enabled": true,
            "children": children,
        })
    }

    fn gap(&self, frames: u64) -> Value {
        json!({
            "OTIO_SCHEMA": "Gap.1",
            "name": "",
            "metadata": {},
            "source_range": self.range(0, frames),
            "effects": [],
            "markers": [],
            "enabled": true,
        })
    }

    fn clip(&self, clip: &CutClip, file: &SourceFile, stream: Option<usize>) -> Value {
        let mut effects = Vec::new();
        if clip.is_retimed() {
            // By convention the range keeps the clip's duration, and the effect plays more or less
            // of the source in it.
            effects.push(json!({
                "OTIO_SCHEMA": "LinearTimeWarp.1",
                "name": "",
                "effect_name": "LinearTimeWarp",
                "metadata": {},
                "time_scalar": clip.speed,
            }));
        }
        if stream.is_none() {
            effects.push(self.transform(clip, file));
        }
        // The position in the main track links picture and sound of a clip.
        let link = self.cut.clips.iter().position(|other| other.record.start == clip.record.start).map_or(0, |n| n + 1);
        json!({
            "OTIO_SCHEMA": "Clip.2",
            "name": clip.name,
            "metadata": {
                "clipkit": {"audio_stream": stream},
                "Resolve_OTIO": {"Link Group ID": link},
            },
            "source_range": self.range(file.start() + clip.source_in, clip.frames()),
            "effects": effects,
            "markers": [],
            "enabled": stream.is_none_or(|stream| stream == clip.audio_track),
            "active_media_reference_key": "DEFAULT_MEDIA",
            "media_references": {
                "DEFAULT_MEDIA": {
                    "OTIO_SCHEMA": "ExternalReference.1",
                    "name": file.reference.name,
                    "metadata": {},
                    "target_url": file.reference.url,
                    "available_range": self.range(file.start(), file.frames),
                },
            },
        })
    }

    /// The framing as an effect that readers keep and do not draw: the format has none that they
    /// do.
    fn transform(&self, clip: &CutClip, file: &SourceFile) -> Value {
        let keys = clip.framing.keys.iter().map(|key| {
            let transform = key.transform(file.size, self.cut.size);
            let [left, top, right, bottom] = transform.trim;
            json!({
                "frame": key.frame,
                "scale": transform.scale,
                "position": [transform.x, transform.y],
                "trim": {"left": left, "top": top, "right": right, "bottom": bottom},
            })
        });
        let keys: Vec<Value> = keys.collect();
        json!({
            "OTIO_SCHEMA": "Effect.1",
            "name": "Transform",
            "effect_name": "Transform",
            "metadata": {"clipkit": {"keyframes": keys}},
        })
    }

    fn marker(&self, note: &Note) -> Value {
        json!({
            "OTIO_SCHEMA": "Marker.2",
            "name": note.text,
            "comment": note.kind.name(),
            "color": note.kind.color(),
            "marked_range": self.range(note.record.start, note.record.end - note.record.start),
            "metadata": {"clipkit": {"kind": note.kind.name()}},
        })
    }
}
