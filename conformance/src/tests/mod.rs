//! The cases. Every `pub async fn` is one, and stands in the list of `suite.rs`.

pub mod cancelling;
pub mod cluster;
pub mod driving;
pub mod dropping;
pub mod ending;
pub mod lagging;
#[cfg(target_os = "linux")]
pub mod leaks;
pub mod sealed;
pub mod starting;
mod toy;
