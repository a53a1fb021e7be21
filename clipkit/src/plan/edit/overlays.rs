//! Operations on overlays.

use super::{EditSources, captions, invalid};
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
pub(super) fn brand(plan: &mut ClipPlan, sources: &EditSources<'_>, brand: &Brand) -> Result<()> {
    if let Some(style) = plan.captions.as_ref().map(|track| brand.caption_style(&track.style)) {
        captions::restyle(plan, sources, Some(&style))?;
    }
    if let Some((text, style)) = plan.hook.as_ref().map(|hook| (hook.text.clone(), brand.hook_style(&hook.style))) {
        let line = plan.hook_line.take();
        captions::hook_line(plan, Some(&text), Some(&style))?;
        plan.hook_line = line;
    }
    let area = safe_area(plan);
    plan.overlays.extend(brand.overlays_in(area));
    plan.sound.extend(brand.sounds_until(plan.timeline().end()));
    let new = brand.font_files.iter().filter(|file| !plan.fonts.contains(file)).cloned().collect::<Vec<_>>();
    plan.fonts.extend(new);
    Ok(())
}

/// The captions' safe area, or that of all platforms.
fn safe_area(plan: &ClipPlan) -> Rect {
    let of_all = || Platform::default().safe_area(Aspect::of((plan.output.width, plan.output.height)));
    plan.captions.as_ref().map_or_else(of_all, |track| track.safe_area)
}

/// Removes an overlay.
pub(super) fn remove(plan: &mut ClipPlan, number: usize) -> Result<()> {
    let count = plan.overlays.len();
    if number >= count {
        return Err(invalid(format!("there is no overlay {number}: the plan has {count}")).with_advice("numbers start at 0"));
    }
    plan.overlays.remove(number);
    Ok(())
}
