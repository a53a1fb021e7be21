//! Operations on overlays.

use super::{EditSources, captions};
use crate::error::Result;
use crate::model::{Aspect, ClipPlan, Overlay, Platform, Rect};
use crate::plan::Brand;

/// Adds an overlay in front of the others. Without an area of its own, it stays in the safe area.
pub(super) fn add(plan: &mut ClipPlan, overlay: &Overlay) {
    let mut overlay = overlay.clone();
    overlay.place.area = overlay.place.area.or_else(|| Some(safe_area(plan)));
    plan.overlays.push(overlay);
}

/// Gives captions and title a brand's look, and adds the brand's overlays, sounds and fonts.
/// A brand without intro or outro leaves those of the plan.
pub(super) fn brand(plan: &mut ClipPlan, sources: &EditSources<'_>, brand: &Brand) -> Result<()> {
    if let Some(style) = plan.captions.as_ref().map(|track| brand.caption_style(&track.style)) {
        captions::restyle(plan, sources, Some(&style))?;
    }
    captions::replace_title(plan, |style| brand.hook_style(style))?;
    let area = safe_area(plan);
    plan.overlays.extend(brand.overlays_in(area));
    plan.sound.extend(brand.sounds_until(plan.timeline().end()));
    let new = brand.font_files.iter().filter(|file| !plan.fonts.contains(file)).cloned().collect::<Vec<_>>();
    plan.fonts.extend(new);
    plan.intro = brand.intro.clone().or(plan.intro.take());
    plan.outro = brand.outro.clone().or(plan.outro.take());
    Ok(())
}

/// The captions' safe area, or that of all platforms.
fn safe_area(plan: &ClipPlan) -> Rect {
    let of_all = || Platform::default().safe_area(Aspect::of((plan.output.width, plan.output.height)));
    plan.captions.as_ref().map_or_else(of_all, |track| track.safe_area)
}
