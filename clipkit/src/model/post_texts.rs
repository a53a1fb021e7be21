use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::caption::require;
use super::script;
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

    /// Shortens the texts to the limits. Says what was lost; `None` means nothing.
    pub(crate) fn shorten(&mut self) -> Option<String> {
        let mut lost = Vec::new();
        let length = self.description.chars().count();
        if length > MAX_DESCRIPTION {
            self.description = script::cut_at_word(&self.description, MAX_DESCRIPTION, |_| 1);
            let kept = self.description.chars().count();
            lost.push(format!("the description was cut from {length} to {kept} characters"));
        }
        self.tags.retain(|tag| !tag.trim().is_empty());
        let given = self.tags.len();
        self.tags.retain(|tag| tag.chars().count() <= MAX_TAG);
        self.tags.truncate(MAX_TAGS);
        let left_out = given - self.tags.len();
        if left_out > 0 {
            lost.push(format!(
                "{left_out} of {given} tags were left out: at most {MAX_TAGS} tags of at most {MAX_TAG} characters are kept"
            ));
        }
        (!lost.is_empty()).then(|| lost.join(", and "))
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
