//! The native module of clipkit for Node.js. `lib/` wraps it in the public JavaScript API.
//!
//! A function of this module converts its arguments, calls the crate and maps the error.
//! Documents (plans, transcripts, manifests) are passed as JSON text in pieces; errors are passed
//! as JSON in the exception's message.

// Exports are public to JavaScript, through a macro.
#![allow(unreachable_pub)]
// In a test build, which clippy checks too, that macro registers nothing.
#![cfg_attr(test, allow(dead_code))]

mod context;
mod document;
mod error;
mod frames;
mod host;
mod jobs;
mod layer;
mod pipeline;
mod stage;
mod tools;
