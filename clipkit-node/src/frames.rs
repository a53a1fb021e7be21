//! The pictures of a video.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::{Buffer, PromiseRaw};
use napi_derive::napi;
use tokio::sync::{Mutex, mpsc};

use clipkit::model::{Media, Span};
use clipkit::stage::FrameOptions;
use clipkit::{Error, ErrorKind, Result};
use serde::Deserialize;

use crate::context::Context;
use crate::document::{Text, read};
use crate::error::exception;

/// So many pictures are decoded ahead, while JavaScript looks at one.
const AHEAD: usize = 2;

/// What pictures are asked for.
#[derive(Deserialize)]
struct Wanted {
    media: Media,
    span: Span,
    options: FrameOptions,
}

/// A picture: red, green, blue, row by row, without padding. Upright, with square pixels.
#[napi(object, object_from_js = false)]
pub struct Frame {
    /// When it shows, in seconds of the source.
    pub at: f64,
    pub width: u32,
    pub height: u32,
    pub data: Buffer,
}

/// The pictures of a stretch of video, in order. A thread of their own decodes them; it ends with this object.
#[napi]
pub struct Frames {
    decoded: Arc<Mutex<mpsc::Receiver<Result<clipkit::stage::Frame>>>>,
    cx: clipkit::Context,
}

#[napi]
impl Frames {
    /// From `{media, span, options}`.
    #[napi(constructor)]
    pub fn new(cx: &Context, wanted: &mut Text) -> napi::Result<Self> {
        let (cx, wanted) = (cx.cx.child(), wanted.take());
        let (sender, decoded) = mpsc::channel(AHEAD);
        let under = cx.clone();
        let decode = move || {
            let opened = read::<Wanted>(ErrorKind::InvalidInput, "a request for pictures", &wanted)
                .and_then(|wanted| clipkit::stage::Frames::open(&under, &wanted.media, wanted.span, wanted.options));
            match opened {
                // Nobody listens any more where sending fails.
                Ok(mut frames) => frames.try_for_each(|frame| sender.blocking_send(frame)).unwrap_or_default(),
                Err(error) => sender.blocking_send(Err(error)).unwrap_or_default(),
            }
        };
        let thread = std::thread::Builder::new().name("clipkit-frames".into()).spawn(decode);
        thread.map_err(|error| exception(Error::new(ErrorKind::Io, format!("cannot start a thread: {error}"))))?;
        Ok(Frames { decoded: Arc::new(Mutex::new(decoded)), cx })
    }

    /// The next picture; none after the last.
    #[napi]
    pub fn next<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, Option<Frame>>> {
        let decoded = self.decoded.clone();
        env.spawn_future(async move {
            // The end of the thread is the end of the pictures.
            let frame = decoded.lock().await.recv().await.transpose().map_err(exception)?;
            Ok(frame.map(|frame| Frame { at: frame.at.secs(), width: frame.width, height: frame.height, data: frame.pixels.into() }))
        })
    }

    /// Ends the decoding.
    #[napi]
    pub fn close(&self) {
        self.cx.cancel();
        if let Ok(mut decoded) = self.decoded.try_lock() {
            decoded.close();
        }
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.cx.cancel();
    }
}
