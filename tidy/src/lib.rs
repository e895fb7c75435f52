//! Checks of this repository that clippy cannot make: sizes, the order of files, wording, licences.
//!
//! Each check is a pure function from text to complaints and is tested here on small made-up trees;
//! `tests/tidy.rs` applies all of them to the repository itself.

pub mod code;
pub mod licences;
pub mod marks;
pub mod quotes;
pub mod rooms;
pub mod source;
pub mod text;
pub mod uses;
