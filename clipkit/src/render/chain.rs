use std::path::Path;

use crate::av::{Filter, has_filter};
use crate::context::Context;
use crate::model::{Color, Hdr, Orientation, Output, VideoStream};

/// From a cropped frame, as stored, to a frame of the output: upright, standard range, right size and colours, captioned.
pub(super) fn filters(cx: &Context, video: &VideoStream, output: &Output, captions: Option<&Path>) -> Vec<Filter> {
    let mut chain = turn(video.orientation);
    let tone_mapped = match video.color.hdr {
        Some(_) if !has_filter("zscale") => {
            cx.warn("the source is HDR and this FFmpeg has no zscale filter: colours look pale; install a build with zimg");
            false
        }
        Some(hdr) => {
            chain.extend(tone_map(hdr, &video.color));
            true
        }
        None => false,
    };
    chain.push(scale(video, output, tone_mapped));
    chain.push(Filter::new("format").with("pix_fmts", "yuv420p"));
    if let Some(path) = captions {
        chain.push(Filter::new("ass").with("filename", path.to_string_lossy()));
    }
    chain
}

fn turn(orientation: Orientation) -> Vec<Filter> {
    let mut chain = Vec::new();
    if orientation.mirrored {
        chain.push(Filter::new("hflip"));
    }
    match orientation.clockwise {
        90 => chain.push(Filter::new("transpose").with("dir", "clock")),
        180 => chain.extend([Filter::new("hflip"), Filter::new("vflip")]),
        270 => chain.push(Filter::new("transpose").with("dir", "cclock")),
        _ => {}
    }
    chain
}

/// From BT.2100 to BT.709: to linear light with the reference white at 100 nits, the Hable curve, and back.
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

fn scale(video: &VideoStream, output: &Output, tone_mapped: bool) -> Filter {
    let scale = Filter::new("scale")
        .with("width", output.width.to_string())
        .with("height", output.height.to_string())
        .with("out_color_matrix", "bt709")
        .with("out_range", "tv");
    let matrix = if tone_mapped { "bt709" } else { matrix(video) };
    // Between matrices swscale goes through RGB, and loses up to three levels of brightness and half a pixel unless told to be exact.
    let flags = if matrix == "bt709" { "bicubic" } else { "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp" };
    let scale = scale.with("in_color_matrix", matrix).with("flags", flags);
    let full = video.color.range == "pc" || video.pixel_format.starts_with("yuvj");
    if full && !tone_mapped { scale.with("in_range", "pc") } else { scale }
}

/// What swscale calls the matrix. Where the file does not say, standard definition is BT.601, as players assume.
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
