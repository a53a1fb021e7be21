//! Operations on layouts and crop windows.

use super::invalid;
use super::op::CropChange;
use crate::error::Result;
use crate::model::{ClipPlan, Crop, CropKey, Layout, LayoutChoice, Pane, Scene, Span, Speaking, Timestamp, Tracks};
use crate::plan::reframe::{self, FramingInput};

/// The tracks in a plan, on the clip's timeline.
pub(super) fn tracks(plan: &ClipPlan) -> Tracks {
    let mut tracks = Tracks::new(plan.shots.clone(), plan.faces.clone());
    tracks.subjects.clone_from(&plan.subjects);
    tracks
}

/// Plans a scene anew with a layout.
pub(super) fn layout(plan: &mut ClipPlan, number: usize, choice: LayoutChoice) -> Result<()> {
    let span = scene(plan, number)?.span;
    let tracks = tracks(plan);
    let framing = FramingInput {
        tracks: &tracks,
        words: &[],
        voice: &[],
        span,
        picture: (plan.source.width, plan.source.height),
        output: (plan.output.width, plan.output.height),
        layout: choice,
        laughter: &[],
    };
    let framed = reframe::frame(&framing);
    if let Some(warning) = framed.layout_warning {
        return Err(invalid(format!("scene {number} cannot have that layout: {warning}")));
    }
    let moved = framed.scenes.into_iter().map(|scene| later(scene, span.start()));
    plan.scenes.splice(number..=number, moved);
    Ok(())
}

/// A scene whose times count from `origin`.
fn later(scene: Scene, origin: Timestamp) -> Scene {
    let crop = |crop: Crop| Crop { path: crop.path.into_iter().map(|key| CropKey { at: key.at.offset(origin), ..key }).collect(), ..crop };
    let pane = |pane: Pane| Pane { crop: crop(pane.crop), place: pane.place };
    let layout = match scene.layout {
        Layout::Fill { crop: window } => Layout::Fill { crop: crop(window) },
        Layout::Split { top, bottom, speaking } => {
            let speaking = speaking.into_iter().map(|entry| Speaking { from: entry.from.offset(origin), ..entry }).collect();
            Layout::Split { top: crop(top), bottom: crop(bottom), speaking }
        }
        Layout::Fit { pane: window } => Layout::Fit { pane: pane(window) },
        Layout::Pip { screen, inset } => Layout::Pip { screen: pane(screen), inset: pane(inset) },
    };
    Scene::new(Span::between(scene.span.start().offset(origin), scene.span.end().offset(origin)), layout)
}

/// Corrects a crop window.
pub(super) fn crop(plan: &mut ClipPlan, number: usize, window: usize, change: CropChange) -> Result<()> {
    let span = scene(plan, number)?.span;
    let picture = (plan.source.width, plan.source.height);
    let followed = match change {
        CropChange::Follow { face } => {
            let track = plan.faces.iter().find(|track| track.id == face);
            let track = track.filter(|track| track.samples.iter().any(|sample| span.contains(sample.at)));
            let missing = || {
                let there: Vec<u32> = plan
                    .faces
                    .iter()
                    .filter(|track| track.samples.iter().any(|sample| span.contains(sample.at)))
                    .map(|track| track.id)
                    .collect();
                invalid(format!("scene {number} does not show face {face}")).with_advice(format!("it shows the faces {there:?}"))
            };
            Some(track.ok_or_else(missing)?.clone())
        }
        _ => None,
    };
    let crop = plan.scenes.get_mut(number).and_then(|scene| windows(&mut scene.layout).into_iter().nth(window));
    let Some(crop) = crop else { return Err(invalid(format!("the layout of scene {number} has no window {window}"))) };
    match change {
        CropChange::Move { x, y } => {
            if !x.is_finite() || !y.is_finite() {
                return Err(invalid("a crop window moves by a fraction of the picture").with_advice("give -1 to 1"));
            }
            let (right, bottom) = ((1.0 - crop.width).max(0.0), (1.0 - crop.height).max(0.0));
            for key in &mut crop.path {
                (key.x, key.y) = ((key.x + x).clamp(0.0, right), (key.y + y).clamp(0.0, bottom));
            }
        }
        CropChange::Hold { at } => {
            let held = crop.at(at.unwrap_or(span.start()));
            *crop = Crop::still(held);
        }
        CropChange::Follow { .. } => {
            if let Some(track) = followed {
                *crop = reframe::follow(crop, &track, span, picture);
            }
        }
    }
    Ok(())
}

fn windows(layout: &mut Layout) -> Vec<&mut Crop> {
    match layout {
        Layout::Fill { crop } => vec![crop],
        Layout::Split { top, bottom, .. } => vec![top, bottom],
        Layout::Fit { pane } => vec![&mut pane.crop],
        Layout::Pip { screen, inset } => vec![&mut screen.crop, &mut inset.crop],
    }
}

fn scene(plan: &ClipPlan, number: usize) -> Result<&Scene> {
    plan.scenes
        .get(number)
        .ok_or_else(|| invalid(format!("there is no scene {number}: the plan has {}", plan.scenes.len())).with_advice("numbers start at 0"))
}
