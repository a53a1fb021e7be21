//! Pure: words to cues to ASS.
