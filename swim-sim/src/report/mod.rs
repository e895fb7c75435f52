//! What came of runs, for people, programs and browsers.

pub use columns::{COLUMNS_MAX, columns};
pub use html::html;
pub use json::json;
pub use text::{quantiles, text};

mod columns;
mod html;
mod json;
mod text;
