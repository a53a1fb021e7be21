//! Names of languages.

use super::sidecar::is_language;

/// A language as a BCP 47 tag; none where it is not known. Whisper answers with its English name.
pub(super) fn tag(language: &str) -> Option<String> {
    let language = language.trim();
    if is_language(language) {
        return Some(language.to_owned());
    }
    let given = language.to_lowercase();
    // The register says "Malay (macrolanguage)" and "Modern Greek (1453-)".
    let is_meant = |name: &str| {
        let name = name.to_lowercase();
        let short = name.split(" (").next().unwrap_or_default();
        short == given || short.strip_prefix("modern ") == Some(&given)
    };
    let two_letters = |language: isolang::Language| language.to_639_1().filter(|_| is_meant(language.to_name()));
    isolang::languages().find_map(two_letters).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::tag;

    #[test]
    fn names_of_languages_become_tags() {
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
