//! FCPXML documents, version 1.10.

use std::io;

use super::cut::{Cut, CutClip, Note};
use super::framing::{FramingKey, Transform};
use super::rate::gcd;
use super::source_file::SourceFile;
use super::timecode::display_format;
use super::warning;
use super::xml::{Xml, number};
use crate::error::Result;
use crate::model::{FrameRate, Warning};

/// Parts of a frame in which times of a retimed clip are written.
const PARTS: u64 = 1000;
/// The tracks above the main one.
const INSET_LANE: &str = "1";
const CAPTION_LANE: &str = "2";

/// The cut as an FCPXML document.
pub(super) fn write(cut: &Cut, warnings: &mut Vec<Warning>) -> Result<String> {
    if cut.rate.fps() > 120.0 {
        warnings.push(warning(format!("Final Cut Pro has at most 120 frames a second, the timeline has {}", cut.rate)));
    }
    Xml::document("fcpxml", |xml| {
        xml.element("fcpxml", &[("version", "1.10")], |xml| {
            let fcpxml = Fcpxml { cut, format: display_format(cut.drop) };
            fcpxml.resources(xml)?;
            xml.element("library", &[], |xml| {
                xml.element("event", &[("name", &cut.name)], |xml| {
                    xml.element("project", &[("name", &cut.name)], |xml| fcpxml.sequence(xml))
                })
            })
        })
    })
}

struct Fcpxml<'a> {
    cut: &'a Cut,
    /// How time codes are shown.
    format: &'static str,
}

impl Fcpxml<'_> {
    fn time(&self, frames: u64) -> String {
        seconds(frames * PARTS, self.cut.rate)
    }

    fn resources(&self, xml: &mut Xml) -> io::Result<()> {
        let frame = self.time(1);
        xml.element("resources", &[], |xml| {
            let (width, height) = (self.cut.size.0.to_string(), self.cut.size.1.to_string());
            xml.empty(
                "format",
                &[("id", "r1"), ("frameDuration", &frame), ("width", &width), ("height", &height), ("colorSpace", "1-1-1 (Rec. 709)")],
            )?;
            for (n, file) in self.cut.files.iter().enumerate() {
                let (format, asset) = (format!("f{n}"), asset_id(n));
                let (width, height) = (file.size.0.to_string(), file.size.1.to_string());
                // An image has no time.
                let timing = if file.is_image { ("name", "FFVideoFormatRateUndefined") } else { ("frameDuration", frame.as_str()) };
                xml.empty("format", &[("id", &format), timing, ("width", &width), ("height", &height)])?;
                let duration = if file.is_image { "0s".into() } else { self.time(file.frames) };
                let start = self.time(file.start());
                let mut attributes = vec![
                    ("id", asset.as_str()),
                    ("name", &file.reference.name),
                    ("start", &start),
                    ("duration", &duration),
                    ("hasVideo", "1"),
                    ("format", &format),
                    ("videoSources", "1"),
                ];
                let (sources, channels) = (file.audio.len().to_string(), file.channels().count().to_string());
                let rate = file.audio.first().map(|audio| audio.sample_rate.to_string()).unwrap_or_default();
                if !file.audio.is_empty() {
                    attributes.extend([("hasAudio", "1"), ("audioSources", &sources), ("audioChannels", &channels), ("audioRate", &rate)]);
                }
                xml.element("asset", &attributes, |xml| {
                    xml.empty("media-rep", &[("kind", "original-media"), ("src", &file.reference.url)])
                })?;
            }
            Ok(())
        })
    }

    fn sequence(&self, xml: &mut Xml) -> io::Result<()> {
        let (start, duration) = (self.time(self.cut.start), self.time(self.cut.frames));
        let attributes = [
            ("format", "r1"),
            ("duration", duration.as_str()),
            ("tcStart", &start),
            ("tcFormat", self.format),
            ("audioLayout", "stereo"),
            ("audioRate", "48k"),
        ];
        xml.element("sequence", &attributes, |xml| {
            xml.element("spine", &[], |xml| {
                self.cut.clips.iter().try_for_each(|clip| self.clip(xml, clip, &self.time(self.cut.start + clip.record.start), None))
            })
        })
    }

    /// A clip, and what is anchored to it: the insets, captions and markers that start in it.
    fn clip(&self, xml: &mut Xml, clip: &CutClip, offset: &str, lane: Option<&str>) -> io::Result<()> {
        let Some(file) = self.cut.files.get(clip.file) else { return Ok(()) };
        let (start, duration, asset) = (self.time(local_start(clip, file)), self.time(clip.frames()), asset_id(clip.file));
        let mut attributes = vec![("ref", asset.as_str())];
        attributes.extend(lane.map(|lane| ("lane", lane)));
        attributes.extend([("offset", offset), ("name", &clip.name), ("start", &start), ("duration", &duration)]);
        if file.is_image {
            return xml.element("video", &attributes, |xml| self.framing(xml, clip, file));
        }
        attributes.push(("tcFormat", display_format(file.is_drop_frame().unwrap_or(self.cut.drop))));
        if lane.is_some() {
            attributes.push(("srcEnable", "video"));
        } else if !file.audio.is_empty() {
            attributes.push(("audioRole", "dialogue"));
        }
        xml.element("asset-clip", &attributes, |xml| {
            if clip.is_retimed() {
                self.time_map(xml, clip, file)?;
            }
            self.framing(xml, clip, file)?;
            if lane.is_some() {
                return Ok(());
            }
            let local = |frame: u64| self.time(local_start(clip, file) + frame - clip.record.start);
            for inset in self.cut.insets.iter().filter(|inset| clip.record.contains(&inset.record.start)) {
                self.clip(xml, inset, &local(inset.record.start), Some(INSET_LANE))?;
            }
            for (n, caption) in self.cut.captions.iter().enumerate().filter(|(_, caption)| clip.record.contains(&caption.record.start)) {
                self.caption(xml, n, caption, &local(caption.record.start))?;
            }
            let frame = self.time(1);
            for marker in self.cut.markers.iter().filter(|marker| clip.record.contains(&marker.record.start)) {
                let (at, value) = (local(marker.record.start), marker.title());
                xml.empty("marker", &[("start", &at), ("duration", &frame), ("value", &value)])?;
            }
            self.channels(xml, clip, file)
        })
    }

    /// The clip's local times and the source's at the file's start and end.
    fn time_map(&self, xml: &mut Xml, clip: &CutClip, file: &SourceFile) -> io::Result<()> {
        let parts = |frames: f64| (frames * PARTS as f64).round().max(0.0) as u64;
        let (start, source_in) = (local_start(clip, file) as f64, clip.source_in as f64);
        let local = |frame: f64| seconds(parts(start + (frame - source_in) / clip.speed), self.cut.rate);
        xml.element("timeMap", &[], |xml| {
            for frame in [0, file.frames.max(clip.source_in + clip.source_frames)] {
                let value = self.time(file.start() + frame);
                xml.empty("timept", &[("time", &local(frame as f64)), ("value", &value), ("interp", "linear")])?;
            }
            Ok(())
        })
    }

    fn framing(&self, xml: &mut Xml, clip: &CutClip, file: &SourceFile) -> io::Result<()> {
        let transform = |key: &FramingKey| key.transform(file.size, self.cut.size);
        let still = clip.framing.first(file.size, self.cut.size);
        let keyframes = |xml: &mut Xml, value: &dyn Fn(&Transform) -> String| {
            xml.element("keyframeAnimation", &[], |xml| {
                for key in &clip.framing.keys {
                    let at = self.time(local_start(clip, file) + key.frame);
                    xml.empty("keyframe", &[("time", &at), ("value", &value(&transform(key))), ("curve", "linear")])?;
                }
                Ok(())
            })
        };
        // Trims are in parts of a hundred of the picture's height, those of the sides, too.
        let ratio = f64::from(file.size.0) / f64::from(file.size.1);
        if clip.framing.is_trimmed() {
            let sides = ["left", "top", "right", "bottom"];
            let trim = |transform: &Transform, side: usize| {
                let part = transform.trim.get(side).copied().unwrap_or(0.0);
                number(part * 100.0 * if side.is_multiple_of(2) { ratio } else { 1.0 })
            };
            let values: Vec<String> = (0..4).map(|side| trim(&still, side)).collect();
            let attributes: Vec<(&str, &str)> = sides.into_iter().zip(values.iter().map(String::as_str)).collect();
            xml.element("adjust-crop", &[("mode", "trim")], |xml| {
                if clip.framing.is_still() {
                    return xml.empty("trim-rect", &attributes);
                }
                xml.element("trim-rect", &attributes, |xml| {
                    for (side, name) in sides.into_iter().enumerate() {
                        xml.element("param", &[("name", name)], |xml| keyframes(xml, &|transform| trim(transform, side)))?;
                    }
                    Ok(())
                })
            })?;
        }
        xml.empty("adjust-conform", &[("type", "fit")])?;
        // The picture is fitted first, so scales are relative to that. Positions are in parts of a
        // hundred of the frame's height, upwards.
        let (width, height) = (f64::from(self.cut.size.0), f64::from(self.cut.size.1));
        let fit = (width / f64::from(file.size.0)).min(height / f64::from(file.size.1));
        let scale = |transform: &Transform| number(transform.scale / fit);
        let (x, y) =
            (|transform: &Transform| number(transform.x / height * 100.0), |transform: &Transform| number(-transform.y / height * 100.0));
        let (position, size) = (format!("{} {}", x(&still), y(&still)), format!("{0} {0}", scale(&still)));
        if clip.framing.is_still() {
            return xml.empty("adjust-transform", &[("position", &position), ("scale", &size)]);
        }
        xml.element("adjust-transform", &[], |xml| {
            xml.element("param", &[("name", "position")], |xml| {
                xml.element("param", &[("name", "X"), ("key", "1")], |xml| keyframes(xml, &x))?;
                xml.element("param", &[("name", "Y"), ("key", "2")], |xml| keyframes(xml, &y))
            })?;
            xml.element("param", &[("name", "scale")], |xml| keyframes(xml, &|transform| format!("{0} {0}", scale(transform))))
        })
    }

    fn caption(&self, xml: &mut Xml, n: usize, caption: &Note, offset: &str) -> io::Result<()> {
        let style = format!("ts{}", n + 1);
        let duration = self.time(caption.record.end - caption.record.start);
        let role = format!("iTT?captionFormat=ITT.{}", self.cut.language);
        let attributes = [("lane", CAPTION_LANE), ("offset", offset), ("name", &caption.text), ("duration", &duration), ("role", &role)];
        xml.element("caption", &attributes, |xml| {
            xml.element("text", &[("placement", "bottom")], |xml| xml.text_with("text-style", &[("ref", &style)], &caption.text))?;
            xml.element("text-style-def", &[("id", &style)], |xml| {
                xml.empty(
                    "text-style",
                    &[("font", ".AppleSystemUIFont"), ("fontSize", "13"), ("fontColor", "1 1 1 1"), ("backgroundColor", "0 0 0 1")],
                )
            })
        })
    }

    /// The audio streams of a file with several: the rendered one is on.
    fn channels(&self, xml: &mut Xml, clip: &CutClip, file: &SourceFile) -> io::Result<()> {
        if file.audio.len() < 2 {
            return Ok(());
        }
        let all: Vec<usize> = file.channels().collect();
        for stream in 0..file.audio.len() {
            let numbers: Vec<String> =
                (1..).zip(&all).filter(|(_, of)| **of == stream).map(|(number, _): (usize, _)| number.to_string()).collect();
            if numbers.is_empty() {
                continue;
            }
            let role = format!("dialogue.dialogue-{}", stream + 1);
            let active = if stream == clip.audio_track { "1" } else { "0" };
            xml.empty("audio-channel-source", &[("srcCh", &numbers.join(", ")), ("role", &role), ("active", active)])?;
        }
        Ok(())
    }
}

fn asset_id(file: usize) -> String {
    format!("a{file}")
}

/// The clip's first frame on its local timeline: the source's, or that of the retimed source.
fn local_start(clip: &CutClip, file: &SourceFile) -> u64 {
    let source_in = file.start() + clip.source_in;
    if clip.is_retimed() { (source_in as f64 / clip.speed).ceil() as u64 } else { source_in }
}

/// A time as a fraction of seconds in lowest terms, from parts of a frame.
fn seconds(parts: u64, rate: FrameRate) -> String {
    let (num, den) = (parts.saturating_mul(u64::from(rate.den)), u64::from(rate.num.max(1)) * PARTS);
    let divisor = gcd(num, den);
    match den / divisor {
        1 => format!("{}s", num / divisor),
        den => format!("{}/{den}s", num / divisor),
    }
}
