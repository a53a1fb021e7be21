//! Pure: tracks to scenes.
