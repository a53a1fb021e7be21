//! Language names to BCP 47 tags.

use super::sidecar::is_language;

/// The BCP 47 tag of a language that is given as a tag or by its English name, as Whisper returns
/// it. `None` if the name is not known.
pub(super) fn tag(language: &str) -> Option<String> {
    let language = language.trim();
    if is_language(language) {
        return Some(language.to_owned());
    }
    let given = language.to_lowercase();
    // ISO 639-3 has names such as "Malay (macrolanguage)" and "Modern Greek (1453-)".
    let matches = |name: &str| {
        let name = name.to_lowercase();
        let short = name.split(" (").next().unwrap_or_default();
        short == given || short.strip_prefix("modern ") == Some(&given)
    };
    let two_letters = |language: isolang::Language| language.to_639_1().filter(|_| matches(language.to_name()));
    isolang::languages().find_map(two_letters).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::tag;

    #[test]
    fn language_names_become_tags() {
        for (given, expected) in [
            ("english", Some("en")),
            ("Japanese", Some("ja")),
            ("greek", Some("el")),
            ("malay", Some("ms")),
            ("chinese", Some("zh")),
            ("norwegian", Some("no")),
            ("en", Some("en")),
            ("pt-BR", Some("pt-BR")),
            ("klingonese", None),
            ("", None),
        ] {
            assert_eq!(tag(given).as_deref(), expected, "{given}");
        }
    }
}
