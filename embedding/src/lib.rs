//! Event loops that embed `swim-core`, each short enough to be read at once: [`blocking`] on a
//! plain thread, [`readiness`] on `mio`, [`bare`] without an operating system. They are there to be
//! copied; `docs/embedding.md` walks through the last one.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod bare;
#[cfg(feature = "std")]
pub mod blocking;
pub mod cable;
#[cfg(feature = "std")]
pub mod ground;
pub mod links;
#[cfg(feature = "std")]
pub mod readiness;
#[cfg(feature = "std")]
mod threads;
