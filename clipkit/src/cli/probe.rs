//! `clipkit probe`: prints the properties of a video.

use clipkit::model::Media;
use clipkit::stage::{FileSource, Source};

use super::Done;
use super::args::ProbeArgs;
use super::interrupt::Interrupt;
use super::output::{say, write_json};
use super::{limits, uri};

pub(crate) async fn run(args: ProbeArgs, interrupt: &Interrupt) -> Done {
    let cx = limits::builder().build();
    let media = interrupt.guard(&cx, FileSource::new().fetch(&cx, uri(&args.file)?)).await?;
    if args.json {
        return write_json(None, &media);
    }
    describe(&media);
    Ok(())
}

fn describe(media: &Media) {
    say(&format!("file       {}", media.path.display()));
    say(&format!("identity   {}", media.id));
    say(&format!("container  {}", media.container));
    say(&format!("duration   {}", media.duration));
    match &media.video {
        Some(video) => {
            let (width, height) = video.display_size();
            let rate = if video.variable_rate { "variable, on average " } else { "" };
            let turned = match (video.orientation.clockwise, video.orientation.mirrored) {
                (0, false) => String::new(),
                (angle, mirrored) => format!(", turned {angle} degrees{}", if mirrored { " and mirrored" } else { "" }),
            };
            let hdr = video.color.hdr.map_or(String::new(), |hdr| format!(", HDR ({hdr:?})"));
            say(&format!(
                "picture    {width}x{height}, {rate}{} frames a second, {} {} {} bit{turned}{hdr}",
                video.frame_rate, video.codec, video.pixel_format, video.bit_depth
            ));
        }
        None => say("picture    none"),
    }
    for (track, audio) in (1..).zip(&media.audio) {
        let language = audio.language.as_deref().map_or(String::new(), |language| format!(", {language}"));
        say(&format!("sound {track:<4} {}, {} Hz, {} channels{language}", audio.codec, audio.sample_rate, audio.channels));
    }
    for subtitles in &media.subtitles {
        let language = subtitles.language.as_deref().map_or(String::new(), |language| format!(", {language}"));
        let title = subtitles.title.as_deref().map_or(String::new(), |title| format!(", {title:?}"));
        let marks = [(subtitles.default, ", default"), (subtitles.forced, ", forced")];
        let marks: String = marks.into_iter().filter(|(marked, _)| *marked).map(|(_, mark)| mark).collect();
        say(&format!("subtitles  {}{language}{title}{marks}", subtitles.codec));
    }
}
