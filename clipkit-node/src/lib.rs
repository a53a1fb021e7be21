//! clipkit for Node.js: the crate as a native module. `lib/` gives it its JavaScript face.
//!
//! A function here converts, calls and maps the error; it decides nothing. Documents (plans, transcripts, manifests) cross as JSON text, a piece
//! at a time; errors cross as the JSON of what they say.

// Exports are public to JavaScript, by way of a macro.
#![allow(unreachable_pub)]
// Under test, which lints look at, that macro registers nothing.
#![cfg_attr(test, allow(dead_code))]

mod context;
mod document;
mod error;
mod frames;
mod host;
mod layer;
mod pipeline;
mod stage;
mod tools;
