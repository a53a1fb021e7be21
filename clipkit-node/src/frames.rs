//! Decoded frames of a video.

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

/// How many frames are decoded ahead.
const AHEAD: usize = 2;

/// Which frames to decode.
#[derive(Deserialize)]
struct Wanted {
    media: Media,
    span: Span,
    options: FrameOptions,
}

/// A frame: RGB bytes, row by row, without padding. Upright, with square pixels.
#[napi(object, object_from_js = false)]
pub struct Frame {
    /// Its presentation time, in seconds of the source.
    pub at: f64,
    pub width: u32,
    pub height: u32,
    pub data: Buffer,
}

/// The frames of a span, in order. A thread decodes them; it ends with this object.
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
            let opened = read::<Wanted>(ErrorKind::InvalidInput, "a media, a span and frame options", &wanted)
                .and_then(|wanted| clipkit::stage::Frames::open(&under, &wanted.media, wanted.span, wanted.options));
            match opened {
                // Sending fails after the receiver was closed.
                Ok(mut frames) => frames.try_for_each(|frame| sender.blocking_send(frame)).unwrap_or_default(),
                Err(error) => sender.blocking_send(Err(error)).unwrap_or_default(),
            }
        };
        let thread = std::thread::Builder::new().name("clipkit-frames".into()).spawn(decode);
        thread.map_err(|error| exception(Error::new(ErrorKind::Io, format!("cannot start a thread: {error}"))))?;
        Ok(Frames { decoded: Arc::new(Mutex::new(decoded)), cx })
    }

    /// The next frame. `None` after the last one.
    #[napi]
    pub fn next<'env>(&self, env: &'env Env) -> napi::Result<PromiseRaw<'env, Option<Frame>>> {
        let decoded = self.decoded.clone();
        env.spawn_future(async move {
            // The channel is closed when the thread ends.
            let frame = decoded.lock().await.recv().await.transpose().map_err(exception)?;
            Ok(frame.map(|frame| Frame { at: frame.at.secs(), width: frame.width, height: frame.height, data: frame.pixels.into() }))
        })
    }

    /// Stops decoding.
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
