//! What came of runs, for people, programs and browsers.

pub use columns::{COLUMNS_MAX, columns};
pub use html::{EVERY_INVARIANT, RunPage, html};
pub use json::json;
pub use sheet::{Part, Point, Sheet, Shown, Strip};
pub use table::table;
pub use text::{quantiles, text};
pub use tuning::{tuning_json, tuning_runs, tuning_sheet, tuning_text};

mod columns;
mod html;
mod json;
mod page;
mod sheet;
mod table;
mod text;
mod tuning;
