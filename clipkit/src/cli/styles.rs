//! `clipkit styles`: lists and prints the presets of caption styles.

use clipkit::model::CaptionStyle;

use super::Done;
use super::args::StylesArgs;
use super::output::say;

pub(crate) fn run(args: &StylesArgs) -> Done {
    match &args.name {
        None => say(&CaptionStyle::NAMES.join("\n")),
        Some(name) => say(CaptionStyle::named(name)?.to_json()?.trim_end()),
    }
    Ok(())
}
