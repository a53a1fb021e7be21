//! A whole video as one clip: captions, another shape, or shorter pauses, without choosing clips.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Pipeline, check};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Candidate, ClipPlan, Limit, Media, Score, Span, Timestamp, Tracks, Transcript};

/// The picture of a whole video in [`Pipeline::plan_whole`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum WholePicture {
    /// The source's picture: its size, rounded down to even numbers of pixels, and its shape.
    #[default]
    Keep,
    /// A picture of the renderer's size, else of
    /// [`ClipOptions::aspect`](crate::ClipOptions::aspect), framed as clips are: people are
    /// tracked.
    Reframe,
}

impl Pipeline {
    /// Plans a whole video as one clip: fetches it, transcribes it if
    /// [`ClipOptions::captions`](crate::ClipOptions::captions) or
    /// [`ClipOptions::tighten`](crate::ClipOptions::tighten) need its words, tracks people if the
    /// picture is reframed. No scorer is asked, and the options that choose clips have no effect.
    ///
    /// Render the plan with [`Pipeline::render`], or make caption files of it with
    /// [`stage::export`](crate::stage::export).
    ///
    /// # Errors
    ///
    /// Those of the steps. [`ErrorKind::TooLarge`] if the video is longer than
    /// [`Limits::plan_secs`](crate::model::Limits::plan_secs) allows. [`ErrorKind::NothingFound`]
    /// if captions are asked for and nobody speaks.
    pub async fn plan_whole(&self, cx: &Context, uri: &str, picture: WholePicture) -> Result<ClipPlan> {
        let media = self.fetch(cx, uri).await?;
        let span = Span::new(Timestamp::ZERO, media.duration)?;
        cx.limits().check(Limit::PlanSecs, span.duration().as_secs())?;
        let needs_words = self.options.captions.is_some() || self.options.tighten.is_some();
        let transcript = if needs_words { self.transcribe(cx, &media).await? } else { Transcript::default() };
        if self.options.captions.is_some() && transcript.words.is_empty() {
            return Err(Error::new(ErrorKind::NothingFound, "there are no words in this video, so it has no captions")
                .with_path(&media.path)
                .with_advice("give a transcript, or turn captions off"));
        }
        let (tracks, size) = match picture {
            WholePicture::Keep => (check::tracks(cx, Tracks::default(), span), Some(even_size(&media)?)),
            WholePicture::Reframe => (self.track(cx, &media, span).await?, None),
        };
        let candidate = Candidate::new(span, Score::default(), title_of(&media), "the whole video");
        self.plan_in(cx, &media, &transcript, &candidate, &tracks, size).await
    }
}

/// The size of the picture as it is shown, in even numbers of pixels, as H.264 needs them.
fn even_size(media: &Media) -> Result<(u32, u32)> {
    let (width, height) = media.require_video()?.display_size();
    Ok(((width & !1).max(2), (height & !1).max(2)))
}

/// The title that the platform or the file states, else the file's name.
fn title_of(media: &Media) -> String {
    let stem = || media.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    media.about.title.clone().or_else(stem).unwrap_or_default()
}
