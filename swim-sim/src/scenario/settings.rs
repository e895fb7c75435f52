//! The settings of nodes as scenarios and command lines write them.

use swim_core::settings::{Assignment, Given, SETTINGS, Setting, Takes};

use crate::{near, span};

use super::fields::{Fault, Table};

/// Reads a table of settings.
pub(crate) fn read(mut table: Table<'_>) -> Result<Vec<Assignment>, Fault> {
    let mut assignments = Vec::new();
    for setting in SETTINGS {
        let Some(value) = table.take(setting.name) else { continue };
        let to = match setting.takes {
            Takes::Span => Given::Span(value.span()?),
            Takes::SpanOrNever if value.as_text() == Some("never") => Given::Never,
            Takes::SpanOrNever => Given::Span(value.span()?),
            Takes::Count => Given::Count(value.count()?),
            Takes::Flag => Given::Flag(value.flag()?),
        };
        assignments.push(Assignment { setting, to });
    }
    table.end()?;
    Ok(assignments)
}

/// Reads `name=value`, as on a command line.
///
/// # Errors
///
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Assignment, String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(format!("{text:?} sets nothing: write gossip_nodes=4"));
    };
    let (name, value) = (name.trim(), value.trim());
    let Some(setting) = Setting::named(name) else {
        let hint = near::hint(name, SETTINGS.iter().map(|setting| setting.name));
        return Err(format!("there is no setting {name:?}{hint}; see `swim-sim list settings`"));
    };
    setting.read(value, span::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_from_a_command_line() {
        let assignment = parse("probe_interval = 1m 1s").unwrap();
        assert_eq!(assignment.to_string(), "probe_interval = 61s");
        let cases = [
            ("gossip_node=7", "did you mean `gossip_nodes`?"),
            ("gossip_nodes=x", "gossip_nodes: \"x\" is not a whole number (e.g. 3)"),
            ("gossip_nodes", "sets nothing"),
            ("probe_interval=1", "write 200ms"),
        ];
        for (text, expected) in cases {
            let error = parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
