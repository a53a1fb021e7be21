use std::sync::OnceLock;

use fontdb::Database;

use crate::context::Context;

/// Says where a font is missing: the text library takes another without a word.
pub(super) fn check(cx: &Context, font: &str) {
    if !is_installed(installed(), font) {
        cx.warn_once(format!(
            "the font {font} is not installed, so captions are set in another; install it (Lato: the package fonts-lato, or font-lato in Homebrew)"
        ));
    }
}

/// The system's fonts, looked for once a process.
fn installed() -> &'static Database {
    static FONTS: OnceLock<Database> = OnceLock::new();
    FONTS.get_or_init(|| {
        let mut fonts = Database::new();
        fonts.load_system_fonts();
        fonts
    })
}

/// Whether a family, or one style of one ("Lato Black"), is there.
fn is_installed(fonts: &Database, font: &str) -> bool {
    let wanted = bare(font);
    fonts.faces().any(|face| face.families.iter().any(|(name, _)| bare(name) == wanted) || bare(&face.post_script_name) == wanted)
}

fn bare(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_and_a_style_of_it_are_found_and_others_are_not() {
        for font in ["Lato", "Lato Black"] {
            assert!(is_installed(installed(), font), "{font}: run `make setup`");
        }
        let cx = Context::new();
        check(&cx, "No Such Font");
        assert!(cx.warnings()[0].message.contains("No Such Font"));
    }
}
