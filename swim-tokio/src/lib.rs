//! Names tokio's types to `swim-driver`, and re-exports what programs need. No loop and no logic.
//!
#![doc = include_str!("../README.md")]

mod runtime;

#[doc(inline)]
pub use swim_driver::surface::*;

pub use runtime::Tokio;

/// A node that is being set up, on tokio. See [`swim_driver::Builder`].
pub type Builder = swim_driver::Builder<Tokio>;
