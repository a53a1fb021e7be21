//! The three networks of LR-ASD.

use std::path::Path;

use ort::session::{Session, SessionInputs};
use ort::value::Tensor;

use super::face_crop::SIDE;
use super::mfcc::COEFFICIENTS;
use crate::error::{Error, ErrorKind, Result};
use crate::onnx::{self, RuntimeOptions};

/// The files of the model, in its folder.
pub(super) const FILES: [&str; 3] = ["audio_frontend.onnx", "visual_frontend.onnx", "av_backend.onnx"];
/// Sound frames per picture.
pub(super) const SOUND_FRAMES: usize = 4;
/// Values per picture that each of the first two networks gives.
const EMBEDDING: usize = 128;
/// Parts of a stretch overlap by this many pictures on each side. The picture network looks 9
/// pictures back and ahead (three blocks of convolutions over 5 and 3 pictures), but hardly depends
/// on the farthest: without them, logits of two people's faces change by 0.1 at most and by 0.01 on
/// average, where their standard deviation is 0.4.
const REACH: usize = 5;
/// Values of a picture.
const PICTURE: usize = SIDE * SIDE;
/// Pictures per part of a stretch, without the overlap: 78 MB with the overlap.
const PART: usize = 68;
/// The last network judges windows of 4 s every 2 s, whose mean counts: over a longer time its
/// recurrent state carries a turn on into the next.
const WINDOW: usize = 100;
const WINDOW_STEP: usize = 50;

/// The opened networks.
pub(super) struct Model {
    audio: Session,
    visual: Session,
    backend: Session,
}

impl Model {
    /// Opens the files in a folder.
    pub(super) fn open(folder: &Path, runtime: &RuntimeOptions) -> Result<Self> {
        let [audio, visual, backend] = FILES.map(|file| {
            let path = folder.join(file);
            let session = onnx::open_for_any_length(&path, runtime)?;
            Ok((session, path))
        });
        let checked = |opened: Result<_>, inputs: &[&str], output: &str| -> Result<Session> {
            let (session, path): (Session, _) = opened?;
            let takes = |name: &&str| session.inputs().iter().any(|input| input.name() == *name);
            if inputs.iter().all(takes) && session.outputs().iter().any(|given| given.name() == output) {
                return Ok(session);
            }
            Err(Error::new(ErrorKind::InvalidInput, "this model is not a part of LR-ASD")
                .with_path(path)
                .with_advice(format!("give a folder with {}", FILES.join(", "))))
        };
        Ok(Model {
            audio: checked(audio, &["audio_feature"], "audio_embed")?,
            visual: checked(visual, &["visual_feature"], "visual_embed")?,
            backend: checked(backend, &["audio_embed", "visual_embed"], "score")?,
        })
    }

    /// The sound's embedding: 128 values per picture. `features` has [`SOUND_FRAMES`] frames per
    /// picture.
    pub(super) fn hear(&mut self, features: Vec<f32>) -> Result<Vec<f32>> {
        let frames = features.len() / COEFFICIENTS;
        run(&mut self.audio, "audio_embed", ort::inputs!["audio_feature" => tensor([1, frames, COEFFICIENTS], features)?])
    }

    /// The embedding of consecutive pictures of a face: 128 values per picture.
    fn see(&mut self, pictures: &[f32]) -> Result<Vec<f32>> {
        let count = pictures.len() / PICTURE;
        run(&mut self.visual, "visual_embed", ort::inputs!["visual_feature" => tensor([1, count, SIDE, SIDE], pictures.to_vec())?])
    }

    /// The logit that a face speaks, per picture: above 0 if it rather does.
    pub(super) fn judge(&mut self, sound: &[f32], face: &[f32]) -> Result<Vec<f32>> {
        let count = face.len().min(sound.len()) / EMBEDDING;
        let (mut sums, mut windows) = (vec![0.0; count], vec![0.0_f32; count]);
        let mut start = 0;
        loop {
            let end = (start + WINDOW).min(count);
            let part = |values: &[f32]| tensor([1, end - start, EMBEDDING], values[start * EMBEDDING..end * EMBEDDING].to_vec());
            let inputs = ort::inputs!["audio_embed" => part(sound)?, "visual_embed" => part(face)?];
            let scores = run(&mut self.backend, "score", inputs)?;
            if scores.len() != end - start {
                return Err(wrong_size());
            }
            for (n, score) in (start..end).zip(scores) {
                sums[n] += score;
                windows[n] += 1.0;
            }
            if end == count {
                break;
            }
            start += WINDOW_STEP;
        }
        Ok(sums.into_iter().zip(windows).map(|(sum, count)| sum / count.max(1.0)).collect())
    }
}

/// The pictures of one face, of which few are kept.
#[derive(Default)]
pub(super) struct FaceStream {
    /// The last pictures, [`PICTURE`] values each.
    pictures: Vec<f32>,
    /// How many of them were seen before and are kept as context.
    context: usize,
    embedding: Vec<f32>,
}

impl FaceStream {
    /// Takes the picture that `draw` appends.
    pub(super) fn push(&mut self, model: &mut Model, draw: impl FnOnce(&mut Vec<f32>)) -> Result<()> {
        draw(&mut self.pictures);
        if self.pictures.len() / PICTURE < self.context + PART + REACH {
            return Ok(());
        }
        self.see(model, PART)
    }

    /// Sees the next `count` pictures, and keeps the last ones as context.
    fn see(&mut self, model: &mut Model, count: usize) -> Result<()> {
        let seen = model.see(&self.pictures)?;
        let new = self.context..self.context + count;
        self.embedding.extend_from_slice(seen.get(new.start * EMBEDDING..new.end * EMBEDDING).ok_or_else(wrong_size)?);
        self.context = new.end.min(REACH);
        self.pictures.drain(..(new.end - self.context) * PICTURE);
        Ok(())
    }

    /// The embedding of all pictures.
    pub(super) fn finish(mut self, model: &mut Model) -> Result<Vec<f32>> {
        match self.pictures.len() / PICTURE - self.context {
            0 => {}
            left => self.see(model, left)?,
        }
        Ok(self.embedding)
    }
}

fn failed(error: ort::Error) -> Error {
    Error::new(ErrorKind::Contract, format!("the active speaker detector failed: {error}"))
}

fn wrong_size() -> Error {
    Error::new(ErrorKind::Contract, "the active speaker detector gave an output of another size than its input")
}

fn tensor<const N: usize>(shape: [usize; N], values: Vec<f32>) -> Result<Tensor<f32>> {
    Tensor::from_array((shape, values)).map_err(failed)
}

fn run<'i, const N: usize>(session: &mut Session, output: &str, inputs: impl Into<SessionInputs<'i, 'i, N>>) -> Result<Vec<f32>> {
    let outputs = session.run(inputs).map_err(failed)?;
    let value = outputs
        .get(output)
        .ok_or_else(|| Error::new(ErrorKind::Contract, format!("the active speaker detector has no output {output}")))?;
    Ok(value.try_extract_tensor::<f32>().map_err(failed)?.1.to_vec())
}
