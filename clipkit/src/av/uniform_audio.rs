//! One format for all frames of an audio stream. Broadcasts change between mono, stereo and
//! surround midway, and a filter graph takes one format only.

use std::ptr;

use ff::ffi;
use ffmpeg_next as ff;

/// Converts frames to the format of the first one: sample format, sample rate and channels.
#[derive(Default)]
pub(super) struct UniformAudio {
    /// A frame without samples that has the format.
    wanted: Option<ff::frame::Audio>,
    converter: Option<Converter>,
}

impl UniformAudio {
    /// The frame itself if it has the format of the first frame, else a converted copy. A copy at
    /// another sample rate may be a few samples shorter, which follow with the next one.
    pub(super) fn convert(&mut self, frame: ff::frame::Audio) -> Result<ff::frame::Audio, ff::Error> {
        let wanted = match &mut self.wanted {
            Some(wanted) => wanted,
            slot => slot.insert(without_samples(&frame)?),
        };
        if is_alike(wanted, &frame) {
            self.converter = None;
            return Ok(frame);
        }
        let converter = match &mut self.converter {
            Some(converter) => converter,
            slot => slot.insert(Converter::new()?),
        };
        let mut converted = without_samples(wanted)?;
        let answer = converter.run(&mut converted, &frame);
        if answer == Err(ff::Error::InputChanged) {
            let fresh = self.converter.insert(Converter::new()?);
            converted = without_samples(wanted)?;
            fresh.run(&mut converted, &frame)?;
        } else {
            answer?;
        }
        Ok(converted)
    }

    /// Forgets samples of before a seek. The format stays.
    pub(super) fn restart(&mut self) {
        self.converter = None;
    }
}

/// Whether two frames have one format.
fn is_alike(a: &ff::frame::Audio, b: &ff::frame::Audio) -> bool {
    // SAFETY: reading fields of frames that are alive.
    unsafe {
        let (a, b) = (&*a.as_ptr(), &*b.as_ptr());
        a.format == b.format && a.sample_rate == b.sample_rate && ffi::av_channel_layout_compare(&a.ch_layout, &b.ch_layout) == 0
    }
}

/// A frame of the same format without samples.
fn without_samples(frame: &ff::frame::Audio) -> Result<ff::frame::Audio, ff::Error> {
    let mut empty = ff::frame::Audio::empty();
    // SAFETY: both frames are alive; the layout of the new one is its own copy.
    unsafe {
        let (to, from) = (&mut *empty.as_mut_ptr(), &*frame.as_ptr());
        (to.format, to.sample_rate) = (from.format, from.sample_rate);
        super::check(ffi::av_channel_layout_copy(&mut to.ch_layout, &from.ch_layout))?;
    }
    Ok(empty)
}

/// A resampler, which the first frames configure.
struct Converter(*mut ffi::SwrContext);

// SAFETY: the context is used by its owner only, one thread at a time.
unsafe impl Send for Converter {}

impl Converter {
    fn new() -> Result<Self, ff::Error> {
        // SAFETY: the pointer is checked, and freed when it is dropped.
        let context = unsafe { ffi::swr_alloc() };
        if context.is_null() { Err(ff::Error::Other { errno: ff::error::ENOMEM }) } else { Ok(Converter(context)) }
    }

    fn run(&mut self, to: &mut ff::frame::Audio, from: &ff::frame::Audio) -> Result<(), ff::Error> {
        // SAFETY: the context and the frames are alive. A frame without buffers gets its own.
        super::check(unsafe { ffi::swr_convert_frame(self.0, to.as_mut_ptr(), from.as_ptr()) }).map(|_| ())
    }
}

impl Drop for Converter {
    fn drop(&mut self) {
        // SAFETY: frees the context once.
        unsafe { ffi::swr_free(ptr::from_mut(&mut self.0)) };
    }
}

#[cfg(test)]
mod tests {
    use ff::format::Sample;
    use ff::format::sample::Type;

    use super::*;

    fn frame(layout: ff::ChannelLayout, rate: u32, value: f32) -> ff::frame::Audio {
        let mut frame = ff::frame::Audio::new(Sample::F32(Type::Planar), 4800, layout);
        frame.set_rate(rate);
        for plane in 0..frame.planes() {
            frame.plane_mut::<f32>(plane).fill(value);
        }
        frame
    }

    #[test]
    fn frames_get_the_format_of_the_first() {
        let (mono, stereo) = (ff::ChannelLayout::MONO, ff::ChannelLayout::STEREO);
        let mut uniform = UniformAudio::default();
        let first = uniform.convert(frame(stereo, 48_000, 0.5)).unwrap();
        assert_eq!((first.planes(), first.samples()), (2, 4800));
        for (layout, rate, samples) in [(mono, 48_000, 4800..4801), (mono, 24_000, 9500..9601), (stereo, 48_000, 4800..4801)] {
            let converted = uniform.convert(frame(layout, rate, 0.5)).unwrap();
            assert_eq!((converted.planes(), converted.rate()), (2, 48_000));
            assert!(samples.contains(&converted.samples()), "{}", converted.samples());
            let middle = converted.plane::<f32>(0)[converted.samples() / 2];
            assert!((0.3..0.6).contains(&middle), "{middle}");
        }
    }
}
