//! Decoded frames. NumPy and others read their memory without a copy.

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use clipkit::model::{Media, Rect, Span};
use clipkit::stage::FrameOptions;
use clipkit::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::context::Context;
use crate::convert;
use crate::error::raise;

/// How many frames are decoded ahead.
const AHEAD: usize = 2;

/// The frames of a span, in order. A thread decodes them; it ends with this object.
#[pyclass(frozen, module = "clipkit._clipkit")]
pub(crate) struct Frames {
    decoded: Mutex<Receiver<clipkit::Result<clipkit::stage::Frame>>>,
}

#[pymethods]
impl Frames {
    #[new]
    fn new(py: Python<'_>, cx: &Context, media: &Bound<'_, PyAny>, span: &Bound<'_, PyAny>, options: &Bound<'_, PyAny>) -> PyResult<Self> {
        let media: Media = convert::setting(media, "a Media")?;
        let span: Span = convert::setting(span, "a Span")?;
        let options: FrameOptions = convert::setting(options, "frame options")?;
        let cx = cx.cx.clone();
        let (sender, decoded) = sync_channel(AHEAD);
        let decode = move || match clipkit::stage::Frames::open(&cx, &media, span, options) {
            // Sending fails when the receiver is gone.
            Ok(mut frames) => frames.try_for_each(|frame| sender.send(frame)).unwrap_or_default(),
            Err(error) => sender.send(Err(error)).unwrap_or_default(),
        };
        let thread = std::thread::Builder::new().name("clipkit-frames".into()).spawn(decode);
        thread.map_err(|error| raise(py, &Error::new(ErrorKind::Io, format!("cannot start a thread: {error}"))))?;
        Ok(Frames { decoded: Mutex::new(decoded) })
    }

    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Frame>> {
        // The thread ends after the last frame.
        let next = py.detach(|| self.decoded.lock().unwrap_or_else(PoisonError::into_inner).recv().ok());
        let frame = next.transpose().map_err(|error| raise(py, &error))?;
        Ok(frame.map(|frame| Frame { left: 0, top: 0, width: frame.width, height: frame.height, whole: Arc::new(frame) }))
    }
}

/// A frame, or a part of one: rows of RGB pixels, 0 to 255, upright, with square pixels.
#[pyclass(frozen, module = "clipkit._clipkit")]
pub(crate) struct Frame {
    whole: Arc<clipkit::stage::Frame>,
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

#[pymethods]
impl Frame {
    /// Its presentation time, in seconds of the source.
    #[getter]
    fn at(&self) -> f64 {
        self.whole.at.secs()
    }

    /// Columns.
    #[getter]
    fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    #[getter]
    fn height(&self) -> u32 {
        self.height
    }

    /// A part of the frame, at least one pixel, without a copy. `rect` is in fractions of the
    /// frame's width and height.
    fn crop(&self, py: Python<'_>, rect: &Bound<'_, PyAny>) -> PyResult<Self> {
        let rect: Rect = convert::setting(rect, "a Rect")?;
        if ![rect.x, rect.y, rect.width, rect.height].iter().all(|value| value.is_finite()) {
            return Err(raise(py, &Error::new(ErrorKind::Config, "a crop's sides are numbers from 0 to 1")));
        }
        let (left, width) = side(self.width, rect.x, rect.width);
        let (top, height) = side(self.height, rect.y, rect.height);
        Ok(Frame { whole: self.whole.clone(), left: self.left + left, top: self.top + top, width, height })
    }

    /// NumPy's array interface: rows, columns, RGB. Read-only; an array keeps the frame's memory
    /// alive.
    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let row = 3 * self.whole.width as usize;
        let first = row * self.top as usize + 3 * self.left as usize;
        let pixels = self.whole.pixels.get(first..).unwrap_or_default();
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("typestr", "|u1")?;
        interface.set_item("shape", (self.height, self.width, 3))?;
        interface.set_item("strides", (row, 3, 1))?;
        interface.set_item("data", (pixels.as_ptr() as usize, true))?;
        Ok(interface)
    }

    fn __repr__(&self) -> String {
        format!("Frame(at={:.3}, width={}, height={})", self.whole.at.secs(), self.width, self.height)
    }
}

/// The first pixel and the number of pixels, at least 1, of a part of `all` pixels.
fn side(all: u32, from: f64, length: f64) -> (u32, u32) {
    let pixels = f64::from(all);
    let first = (from * pixels).round().clamp(0.0, (pixels - 1.0).max(0.0)) as u32;
    let end = ((from + length) * pixels).round().clamp(0.0, pixels) as u32;
    (first, end.saturating_sub(first).max(1))
}
