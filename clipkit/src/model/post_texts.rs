use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::caption::require;
use crate::error::Result;

/// The longest description in characters, and the most and longest tags. Platforms allow less, and
/// publishers shorten to that.
const MAX_DESCRIPTION: usize = 5000;
const MAX_TAGS: usize = 60;
const MAX_TAG: usize = 100;

/// What a clip's posts say besides the title.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct PostTexts {
    /// The description. Publishers shorten it to what their platform accepts.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The tags, without `#`, the most fitting first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The spoken language as a BCP 47 tag. `None` means that it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl PostTexts {
    /// Texts in an unknown language.
    pub fn new(description: impl Into<String>, tags: Vec<String>) -> Self {
        PostTexts { description: description.into(), tags, language: None }
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == PostTexts::default()
    }

    pub(crate) fn check(&self) -> Result<()> {
        let length = self.description.chars().count();
        require(length <= MAX_DESCRIPTION, || format!("post.description has {length} characters; give at most {MAX_DESCRIPTION}"))?;
        require(self.tags.len() <= MAX_TAGS, || format!("post.tags has {} entries; give at most {MAX_TAGS}", self.tags.len()))?;
        for (n, tag) in self.tags.iter().enumerate() {
            require(!tag.trim().is_empty(), || format!("post.tags[{n}] is empty"))?;
            require(tag.chars().count() <= MAX_TAG, || format!("post.tags[{n}] is longer than {MAX_TAG} characters"))?;
        }
        Ok(())
    }
}
