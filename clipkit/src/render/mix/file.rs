//! The samples of a sound's file, from its offset on, as a stream.

use std::path::{Path, PathBuf};

use super::seams::{FADE, Seams};
use crate::av::{self, AudioGraph, AudioReader};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ContentId, Media, MediaRef, Sound, Timestamp, WarningKind, local_path};
use crate::render::clip_audio::to_stereo;
use crate::render::joined_audio::Stereo;
use crate::store::verify_content;

/// A sound that starts again is kept in memory if its file has at most so many samples from the
/// offset on: 10 s, 4 MB. A longer one is read again.
const MOST_KEPT: usize = 480_000;
/// The samples that are passed on at once from memory.
const PART: usize = 8192;
/// Advice for a file that cannot be used.
const ADVICE: &str = "give a file with sound that is on this machine, or remove the sound (edit: remove_sound)";

/// A sound's file, which is decoded as it is needed: 48 kHz stereo.
pub(super) struct SoundFile {
    /// The sound's name in the plan.
    name: String,
    path: PathBuf,
    cx: Context,
    media: Media,
    reader: AudioReader,
    graph: Option<AudioGraph>,
    offset: Timestamp,
    /// The duration of the file after the offset, as it states it.
    available: Timestamp,
    repeats: bool,
    seams: Seams,
    /// Samples that nobody has taken.
    ready: Stereo,
    taken: usize,
    /// The samples of this pass.
    passed: usize,
    /// All samples of one pass, if they are few and needed again.
    kept: Option<Stereo>,
    /// The position in what is kept, once that is all of the file.
    replayed: Option<usize>,
    ended: bool,
}

impl SoundFile {
    /// Opens the file of a sound.
    ///
    /// # Errors
    ///
    /// Of the kind `NotFound` if there is no such file, else `InvalidInput` if it has no sound that
    /// can be decoded or ends before the offset. They name the file and the sound.
    pub(super) fn open(cx: &Context, name: &str, sound: &Sound) -> Result<Self> {
        let path = match &sound.id {
            Some(id) => cx.locate(&MediaRef::new(sound.file.as_str(), id.clone())),
            None => Ok(local_path(&sound.file).to_owned()),
        };
        let path = path.map_err(|error| about(name, Path::new(&sound.file), error))?;
        let open = || {
            let media = av::probe_header(cx, &path, sound.id.clone().unwrap_or_else(|| ContentId::new("none", "")))?;
            let refuse = |what: String| Err(Error::new(ErrorKind::InvalidInput, what));
            if media.audio.is_empty() {
                return refuse("the file has no sound".into());
            }
            // A container can state no duration.
            if media.duration > Timestamp::ZERO && media.duration <= sound.offset {
                return refuse(format!("the sound starts at {} of a file that lasts {}", sound.offset, media.duration));
            }
            match AudioReader::open(cx, &media, sound.offset)? {
                Some(reader) => Ok((reader, media)),
                None => refuse("the sound cannot be decoded".into()),
            }
        };
        let (reader, media) = open().map_err(|error| about(name, &path, error))?;
        if let Some(id) = &sound.id
            && !verify_content(cx, &path, id, None).map_err(|error| about(name, &path, error))?
        {
            cx.warn_of(WarningKind::SourceChanged, format!("{name}: {} is not the file that the plan was made with", sound.file));
        }
        Ok(SoundFile {
            name: name.to_owned(),
            path,
            cx: cx.clone(),
            reader,
            graph: None,
            offset: sound.offset,
            available: media.duration.since(sound.offset),
            media,
            repeats: sound.repeat,
            seams: Seams::default(),
            ready: Stereo::default(),
            taken: 0,
            passed: 0,
            kept: sound.repeat.then(Stereo::default),
            replayed: None,
            ended: false,
        })
    }

    /// How long the file plays after the offset, as far as it states that and the sound does not
    /// start again.
    pub(super) fn available(&self) -> Option<Timestamp> {
        Some(self.available).filter(|available| !self.repeats && *available > Timestamp::ZERO)
    }

    /// Returns to the offset.
    pub(super) fn rewind(&mut self) -> Result<()> {
        (self.seams, self.ready, self.taken, self.ended) = (Seams::default(), Stereo::default(), 0, false);
        self.begin()
    }

    fn begin(&mut self) -> Result<()> {
        (self.graph, self.passed) = (None, 0);
        match &mut self.replayed {
            Some(position) => *position = 0,
            None => {
                if let Some(kept) = &mut self.kept {
                    kept.clear();
                }
                // A reader that seeks gives almost the same samples, not the same: a container
                // lands elsewhere once it knows its index, and decoders keep the state of their
                // noise.
                match AudioReader::open(&self.cx, &self.media, self.offset) {
                    Ok(Some(reader)) => self.reader = reader,
                    Ok(None) => return Err(self.about(Error::new(ErrorKind::InvalidInput, "the sound cannot be decoded again"))),
                    Err(error) => return Err(self.about(error)),
                }
            }
        }
        Ok(())
    }

    /// Passes on the next `count` samples of both channels, or fewer at the end.
    pub(super) fn read(&mut self, count: usize, take: &mut dyn FnMut([&[f32]; 2])) -> Result<()> {
        while self.ready.len() - self.taken < count && !self.ended {
            if self.taken > 0 {
                self.ready.0.iter_mut().for_each(|channel| drop(channel.drain(..self.taken)));
                self.taken = 0;
            }
            self.feed()?;
        }
        let to = (self.taken + count).min(self.ready.len());
        let [left, right] = &self.ready.0;
        take([&left[self.taken..to], &right[self.taken..to]]);
        self.taken = to;
        Ok(())
    }

    /// Adds what comes next to what is ready.
    fn feed(&mut self) -> Result<()> {
        if let (Some(position), Some(kept)) = (&mut self.replayed, &self.kept) {
            let to = (*position + PART).min(kept.len());
            self.seams.push([&kept.0[0][*position..to], &kept.0[1][*position..to]], &mut self.ready);
            *position = to;
            if to == kept.len() {
                self.seams.again();
                self.begin()?;
            }
            return Ok(());
        }
        let frame = self.reader.next().map_err(|error| self.about(error))?;
        let is_last = frame.is_none();
        if let Some((_, mut frame)) = frame {
            let graph = match &mut self.graph {
                Some(graph) => graph,
                // Sound before the offset is cut, and silence stands where the file has none.
                slot => slot.insert(AudioGraph::new(Some(&frame), &to_stereo(Some(0)))?),
            };
            graph.push(&mut frame)?;
        } else if let Some(graph) = &mut self.graph {
            graph.end()?;
        }
        if let Some(graph) = &mut self.graph {
            while let Some(frame) = graph.pull()? {
                self.passed += frame.samples();
                if self.kept.as_ref().is_some_and(|kept| kept.len() + frame.samples() > MOST_KEPT) {
                    self.kept = None;
                }
                if let Some(kept) = &mut self.kept {
                    kept.extend(Some(&frame), 0, frame.samples());
                }
                self.seams.push([frame.plane::<f32>(0), frame.plane::<f32>(1)], &mut self.ready);
            }
        }
        if is_last { self.end() } else { Ok(()) }
    }

    /// Ends a pass of the file.
    fn end(&mut self) -> Result<()> {
        if self.passed == 0 {
            let message = format!("nothing can be decoded from {} on", self.offset);
            return Err(self.about(Error::new(ErrorKind::InvalidInput, message)));
        }
        if !self.repeats {
            self.seams.end(&mut self.ready);
            self.ended = true;
            return Ok(());
        }
        if self.passed < 2 * FADE {
            let message = "a sound that starts again lasts at least 20 ms";
            return Err(self.about(Error::new(ErrorKind::InvalidInput, message)));
        }
        self.seams.again();
        self.replayed = self.kept.is_some().then_some(0);
        self.begin()
    }

    /// What went wrong since the last rewind.
    pub(super) fn fault(&self) -> Option<String> {
        let broken = self.reader.broken();
        (broken > 0).then(|| format!("{}: {broken} packets of the sound are damaged; it is silent there", self.name))
    }

    fn about(&self, error: Error) -> Error {
        about(&self.name, &self.path, error)
    }
}

/// The error with the sound that it is about.
fn about(name: &str, path: &Path, error: Error) -> Error {
    if error.is_cancelled() {
        return error;
    }
    let message = if error.kind() == ErrorKind::NotFound { "the sound's file does not exist" } else { error.message() };
    let path = error.path().unwrap_or(path);
    let named = Error::new(error.kind(), format!("{name}: {message}")).with_advice(error.advice().unwrap_or(ADVICE));
    named.with_path(path)
}
