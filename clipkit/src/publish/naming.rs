//! Names of files and objects, made from ranks and titles.

/// File systems allow 255 bytes; this leaves room for the number, extensions and temporary names.
const LONGEST_SLUG: usize = 80;

/// `3`, `Why clocks lie!` -> `03-why-clocks-lie`.
pub(crate) fn stem(rank: usize, title: &str) -> String {
    format!("{rank:02}-{}", slug(title))
}

/// `Why clocks lie!` -> `why-clocks-lie`: ASCII letters, digits and hyphens, at most 80.
pub(super) fn slug(title: &str) -> String {
    let mut slug = slug::slugify(title);
    if slug.len() > LONGEST_SLUG {
        // A slug is ASCII, so every byte is a character boundary.
        slug.truncate(slug[..LONGEST_SLUG].rfind('-').unwrap_or(LONGEST_SLUG));
    }
    if slug.is_empty() {
        slug.push_str("clip");
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_short_and_numbered() {
        assert_eq!(stem(3, "Why clocks lie!"), "03-why-clocks-lie");
        assert_eq!(stem(12, "../../etc/passwd"), "12-etc-passwd");
        assert_eq!(stem(1, "\u{1F600}\u{0}"), "01-grinning");
        assert_eq!(stem(1, ""), "01-clip");
        let long = stem(1, &"word ".repeat(60));
        assert!(long.len() <= LONGEST_SLUG + 3 && long.ends_with("word"), "{long}");
    }
}
