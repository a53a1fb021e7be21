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

/// The BCP 47 tag of a container's language: ISO 639-2 in either of its codes (`ger`, `deu`), or a
/// tag. `None` for `und` and for what names no language.
pub(super) fn of_container(name: &str) -> Option<String> {
    /// The codes for bibliographies that differ from those of ISO 639-3.
    const BIBLIOGRAPHIC: [(&str, &str); 20] = [
        ("alb", "sq"),
        ("arm", "hy"),
        ("baq", "eu"),
        ("bur", "my"),
        ("chi", "zh"),
        ("cze", "cs"),
        ("dut", "nl"),
        ("fre", "fr"),
        ("geo", "ka"),
        ("ger", "de"),
        ("gre", "el"),
        ("ice", "is"),
        ("mac", "mk"),
        ("mao", "mi"),
        ("may", "ms"),
        ("per", "fa"),
        ("rum", "ro"),
        ("slo", "sk"),
        ("tib", "bo"),
        ("wel", "cy"),
    ];
    let name = name.trim().to_ascii_lowercase().replace('_', "-");
    if !is_language(&name) || matches!(name.as_str(), "und" | "mul" | "zxx" | "mis") {
        return None;
    }
    let (primary, rest) = name.split_at(name.find('-').unwrap_or(name.len()));
    let known = BIBLIOGRAPHIC.iter().find(|(code, _)| *code == primary).map(|(_, short)| *short);
    let short = known.or_else(|| isolang::Language::from_639_3(primary).and_then(|language| language.to_639_1()));
    Some(format!("{}{rest}", short.unwrap_or(primary)))
}

/// Whether two tags name the same language, whatever the region or script.
pub(super) fn same(a: &str, b: &str) -> bool {
    let primary = |tag: &str| {
        let tag = of_container(tag).or_else(|| self::tag(tag)).unwrap_or_else(|| tag.to_ascii_lowercase());
        tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
    };
    primary(a) == primary(b)
}

#[cfg(test)]
mod tests {
    use super::{of_container, same, tag};

    #[test]
    fn languages_of_containers_become_tags() {
        for (name, expected) in [
            ("eng", Some("en")),
            ("EN-us", Some("en-us")),
            ("ger", Some("de")),
            ("deu", Some("de")),
            ("deu-AT", Some("de-at")),
            ("gsw", Some("gsw")),
            ("und", None),
            ("", None),
            ("English", None),
        ] {
            assert_eq!(of_container(name).as_deref(), expected, "{name}");
        }
        assert!(same("ger", "de-AT") && same("German", "de") && !same("de", "en"));
    }

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
