//! For browsers: one file that needs nothing else, opens without a network, and asks for nothing.
//!
//! Pages are written by hand in `page/`; here the data is put into them. What scenarios say is
//! data there, never markup: it is set as text, and the page forbids itself every request.

use serde_json::Value;

/// A whole page: this body, filled by these scripts from this data.
pub(super) fn page(title: &str, body: &str, scripts: &[&str], data: &Value) -> String {
    // In a script, only this could end the data before its end.
    let data = data.to_string().replace('<', "\\u003c");
    let parts: Vec<&str> = FRAME.split("@@").collect();
    let fill = |part: &&str| match *part {
        "title" => escape(title),
        "style" => STYLE.to_owned(),
        "body" => body.to_owned(),
        "data" => data.clone(),
        "script" => COMMON.to_owned() + &scripts.concat(),
        other => other.to_owned(),
    };
    parts.iter().map(fill).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

const FRAME: &str = include_str!("page/frame.html");
const STYLE: &str = include_str!("page/style.css");
const COMMON: &str = include_str!("page/common.js");
