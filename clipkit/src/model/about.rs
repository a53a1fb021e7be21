use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Span;

/// What a platform or a file says about a video: title, chapters, language. The texts are
/// untrusted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[non_exhaustive]
pub struct About {
    /// The title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The person or channel that published the video, else its author.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uploader: Option<String>,
    /// The spoken language as a BCP 47 tag, or as the file states it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The chapters in order, on the media's timeline.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chapters: Vec<Chapter>,
    /// How often each part of the video is replayed, in order, on the media's timeline.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub heatmap: Vec<HeatmapBin>,
    /// The platform's short name in lower case (`youtube`). `None` means a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The address of the video's page, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl About {
    /// A description in which nothing is known.
    pub fn new() -> Self {
        About::default()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == About::default()
    }

    /// The same video cut to `section`: times are on the section's timeline.
    #[must_use]
    pub(crate) fn cut(mut self, section: Span) -> Self {
        self.chapters.retain_mut(|chapter| match chapter.span.intersection(section) {
            Some(inside) => {
                chapter.span = inside.since(section.start());
                true
            }
            None => false,
        });
        self.heatmap.retain_mut(|bin| match bin.span.intersection(section) {
            Some(inside) => {
                bin.span = inside.since(section.start());
                true
            }
            None => false,
        });
        self
    }
}

/// A chapter of a video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Chapter {
    /// Where the chapter is.
    pub span: Span,
    /// The chapter's title.
    #[serde(default)]
    pub title: String,
}

impl Chapter {
    /// A chapter with a title.
    pub fn new(span: Span, title: impl Into<String>) -> Self {
        Chapter { span, title: title.into() }
    }
}

/// A part of a video and how often viewers replay it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct HeatmapBin {
    /// Where the part is.
    pub span: Span,
    /// How often it is replayed, 0 to 1: 1 for the most replayed part. The first part of a video is
    /// high for every video, since everybody starts there.
    pub value: f64,
}

impl HeatmapBin {
    /// A part and its value.
    pub fn new(span: Span, value: f64) -> Self {
        HeatmapBin { span, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_moves_the_times_to_the_sections_timeline() {
        let span = |a, b| Span::secs(a, b).unwrap();
        let mut about = About::new();
        about.chapters =
            vec![Chapter::new(span(0.0, 50.0), "a"), Chapter::new(span(50.0, 200.0), "b"), Chapter::new(span(200.0, 300.0), "c")];
        about.heatmap = vec![HeatmapBin::new(span(0.0, 100.0), 1.0), HeatmapBin::new(span(100.0, 200.0), 0.5)];
        let cut = about.cut(span(100.0, 160.0));
        assert_eq!(cut.chapters, [Chapter::new(span(0.0, 60.0), "b")]);
        assert_eq!(cut.heatmap, [HeatmapBin::new(span(0.0, 60.0), 0.5)]);
    }

    #[test]
    fn nothing_known_is_an_empty_document() {
        assert_eq!(serde_json::to_string(&About::new()).unwrap(), "{}");
        assert!(serde_json::from_str::<About>("{}").unwrap().is_empty());
    }
}
