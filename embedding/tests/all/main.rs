//! The loops, run: each for itself, and all of them together with a node on tokio.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod asker;
mod cabled;
mod chapter;
mod host;
mod lingering;
mod links;
mod serf;
mod together;
mod wall;
