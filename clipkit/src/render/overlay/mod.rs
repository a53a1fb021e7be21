//! Images and progress bars of a plan, blended into finished frames. Text overlays are drawn with
//! the captions.

mod bar;
pub(super) mod image_file;
mod sprite;

use std::rc::Rc;

use bar::Bar;
use sprite::Sprite;

use crate::av::{Area, VideoFrame};
use crate::context::Context;
use crate::error::Result;
use crate::model::{ClipPlan, FrameRate, Overlay, OverlayContent, Span};

/// The images and progress bars of a plan, from back to front.
pub(super) struct Overlays {
    items: Vec<Item>,
    rate: FrameRate,
    frames: u64,
}

struct Item {
    overlay: Overlay,
    shown: Span,
    area: Area,
    drawing: Drawing,
}

enum Drawing {
    Image(Rc<Sprite>),
    Bar(Bar),
}

impl Overlays {
    /// Reads the images and scales them to the size in which they are shown.
    ///
    /// Fails with [`ErrorKind::Overlay`](crate::ErrorKind::Overlay), which has the file's path, if
    /// an image cannot be read.
    pub(super) fn new(cx: &Context, plan: &ClipPlan) -> Result<Self> {
        let (size, end) = ((plan.output.width, plan.output.height), plan.timeline().end());
        let mut items: Vec<Item> = Vec::new();
        // The same image in the same size is read once.
        let mut known: Vec<(&str, (u32, u32), Rc<Sprite>)> = Vec::new();
        for overlay in &plan.overlays {
            cx.check()?;
            let Some(shown) = overlay.shown(end) else { continue };
            let (area, drawing) = match &overlay.content {
                OverlayContent::Image { file } => {
                    let picture = image_file::size(cx, file)?;
                    let area = Area::of(overlay.rect(size, Some(f64::from(picture.0) / f64::from(picture.1))), size);
                    let scaled = (area.width, area.height);
                    let found = known.iter().find(|(name, size, _)| name == file && *size == scaled).map(|(.., sprite)| sprite.clone());
                    let sprite = match found {
                        Some(sprite) => sprite,
                        None => {
                            let sprite = Rc::new(Sprite::of(image_file::read(cx, file)?, scaled));
                            known.push((file, scaled, sprite.clone()));
                            sprite
                        }
                    };
                    (area, Drawing::Image(sprite))
                }
                OverlayContent::ProgressBar { color, back } => {
                    let area = Area::of(overlay.rect(size, None), size);
                    (area, Drawing::Bar(Bar::new(*color, *back, (area.width, area.height))))
                }
                OverlayContent::Text { .. } => continue,
            };
            items.push(Item { overlay: overlay.clone(), shown, area, drawing });
        }
        Ok(Overlays { items, rate: plan.output.frame_rate, frames: plan.frames() })
    }

    /// Whether an image is shown on the clip's frame `n`.
    pub(super) fn have_image(&self, n: u64) -> bool {
        let at = self.rate.frame_start(n);
        self.items.iter().any(|item| matches!(item.drawing, Drawing::Image(_)) && item.shown.contains(at))
    }

    /// Draws them on the clip's frame `n`, which nothing else references.
    pub(super) fn draw(&mut self, frame: &mut VideoFrame, n: u64) {
        let at = self.rate.frame_start(n);
        for Item { overlay, shown, area, drawing } in &mut self.items {
            let gain = (overlay.opacity_at(at, *shown) * f64::from(sprite::FULL_GAIN)).round() as u32;
            if gain == 0 {
                continue;
            }
            match drawing {
                Drawing::Image(image) => image.blend(frame, (area.left, area.top), gain),
                // With the last frame all has played.
                Drawing::Bar(bar) => bar.blend(frame, (area.left, area.top), gain, (n + 1) as f64 / self.frames.max(1) as f64),
            }
        }
    }
}
