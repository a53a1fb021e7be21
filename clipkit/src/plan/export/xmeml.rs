//! FCP 7 XML (xmeml) documents, version 5.

use std::collections::BTreeSet;
use std::io;

use super::cut::{Cut, CutClip, Note};
use super::framing::Transform;
use super::source_file::SourceFile;
use super::timecode::{Timecode, display_format, nominal};
use super::xml::{Xml, number};
use crate::error::Result;

/// The cut as an xmeml document.
pub(super) fn write(cut: &Cut) -> Result<String> {
    Xml::document("xmeml", |xml| {
        xml.element("xmeml", &[("version", "5")], |xml| {
            let mut xmeml = Xmeml { cut, described: BTreeSet::new() };
            xml.element("sequence", &[("id", "sequence-1")], |xml| xmeml.sequence(xml))
        })
    })
}

struct Xmeml<'a> {
    cut: &'a Cut,
    /// The files that are described. Later clips refer to them.
    described: BTreeSet<usize>,
}

/// A track's clip, for links: its identifier, medium, track and place in the track.
struct Member {
    id: String,
    medium: &'static str,
    track: usize,
}

impl Xmeml<'_> {
    fn rate(&self, xml: &mut Xml) -> io::Result<()> {
        xml.element("rate", &[], |xml| {
            xml.text("timebase", nominal(self.cut.rate))?;
            xml.text("ntsc", truth(self.cut.rate.den == 1001))
        })
    }

    /// The label of the first frame.
    fn timecode(&self, xml: &mut Xml, start: u64, drop: bool) -> io::Result<()> {
        xml.element("timecode", &[], |xml| {
            self.rate(xml)?;
            xml.text("string", Timecode::of(start, self.cut.rate, drop))?;
            xml.text("frame", start)?;
            xml.text("displayformat", display_format(drop))
        })
    }

    fn sequence(&mut self, xml: &mut Xml) -> io::Result<()> {
        let cut = self.cut;
        xml.text("name", &cut.name)?;
        xml.text("duration", cut.frames)?;
        self.rate(xml)?;
        self.timecode(xml, cut.start, cut.drop)?;
        xml.element("media", &[], |xml| {
            xml.element("video", &[], |xml| self.video(xml))?;
            self.audio(xml)
        })?;
        for marker in &cut.markers {
            xml.element("marker", &[], |xml| {
                xml.text("comment", marker.kind.name())?;
                xml.text("name", marker.title())?;
                xml.text("in", marker.record.start)?;
                // A marker of one frame has no end.
                match marker.record.end - marker.record.start {
                    1 => xml.text("out", -1),
                    _ => xml.text("out", marker.record.end),
                }
            })?;
        }
        Ok(())
    }

    fn video(&mut self, xml: &mut Xml) -> io::Result<()> {
        let cut = self.cut;
        xml.element("format", &[], |xml| {
            xml.element("samplecharacteristics", &[], |xml| {
                self.rate(xml)?;
                picture(xml, cut.size)
            })
        })?;
        xml.element("track", &[], |xml| cut.clips.iter().enumerate().try_for_each(|(n, clip)| self.picture(xml, n, clip, true)))?;
        if !cut.insets.is_empty() {
            xml.element("track", &[], |xml| cut.insets.iter().enumerate().try_for_each(|(n, clip)| self.picture(xml, n, clip, false)))?;
        }
        if !cut.captions.is_empty() {
            xml.element("track", &[], |xml| cut.captions.iter().enumerate().try_for_each(|(n, caption)| self.caption(xml, n, caption)))?;
        }
        Ok(())
    }

    /// The tracks of sound: one for each channel, as many as the file with the most has.
    fn audio(&mut self, xml: &mut Xml) -> io::Result<()> {
        let cut = self.cut;
        let tracks = cut.files.iter().map(|file| file.channels().count()).max().unwrap_or(0);
        if tracks == 0 {
            return Ok(());
        }
        xml.element("audio", &[], |xml| {
            xml.text("numOutputChannels", 2)?;
            xml.element("format", &[], |xml| {
                xml.element("samplecharacteristics", &[], |xml| {
                    xml.text("depth", 16)?;
                    xml.text("samplerate", 48_000)
                })
            })?;
            for track in 0..tracks {
                xml.element("track", &[], |xml| cut.clips.iter().enumerate().try_for_each(|(n, clip)| self.sound(xml, n, clip, track)))?;
            }
            Ok(())
        })
    }

    fn picture(&mut self, xml: &mut Xml, n: usize, clip: &CutClip, is_main: bool) -> io::Result<()> {
        let Some(file) = self.cut.files.get(clip.file) else { return Ok(()) };
        let id = if is_main { format!("video-{}", n + 1) } else { format!("inset-{}", n + 1) };
        xml.element("clipitem", &[("id", &id)], |xml| {
            self.timing(xml, clip, file, true)?;
            self.file(xml, clip.file, file)?;
            if clip.is_retimed() {
                time_remap(xml, clip.speed)?;
            }
            self.motion(xml, clip, file)?;
            if is_main { self.links(xml, n, file) } else { Ok(()) }
        })
    }

    fn sound(&mut self, xml: &mut Xml, n: usize, clip: &CutClip, channel: usize) -> io::Result<()> {
        let Some(file) = self.cut.files.get(clip.file) else { return Ok(()) };
        let Some(stream) = file.channels().nth(channel) else { return Ok(()) };
        xml.element("clipitem", &[("id", &format!("audio-{}-{}", n + 1, channel + 1))], |xml| {
            self.timing(xml, clip, file, stream == clip.audio_track)?;
            self.file(xml, clip.file, file)?;
            xml.element("sourcetrack", &[], |xml| {
                xml.text("mediatype", "audio")?;
                xml.text("trackindex", channel + 1)
            })?;
            if clip.is_retimed() {
                time_remap(xml, clip.speed)?;
            }
            self.links(xml, n, file)
        })
    }

    fn timing(&self, xml: &mut Xml, clip: &CutClip, file: &SourceFile, enabled: bool) -> io::Result<()> {
        // Of a retimed clip, these count frames of the retimed source.
        let retimed = |frames: u64| (frames as f64 / clip.speed).round() as u64;
        xml.text("name", &clip.name)?;
        xml.text("enabled", truth(enabled))?;
        xml.text("duration", retimed(file.frames))?;
        self.rate(xml)?;
        xml.text("start", clip.record.start)?;
        xml.text("end", clip.record.end)?;
        xml.text("in", retimed(clip.source_in))?;
        xml.text("out", retimed(clip.source_in) + clip.frames())
    }

    fn file(&mut self, xml: &mut Xml, n: usize, file: &SourceFile) -> io::Result<()> {
        let id = format!("file-{}", n + 1);
        if !self.described.insert(n) {
            return xml.empty("file", &[("id", &id)]);
        }
        xml.element("file", &[("id", &id)], |xml| {
            xml.text("name", &file.reference.name)?;
            xml.text("pathurl", file.reference.localhost_url())?;
            self.rate(xml)?;
            xml.text("duration", file.frames)?;
            if let Some(drop) = file.is_drop_frame() {
                self.timecode(xml, file.start(), drop)?;
            }
            xml.element("media", &[], |xml| {
                xml.element("video", &[], |xml| {
                    xml.text("duration", file.frames)?;
                    xml.element("samplecharacteristics", &[], |xml| {
                        self.rate(xml)?;
                        picture(xml, file.size)
                    })
                })?;
                for audio in &file.audio {
                    xml.element("audio", &[], |xml| {
                        xml.element("samplecharacteristics", &[], |xml| {
                            xml.text("depth", 16)?;
                            xml.text("samplerate", audio.sample_rate)
                        })?;
                        xml.text("channelcount", audio.channels.max(1))
                    })?;
                }
                Ok(())
            })
        })
    }

    /// The links that keep picture and sound of a clip together.
    fn links(&self, xml: &mut Xml, n: usize, file: &SourceFile) -> io::Result<()> {
        let channels = file.channels().count();
        if channels == 0 {
            return Ok(());
        }
        let picture = Member { id: format!("video-{}", n + 1), medium: "video", track: 1 };
        let sounds = (1..=channels).map(|channel| Member { id: format!("audio-{}-{channel}", n + 1), medium: "audio", track: channel });
        for member in std::iter::once(picture).chain(sounds) {
            // The place of a clip among those of its track, whose files may lack the channel.
            let before = self.cut.clips.iter().take(n).filter(|clip| {
                let channels = self.cut.files.get(clip.file).map_or(0, |file| file.channels().count());
                member.medium == "video" || member.track <= channels
            });
            let place = before.count() + 1;
            xml.element("link", &[], |xml| {
                xml.text("linkclipref", &member.id)?;
                xml.text("mediatype", member.medium)?;
                xml.text("trackindex", member.track)?;
                xml.text("clipindex", place)?;
                if member.medium == "audio" { xml.text("groupindex", 1) } else { Ok(()) }
            })?;
        }
        Ok(())
    }

    fn motion(&self, xml: &mut Xml, clip: &CutClip, file: &SourceFile) -> io::Result<()> {
        // The first frame of the clip, on its own timeline.
        let start = (clip.source_in as f64 / clip.speed).round() as u64;
        let keys: Vec<(u64, Transform)> =
            clip.framing.keys.iter().map(|key| (start + key.frame, key.transform(file.size, self.cut.size))).collect();
        // Positions are in fractions of the source picture, to the right and down.
        let (width, height) = (f64::from(file.size.0), f64::from(file.size.1));
        let center = move |xml: &mut Xml, transform: &Transform| {
            xml.element("value", &[], |xml| {
                xml.text("horiz", number(transform.x / width))?;
                xml.text("vert", number(transform.y / height))
            })
        };
        effect(xml, "Basic Motion", "basic", |xml| {
            let scale = |xml: &mut Xml, transform: &Transform| xml.text("value", number(transform.scale * 100.0));
            parameter(xml, "scale", "Scale", Some((0, 10_000)), &keys, &scale)?;
            parameter(xml, "center", "Center", None, &keys, &center)
        })?;
        if !clip.framing.is_trimmed() {
            return Ok(());
        }
        effect(xml, "Crop", "crop", |xml| {
            for (side, name) in ["left", "top", "right", "bottom"].into_iter().enumerate() {
                let trim = |xml: &mut Xml, transform: &Transform| {
                    xml.text("value", number(transform.trim.get(side).copied().unwrap_or(0.0) * 100.0))
                };
                parameter(xml, name, name, Some((0, 100)), &keys, &trim)?;
            }
            Ok(())
        })
    }

    fn caption(&self, xml: &mut Xml, n: usize, caption: &Note) -> io::Result<()> {
        let frames = caption.record.end - caption.record.start;
        xml.element("generatoritem", &[("id", &format!("caption-{}", n + 1))], |xml| {
            xml.text("name", &caption.text)?;
            xml.text("enabled", truth(true))?;
            xml.text("duration", frames)?;
            self.rate(xml)?;
            xml.text("start", caption.record.start)?;
            xml.text("end", caption.record.end)?;
            xml.text("in", 0)?;
            xml.text("out", frames)?;
            xml.text("alphatype", "black")?;
            xml.element("effect", &[], |xml| {
                xml.text("name", "Text")?;
                xml.text("effectid", "Text")?;
                xml.text("effectcategory", "Text")?;
                xml.text("effecttype", "generator")?;
                xml.text("mediatype", "video")?;
                xml.element("parameter", &[], |xml| {
                    xml.text("parameterid", "str")?;
                    xml.text("name", "Text")?;
                    xml.text("value", &caption.text)
                })
            })
        })
    }
}

fn picture(xml: &mut Xml, (width, height): (u32, u32)) -> io::Result<()> {
    xml.text("width", width)?;
    xml.text("height", height)?;
    xml.text("anamorphic", truth(false))?;
    xml.text("pixelaspectratio", "square")?;
    xml.text("fielddominance", "none")
}

fn time_remap(xml: &mut Xml, speed: f64) -> io::Result<()> {
    let value = |xml: &mut Xml, id: &str, name: &str, value: &str| {
        xml.element("parameter", &[], |xml| {
            xml.text("parameterid", id)?;
            xml.text("name", name)?;
            xml.text("value", value)
        })
    };
    effect(xml, "Time Remap", "timeremap", |xml| {
        value(xml, "variablespeed", "variablespeed", "0")?;
        value(xml, "speed", "speed", &number(speed * 100.0))?;
        value(xml, "reverse", "reverse", truth(false))?;
        value(xml, "frameblending", "frameblending", truth(false))
    })
}

fn effect(xml: &mut Xml, name: &str, id: &str, fill: impl FnOnce(&mut Xml) -> io::Result<()>) -> io::Result<()> {
    xml.element("filter", &[], |xml| {
        xml.text("enabled", truth(true))?;
        xml.element("effect", &[], |xml| {
            xml.text("name", name)?;
            xml.text("effectid", id)?;
            xml.text("effectcategory", "motion")?;
            xml.text("effecttype", "motion")?;
            xml.text("mediatype", "video")?;
            fill(xml)
        })
    })
}

/// A parameter with its first value, and with keyframes if the picture moves.
fn parameter(
    xml: &mut Xml,
    id: &str,
    name: &str,
    bounds: Option<(u32, u32)>,
    keys: &[(u64, Transform)],
    value: &dyn Fn(&mut Xml, &Transform) -> io::Result<()>,
) -> io::Result<()> {
    xml.element("parameter", &[], |xml| {
        xml.text("parameterid", id)?;
        xml.text("name", name)?;
        if let Some((least, most)) = bounds {
            xml.text("valuemin", least)?;
            xml.text("valuemax", most)?;
        }
        if let Some((_, first)) = keys.first() {
            value(xml, first)?;
        }
        for (at, transform) in keys.iter().filter(|_| keys.len() > 1) {
            xml.element("keyframe", &[], |xml| {
                xml.text("when", at)?;
                value(xml, transform)
            })?;
        }
        Ok(())
    })
}

fn truth(value: bool) -> &'static str {
    if value { "TRUE" } else { "FALSE" }
}
