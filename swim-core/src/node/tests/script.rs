//! Text tables: commands, `----`, what they must give, one line each; between them, prose.

use std::{string::String, vec::Vec};

/// Runs every case of a table. `begin` makes the world of a case, `command` carries out one line
/// in it and says what came of it, if that is worth a line.
pub(super) fn run<W>(
    table: &str,
    begin: impl Fn() -> W,
    mut command: impl FnMut(&mut W, &str) -> String,
) {
    let mut cases = 0;
    for block in table.split("\n\n") {
        let Some((commands, expected)) = block.split_once("\n----\n") else { continue };
        cases += 1;
        let mut world = begin();
        let given = commands.lines().map(|line| command(&mut world, line));
        let given: Vec<String> = given.filter(|line| !line.is_empty()).collect();
        let (given, expected) = (given.join("\n"), expected.trim_end());
        assert!(given == expected, "\n{commands}\n---- gives\n{given}\n---- not\n{expected}");
    }
    assert!(cases > 0, "a table without cases");
}
