//! The operation `aspect`.

use super::{EditSources, captions, framing, words};
use crate::error::Result;
use crate::model::{Aspect, ClipPlan, HookStyle, LayoutChoice, Platform, Span, Timestamp};
use crate::plan::caption;
use crate::plan::reframe::{self, FramingInput};

/// Plans the framing anew for another aspect ratio.
pub(super) fn aspect(plan: &mut ClipPlan, sources: &EditSources<'_>, aspect: Aspect) -> Result<()> {
    let before = (plan.output.width, plan.output.height);
    let size = aspect.size();
    (plan.output.width, plan.output.height) = size;
    let tracks = framing::tracks(plan);
    let spoken = words::as_words(&words::of_clip(plan, sources));
    let framed = reframe::frame(&FramingInput {
        tracks: &tracks,
        words: &spoken,
        voice: &[],
        span: Span::between(Timestamp::ZERO, plan.timeline().end()),
        picture: (plan.source.width, plan.source.height),
        output: size,
        layout: LayoutChoice::Auto,
        laughter: &[],
    });
    plan.scenes = framed.scenes;
    // The windows that they belong to are gone.
    plan.zooms.clear();
    move_texts(plan, before, size)
}

/// Moves captions, title and overlays into the safe area of another size.
fn move_texts(plan: &mut ClipPlan, before: (u32, u32), size: (u32, u32)) -> Result<()> {
    let [old, new] = [before, size].map(Aspect::of);
    let platforms = [Platform::Shorts, Platform::Tiktok, Platform::Reels, Platform::Generic];
    let known = plan.captions.as_ref().map(|track| track.safe_area);
    let platform = platforms.into_iter().find(|platform| Some(platform.safe_area(old)) == known).unwrap_or_default();
    let (was, is) = (platform.safe_area(old), platform.safe_area(new));
    for overlay in plan.overlays.iter_mut().filter(|overlay| overlay.place.area == Some(was)) {
        overlay.place.area = Some(is);
    }
    if let Some(track) = &mut plan.captions {
        if track.safe_area == was {
            track.safe_area = is;
        }
        track.cues.iter_mut().for_each(|cue| cue.place = None);
        caption::place(track, &plan.scenes, &plan.faces);
    }
    captions::replace_title(plan, HookStyle::clone)
}
