//! Pure: words to cues to ASS.
pub(crate) fn ass(_track: &crate::model::CaptionTrack, _w: u32, _h: u32) -> String {
    String::new()
}
