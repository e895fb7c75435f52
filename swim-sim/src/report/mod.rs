//! What came of runs, for people, programs and browsers.

pub use columns::{COLUMNS_MAX, columns};
pub use html::html;
pub use json::json;
pub use table::table;
pub use text::{quantiles, text};
pub use tuning::{tuning_json, tuning_text};

mod columns;
mod html;
mod json;
mod table;
mod text;
mod tuning;
