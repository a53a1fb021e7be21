use std::time::SystemTime;

use crate::error::{Error, ErrorKind, Result};
use crate::model::Post;
use crate::publish::naming::slug;

/// The key of a clip with names in braces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Id,
    Rank,
    Slug,
    Date,
}

impl Template {
    /// Reads `{id}/{rank}-{slug}`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if a brace or a name in braces has no meaning.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let invalid = || {
            Error::new(ErrorKind::Config, format!("{text:?} is no template of keys"))
                .with_advice("names in braces are {id}, {rank}, {slug} and {date}: {id}/{rank}-{slug}")
        };
        let (mut parts, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            if let Some(named) = rest.strip_prefix('{') {
                let (name, after) = named.split_once('}').ok_or_else(invalid)?;
                parts.push(match name {
                    "id" => Part::Id,
                    "rank" => Part::Rank,
                    "slug" => Part::Slug,
                    "date" => Part::Date,
                    _ => return Err(invalid()),
                });
                rest = after;
            } else {
                let end = rest.find('{').unwrap_or(rest.len());
                let plain = &rest[..end];
                if plain.contains('}') || plain.chars().any(char::is_control) {
                    return Err(invalid());
                }
                parts.push(Part::Text(plain.to_owned()));
                rest = &rest[end..];
            }
        }
        let is_key = !text.is_empty() && !text.starts_with(['/', '.']) && !text.ends_with('/');
        if is_key { Ok(Template(parts)) } else { Err(invalid()) }
    }

    /// The key of a post, without extension.
    pub(super) fn key(&self, post: &Post, now: SystemTime) -> String {
        let date = || jiff::Timestamp::try_from(now).map_or_else(|_| "0000-00-00".into(), |at| at.strftime("%Y-%m-%d").to_string());
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Id => post.clip.to_string(),
            Part::Rank => format!("{:02}", post.rank),
            Part::Slug => slug(&post.title),
            Part::Date => date(),
        };
        self.0.iter().map(part).collect()
    }
}
