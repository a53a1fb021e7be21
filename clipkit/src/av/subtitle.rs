use ffmpeg_next::Packet;
use ffmpeg_next::media::Type;

use super::input::Input;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Limit, Media, Timestamp};

/// One packet of a subtitle stream as it is stored, and its times on the source's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SubtitlePacket {
    /// `None` if the container states no time.
    pub(crate) start: Option<Timestamp>,
    /// `None` if the container states no duration.
    pub(crate) end: Option<Timestamp>,
    pub(crate) data: Vec<u8>,
}

/// Reads the packets of the subtitle stream `index` of a media file, without FFmpeg's decoders and
/// their limits.
///
/// Fails with [`ErrorKind::InvalidInput`] if there is no such stream, or if it is larger than the
/// limits.
pub(crate) fn read_subtitles(cx: &Context, media: &Media, index: usize) -> Result<Vec<SubtitlePacket>> {
    let mut input = Input::open(cx, &media.path)?;
    let failure = |what: &str| Error::new(ErrorKind::InvalidInput, what).with_path(&media.path);
    let stream = input.demuxer.stream(index).filter(|stream| stream.parameters().medium() == Type::Subtitle);
    let Some(base) = stream.map(|stream| stream.time_base()) else {
        return Err(failure("the file changed while it was used: it has no subtitles there"));
    };
    input.keep_only(index);
    let limits = *cx.limits();
    let (mut packets, mut bytes) = (Vec::new(), 0);
    let mut packet = Packet::empty();
    while input.read(&mut packet)? {
        let Some(data) = packet.data().filter(|_| packet.stream() == index) else { continue };
        bytes += data.len();
        let checked =
            limits.check(Limit::TranscriptBytes, bytes as u64).and_then(|()| limits.check(Limit::TranscriptCues, packets.len() as u64 + 1));
        checked.map_err(|error| error.with_path(&media.path))?;
        let ticks = packet.pts().or(packet.dts());
        let end = ticks.filter(|_| packet.duration() > 0).map(|start| start.saturating_add(packet.duration()));
        let time = |ticks| input.timestamp(ticks, base);
        packets.push(SubtitlePacket { start: ticks.map(time), end: end.map(time), data: data.to_owned() });
    }
    Ok(packets)
}
