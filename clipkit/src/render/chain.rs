use std::path::Path;

use crate::av::{Filter, has_filter};
use crate::context::Context;
use crate::model::{Color, Hdr, Orientation, VideoStream, WarningKind};

/// Filters that convert stored frames to upright frames of the same size, in BT.709 limited range
/// and in a planar 8-bit YUV format.
pub(super) fn upright(cx: &Context, video: &VideoStream) -> Vec<Filter> {
    upright_as(cx, video, "yuv420p|yuv422p|yuv444p")
}

/// [`upright`] for frames with transparency, which they keep.
pub(super) fn upright_with_alpha(cx: &Context, video: &VideoStream) -> Vec<Filter> {
    upright_as(cx, video, "yuva444p")
}

fn upright_as(cx: &Context, video: &VideoStream, formats: &str) -> Vec<Filter> {
    let mut filters = rotate(video.orientation);
    let tone_mapped = match video.color.hdr {
        Some(_) if !has_filter("zscale") => {
            cx.warn_of(
                WarningKind::Unavailable,
                "the source is HDR and this FFmpeg has no zscale filter: colours look washed out; install a build with zimg",
            );
            false
        }
        Some(hdr) => {
            filters.extend(tone_map(hdr, &video.color));
            true
        }
        None => false,
    };
    filters.extend([convert(video, tone_mapped), Filter::new("format").with("pix_fmts", formats)]);
    filters
}

/// Returns whether the source's frames already are what [`upright`] makes of them, by the
/// properties of the stream.
pub(super) fn is_plain(video: &VideoStream) -> bool {
    video.orientation == Orientation::default() && video.color.hdr.is_none() && !is_full_range(video) && matrix(video) == "bt709"
}

/// Filters that draw the captions of an ASS file on a frame of the output. `fonts` is a folder with
/// fonts besides the installed ones.
pub(super) fn captions(file: &Path, fonts: Option<&Path>) -> Vec<Filter> {
    let mut ass = Filter::new("ass").with("filename", file.to_string_lossy());
    if let Some(fonts) = fonts {
        ass = ass.with("fontsdir", fonts.to_string_lossy());
    }
    vec![
        // From FFmpeg 7 on, the `ass` filter draws in the colour space that the frames declare.
        Filter::new("setparams").with("colorspace", "bt709").with("range", "tv"),
        ass,
    ]
}

fn rotate(orientation: Orientation) -> Vec<Filter> {
    let mut chain = Vec::new();
    if orientation.mirrored {
        chain.push(Filter::new("hflip"));
    }
    match orientation.clockwise {
        90 => chain.push(Filter::new("transpose").with("dir", "clock")),
        // vflip only negates the stride; the filter after it has to copy the rows.
        180 => chain.extend([Filter::new("vflip"), Filter::new("hflip")]),
        270 => chain.push(Filter::new("transpose").with("dir", "cclock")),
        _ => {}
    }
    chain
}

/// Tone maps BT.2100 to BT.709: to linear light with reference white at 100 nits, the Hable curve,
/// and back.
fn tone_map(hdr: Hdr, color: &Color) -> [Filter; 6] {
    let transfer = match hdr {
        Hdr::Pq => "smpte2084",
        Hdr::Hlg => "arib-std-b67",
    };
    let range = if color.range == "pc" { "full" } else { "limited" };
    [
        Filter::new("zscale")
            .with("transferin", transfer)
            .with("primariesin", "2020")
            .with("matrixin", "2020_ncl")
            .with("rangein", range)
            .with("transfer", "linear")
            .with("npl", "100"),
        Filter::new("format").with("pix_fmts", "gbrpf32le"),
        Filter::new("zscale").with("primaries", "709"),
        Filter::new("tonemap").with("tonemap", "hable").with("desat", "0"),
        Filter::new("zscale").with("transfer", "709").with("matrix", "709").with("range", "limited"),
        Filter::new("format").with("pix_fmts", "yuv420p"),
    ]
}

/// Converts to BT.709 limited range.
fn convert(video: &VideoStream, tone_mapped: bool) -> Filter {
    let matrix = if tone_mapped { "bt709" } else { matrix(video) };
    // Between matrices swscale goes through RGB. Without these flags it loses up to three luma
    // levels and half a pixel of chroma.
    let flags = if matrix == "bt709" { "bicubic" } else { "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp" };
    let scale =
        Filter::new("scale").with("in_color_matrix", matrix).with("out_color_matrix", "bt709").with("out_range", "tv").with("flags", flags);
    if is_full_range(video) && !tone_mapped { scale.with("in_range", "pc") } else { scale }
}

fn is_full_range(video: &VideoStream) -> bool {
    video.color.range == "pc" || video.pixel_format.starts_with("yuvj")
}

/// swscale's name of the matrix. Standard definition without a matrix is BT.601, as players assume.
fn matrix(video: &VideoStream) -> &'static str {
    match video.color.matrix.as_str() {
        "bt709" => "bt709",
        "fcc" => "fcc",
        "smpte240m" => "smpte240m",
        "bt2020nc" | "bt2020c" => "bt2020",
        "bt470bg" | "smpte170m" => "smpte170m",
        _ if video.width.min(video.height) < 700 => "smpte170m",
        _ => "bt709",
    }
}
