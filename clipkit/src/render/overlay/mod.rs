//! Images, emoji and progress bars of a plan, blended into finished frames. Text overlays are drawn
//! with the captions.

mod bar;
mod emoji;
pub(super) mod image_file;
mod sprite;

use std::rc::Rc;

use image::RgbaImage;

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

/// The picture of an overlay before it is scaled.
enum Picture<'a> {
    /// The path of an image and its displayed size.
    File(&'a str, (u32, u32)),
    Read(RgbaImage),
}

impl Picture<'_> {
    fn size(&self) -> (u32, u32) {
        match self {
            Picture::File(_, size) => *size,
            Picture::Read(picture) => picture.dimensions(),
        }
    }

    fn read(self, cx: &Context) -> Result<RgbaImage> {
        match self {
            Picture::File(file, _) => image_file::read(cx, file),
            Picture::Read(picture) => Ok(picture),
        }
    }
}

/// The scaled pictures of a plan. The same picture is opened once, and scaled once for each size.
struct Pictures<'a> {
    /// The output's columns and rows.
    size: (u32, u32),
    known: Vec<Scaled<'a>>,
}

struct Scaled<'a> {
    content: &'a OverlayContent,
    /// The size before and after scaling.
    picture: (u32, u32),
    size: (u32, u32),
    sprite: Rc<Sprite>,
}

impl<'a> Pictures<'a> {
    fn drawing(&mut self, cx: &Context, overlay: &'a Overlay, open: impl Fn() -> Result<Picture<'a>>) -> Result<(Area, Drawing)> {
        let content = &overlay.content;
        let mut opened = None;
        let picture = match self.known.iter().find(|known| known.content == content) {
            Some(known) => known.picture,
            None => opened.insert(open()?).size(),
        };
        let area = Area::of(overlay.rect(self.size, Some(f64::from(picture.0) / f64::from(picture.1))), self.size);
        let size = (area.width, area.height);
        if let Some(known) = self.known.iter().find(|known| known.content == content && known.size == size) {
            return Ok((area, Drawing::Image(known.sprite.clone())));
        }
        let source = opened.map_or_else(open, Ok)?;
        let sprite = Rc::new(Sprite::of(source.read(cx)?, size));
        self.known.push(Scaled { content, picture, size, sprite: sprite.clone() });
        Ok((area, Drawing::Image(sprite)))
    }
}

impl Overlays {
    /// Reads the images and scales them to the size in which they are shown.
    ///
    /// Fails with [`ErrorKind::Overlay`](crate::ErrorKind::Overlay), which has the file's path, if
    /// an image cannot be read.
    pub(super) fn new(cx: &Context, plan: &ClipPlan) -> Result<Self> {
        let (size, end) = ((plan.output.width, plan.output.height), plan.timeline().end());
        let mut items: Vec<Item> = Vec::new();
        let mut pictures = Pictures { size, known: Vec::new() };
        for overlay in &plan.overlays {
            cx.check()?;
            let Some(shown) = overlay.shown(end) else { continue };
            let (area, drawing) = match &overlay.content {
                OverlayContent::Image { file } => pictures.drawing(cx, overlay, || Ok(Picture::File(file, image_file::size(cx, file)?)))?,
                OverlayContent::Emoji { emoji, from } => {
                    pictures.drawing(cx, overlay, || emoji::picture(cx, emoji, from.as_deref()).map(Picture::Read))?
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
