use std::ffi::CString;
use std::ptr;

use ff::ffi;
use ffmpeg_next as ff;

use super::check;
use crate::error::{Error, ErrorKind, Result};

/// A filter and its options. Values are passed as data and never parsed as filter graph syntax.
#[derive(Clone)]
pub(crate) struct Filter {
    name: &'static str,
    options: Vec<(&'static str, String)>,
}

impl Filter {
    pub(crate) fn new(name: &'static str) -> Self {
        Filter { name, options: Vec::new() }
    }

    #[must_use]
    pub(crate) fn with(mut self, option: &'static str, value: impl Into<String>) -> Self {
        self.options.push((option, value.into()));
        self
    }
}

/// The properties of a picture that a filter graph is configured for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PictureFormat {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// FFmpeg's number for the pixel format (`AVPixelFormat`).
    pub(crate) format: i32,
}

/// A linear graph of video filters.
pub(crate) struct VideoGraph(Chain);

impl VideoGraph {
    /// Builds a graph for pictures like `input`. `base` is the time base of frame timestamps:
    /// numerator and denominator in seconds.
    pub(crate) fn new(input: PictureFormat, base: (i32, i32), filters: &[Filter], threads: usize) -> Result<Self> {
        let configure = |parameters: &mut ffi::AVBufferSrcParameters| {
            parameters.format = input.format;
            parameters.width = input.width as i32;
            parameters.height = input.height as i32;
            parameters.time_base = ffi::AVRational { num: base.0, den: base.1 };
            parameters.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
            Ok(())
        };
        Chain::new("buffer", configure, filters, "buffersink", threads).map(VideoGraph)
    }

    /// Filters one frame shown at `pts`, for graphs that return one frame for each frame sent.
    ///
    /// A filter that draws in place writes to this frame's memory, unless other references share
    /// it.
    pub(crate) fn apply(&mut self, frame: ff::frame::Video, pts: i64) -> Result<ff::frame::Video> {
        self.push(frame, pts)?;
        self.pull()?.ok_or_else(|| Error::new(ErrorKind::Encode, "a video filter returned no frame for the frame sent"))
    }

    /// Sends a frame shown at `pts`, for graphs that delay frames.
    pub(super) fn push(&mut self, mut frame: ff::frame::Video, pts: i64) -> Result<()> {
        // SAFETY: writing fields of a frame we own.
        unsafe {
            (*frame.as_mut_ptr()).pts = pts;
            (*frame.as_mut_ptr()).sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
        }
        self.0.push(&mut frame)
    }

    /// Returns the next filtered frame, if one is ready.
    pub(super) fn pull(&mut self) -> Result<Option<ff::frame::Video>> {
        let mut frame = ff::frame::Video::empty();
        Ok(self.0.pull(&mut frame)?.then_some(frame))
    }

    /// Marks the end of the stream.
    pub(super) fn end(&mut self) -> Result<()> {
        self.0.end()
    }
}

/// A linear graph of audio filters. Frames in and frames out do not correspond one to one.
pub(crate) struct AudioGraph(Chain);

impl AudioGraph {
    /// Builds a graph for audio in the format of `sample`. Without a sample the format is 48 kHz
    /// stereo.
    pub(crate) fn new(sample: Option<&ff::frame::Audio>, filters: &[Filter]) -> Result<Self> {
        let configure = |parameters: &mut ffi::AVBufferSrcParameters| {
            // SAFETY: reading fields of a live frame; copying a layout into the parameters, which
            // own it until they are freed.
            unsafe {
                match sample.map(|frame| &*frame.as_ptr()) {
                    Some(frame) => {
                        parameters.format = frame.format;
                        parameters.sample_rate = frame.sample_rate;
                        check(ffi::av_channel_layout_copy(&mut parameters.ch_layout, &frame.ch_layout))?;
                    }
                    None => {
                        parameters.format = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP as i32;
                        parameters.sample_rate = 48_000;
                        ffi::av_channel_layout_default(&mut parameters.ch_layout, 2);
                    }
                }
            }
            parameters.time_base = ffi::AVRational { num: 1, den: parameters.sample_rate };
            Ok(())
        };
        Chain::new("abuffer", configure, filters, "abuffersink", 1).map(AudioGraph)
    }

    /// Sends audio. The frame's pts counts samples.
    pub(crate) fn push(&mut self, frame: &mut ff::frame::Audio) -> Result<()> {
        self.0.push(frame)
    }

    /// Marks the end of the stream.
    pub(crate) fn end(&mut self) -> Result<()> {
        self.0.end()
    }

    /// Returns the next filtered frame, if one is ready.
    pub(crate) fn pull(&mut self) -> Result<Option<ff::frame::Audio>> {
        let mut frame = ff::frame::Audio::empty();
        Ok(self.0.pull(&mut frame)?.then_some(frame))
    }
}

/// A linear filter graph. The graph and its contexts are freed together, on one thread.
struct Chain {
    graph: *mut ffi::AVFilterGraph,
    source: *mut ffi::AVFilterContext,
    sink: *mut ffi::AVFilterContext,
}

impl Chain {
    fn new(
        source: &'static str,
        configure: impl FnOnce(&mut ffi::AVBufferSrcParameters) -> Result<(), ff::Error>,
        filters: &[Filter],
        sink: &'static str,
        threads: usize,
    ) -> Result<Self> {
        // SAFETY: every pointer is checked for null before use. The contexts belong to the graph,
        // which `Drop` frees. The parameters are freed here.
        unsafe {
            let graph = ffi::avfilter_graph_alloc();
            let mut chain = Chain { graph, source: ptr::null_mut(), sink: ptr::null_mut() };
            if graph.is_null() {
                return Err(failure(ff::Error::Other { errno: ff::error::ENOMEM }));
            }
            (*graph).nb_threads = threads as i32;
            chain.source = chain.allocate(source)?;
            let mut parameters = ffi::av_buffersrc_parameters_alloc();
            if parameters.is_null() {
                return Err(failure(ff::Error::Other { errno: ff::error::ENOMEM }));
            }
            let configured = configure(&mut *parameters).and_then(|()| check(ffi::av_buffersrc_parameters_set(chain.source, parameters)));
            ffi::av_channel_layout_uninit(&mut (*parameters).ch_layout);
            ffi::av_free((&raw mut parameters).read().cast());
            configured.map_err(failure)?;
            check(ffi::avfilter_init_dict(chain.source, ptr::null_mut())).map_err(failure)?;
            let mut last = chain.source;
            for filter in filters {
                last = chain.append(last, filter)?;
            }
            chain.sink = chain.append(last, &Filter::new(sink))?;
            check(ffi::avfilter_graph_config(graph, ptr::null_mut())).map_err(failure)?;
            Ok(chain)
        }
    }

    /// # Safety
    ///
    /// The graph must be alive.
    unsafe fn allocate(&self, name: &'static str) -> Result<*mut ffi::AVFilterContext> {
        let c_name = CString::new(name).map_err(|_| Error::new(ErrorKind::Encode, "a filter's name contains a zero byte"))?;
        // SAFETY: the caller guarantees a live graph; the name outlives the calls.
        unsafe {
            let filter = ffi::avfilter_get_by_name(c_name.as_ptr());
            if filter.is_null() {
                return Err(Error::new(ErrorKind::Unavailable, format!("this FFmpeg has no filter {name:?}"))
                    .with_advice("install a build of FFmpeg that has it"));
            }
            let context = ffi::avfilter_graph_alloc_filter(self.graph, filter, ptr::null());
            if context.is_null() { Err(failure(ff::Error::Other { errno: ff::error::ENOMEM })) } else { Ok(context) }
        }
    }

    /// # Safety
    ///
    /// The graph must be alive, and `after` must belong to it.
    unsafe fn append(&self, after: *mut ffi::AVFilterContext, filter: &Filter) -> Result<*mut ffi::AVFilterContext> {
        // SAFETY: the caller guarantees both; the dictionary owns copies of its strings and is
        // freed here.
        unsafe {
            let context = self.allocate(filter.name)?;
            let mut options = ff::Dictionary::new();
            for (option, value) in &filter.options {
                if value.contains('\0') {
                    return Err(Error::new(ErrorKind::InvalidPlan, format!("a value for {option} contains a zero byte")));
                }
                options.set(option, value);
            }
            let mut raw = options.disown();
            let result = ffi::avfilter_init_dict(context, &mut raw);
            drop(ff::Dictionary::own(raw));
            check(result).map_err(|code| super::ff_error(ErrorKind::Encode, &format!("set up the filter {}", filter.name), code))?;
            check(ffi::avfilter_link(after, 0, context, 0)).map_err(failure)?;
            Ok(context)
        }
    }

    fn push(&mut self, frame: &mut ff::Frame) -> Result<()> {
        // SAFETY: the source belongs to this graph; the frame's contents move into it.
        let result = unsafe { ffi::av_buffersrc_add_frame_flags(self.source, frame.as_mut_ptr(), 0) };
        check(result).map(|_| ()).map_err(failure)
    }

    fn end(&mut self) -> Result<()> {
        // SAFETY: the source belongs to this graph; a null frame marks the end.
        let result = unsafe { ffi::av_buffersrc_add_frame_flags(self.source, ptr::null_mut(), 0) };
        check(result).map(|_| ()).map_err(failure)
    }

    fn pull(&mut self, frame: &mut ff::Frame) -> Result<bool> {
        // SAFETY: the sink belongs to this graph; the frame is ours.
        let result = check(unsafe { ffi::av_buffersink_get_frame(self.sink, frame.as_mut_ptr()) });
        super::received(result.map(|_| ())).map_err(failure)
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        // SAFETY: frees the graph and, with it, its contexts; nothing else holds them.
        unsafe { ffi::avfilter_graph_free(&mut self.graph) };
    }
}

fn failure(code: ff::Error) -> Error {
    super::ff_error(ErrorKind::Encode, "filter a frame", code)
}
