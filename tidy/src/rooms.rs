//! The order of rooms: `ARCHITECTURE.md` lists every source file once, and within a crate a file
//! uses only files that stand above it. So there are no import cycles, and whoever reads from the
//! top has always read what the next line needs.
//!
//! An entry is a line of a list, a table or a code block that begins with the path of a `.rs` file,
//! either from the root or from the `src` of the crate that the last heading names. A declaration
//! (`mod a;`) is not a use, so a parent may stand above its children or, if it uses them, below.

use std::collections::BTreeMap;

use crate::{
    code::{blank, without_tests},
    source::{Source, crates},
    uses::{Use, uses},
};

/// A file that `ARCHITECTURE.md` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path from the root.
    pub path: String,
    /// The line it stands on, from 1.
    pub line: usize,
}

/// The entries of `text`, the content of `ARCHITECTURE.md`, in their order.
#[must_use]
pub fn entries(text: &str, crates: &[&str]) -> Vec<Entry> {
    let mut found = Vec::new();
    let mut heading = "";
    let mut in_block = false;
    for (line, written) in (1..).zip(text.lines()) {
        if written.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if written.starts_with('#') && !in_block {
            let mut words = written.split(|c: char| c.is_whitespace() || c == '`');
            heading = words.find(|word| crates.contains(word)).unwrap_or("");
        } else if let Some(path) = entry_path(written, in_block) {
            let is_from_root = crates.iter().any(|name| is_below(path, name)) || heading.is_empty();
            let path = if is_from_root { path.into() } else { format!("{heading}/src/{path}") };
            found.push(Entry { path, line });
        }
    }
    found
}

/// What is wrong with the list itself: files missing, repeated or invented.
#[must_use]
pub fn listing_complaints(entries: &[Entry], files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    let mut listed: BTreeMap<&str, usize> = BTreeMap::new();
    for Entry { path, line } in entries {
        if !files.iter().any(|file| file.path == *path) {
            found.push(format!("ARCHITECTURE.md:{line}: there is no {path}"));
        }
        if let Some(first) = listed.insert(path, *line) {
            found.push(format!("ARCHITECTURE.md:{line}: {path} stands in line {first} already"));
        }
    }
    for file in files.iter().filter(|file| file.is_room()) {
        if !listed.contains_key(file.path.as_str()) {
            found.push(format!("ARCHITECTURE.md: {} is not listed", file.path));
        }
    }
    found
}

/// What is wrong with the order: uses that look down, and crate roots that are not last.
#[must_use]
pub fn order_complaints(entries: &[Entry], files: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for name in crates(files) {
        let rooms = Rooms::new(name, entries);
        found.extend(rooms.root_complaint());
        for file in files.iter().filter(|file| file.is_room() && is_below(&file.path, name)) {
            found.extend(rooms.uses_that_look_down(file));
        }
    }
    found
}

/// The rooms of one crate that are modules of its library, or of its program if it has no library.
struct Rooms<'a> {
    /// From the module's path to its place in the list and the path of its file.
    places: BTreeMap<Vec<String>, (usize, &'a str)>,
}

impl<'a> Rooms<'a> {
    fn new(crate_name: &str, entries: &'a [Entry]) -> Self {
        let src = format!("{crate_name}/src/");
        let has_lib = entries.iter().any(|entry| entry.path == format!("{src}lib.rs"));
        let mut places = BTreeMap::new();
        for (place, entry) in entries.iter().enumerate() {
            let Some(local) = entry.path.strip_prefix(&src) else { continue };
            let is_other_root = local.starts_with("bin/") || (has_lib && local == "main.rs");
            if !is_other_root {
                places.entry(module_path(local)).or_insert((place, entry.path.as_str()));
            }
        }
        Self { places }
    }

    /// The root re-exports, so it uses everything: nothing may use it.
    fn root_complaint(&self) -> Option<String> {
        let (root_place, root) = self.places.get(&Vec::new())?;
        let (last_place, last) = self.places.values().max()?;
        if root_place == last_place {
            return None;
        }
        Some(format!("ARCHITECTURE.md: {root} is not the last of its crate, {last} is"))
    }

    fn uses_that_look_down(&self, file: &Source) -> Vec<String> {
        let mut found = BTreeMap::new();
        let own = self.places.iter().find(|(_, (_, path))| *path == file.path);
        let Some((own_module, (own_place, _))) = own else { return Vec::new() };
        for written in uses(&without_tests(&blank(&file.text))) {
            let Some((place, target)) = self.target(own_module, &written) else { continue };
            if place > *own_place {
                let (path, line, name) = (&file.path, written.line, written.segments.join("::"));
                let complaint =
                    format!("{path}:{line}: `{name}` is in {target}, which stands below");
                found.entry((line, target)).or_insert(complaint);
            }
        }
        found.into_values().collect()
    }

    /// The file that `written` names from within the module `own`; none if it leaves the crate.
    fn target(&self, own: &[String], written: &Use) -> Option<(usize, &'a str)> {
        let mut module = own.to_vec();
        let mut depth = written.inline_depth;
        let mut segments = written.segments.iter().peekable();
        match segments.peek()?.as_str() {
            "crate" => {
                segments.next();
                module.clear();
            }
            "self" => {
                segments.next();
            }
            "super" => {
                while segments.next_if(|segment| *segment == "super").is_some() {
                    if depth > 0 {
                        depth -= 1;
                    } else {
                        module.pop();
                    }
                }
            }
            child => {
                module.push(child.to_owned());
                let is_child = self.places.contains_key(&module);
                module.pop();
                if !is_child {
                    return None;
                }
            }
        }
        for segment in segments {
            module.push(segment.clone());
            if !self.places.contains_key(&module) {
                module.pop();
                break;
            }
        }
        self.places.get(&module).copied()
    }
}

/// The module that a file in `src` is: `a/b.rs` and `a/b/mod.rs` are `a::b`, the roots are nothing.
fn module_path(local: &str) -> Vec<String> {
    let local = local.strip_suffix(".rs").unwrap_or(local);
    let local = local.strip_suffix("/mod").unwrap_or(local);
    if matches!(local, "lib" | "main") {
        return Vec::new();
    }
    local.split('/').map(str::to_owned).collect()
}

fn entry_path(line: &str, in_block: bool) -> Option<&str> {
    let text = line.trim_start();
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let unmarked = ["- ", "* ", "|", ". "].into_iter().find_map(|mark| digits.strip_prefix(mark));
    let is_code = in_block || line.starts_with("    ");
    let text = if is_code { unmarked.unwrap_or(text) } else { unmarked? };
    let text = text.trim_start().trim_start_matches(['`', '[', '*']);
    let ends = |c: char| c.is_whitespace() || matches!(c, '`' | ']' | '*' | '|' | ':' | ',');
    let path = text.split(ends).next()?;
    path.ends_with(".rs").then_some(path)
}

fn is_below(path: &str, dir: &str) -> bool {
    path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into() }
    }

    /// A crate `core` with the given files in `src`, listed in the given order.
    fn complaints(rooms: &[(&str, &str)]) -> Vec<String> {
        let mut files = vec![source("core/Cargo.toml", "")];
        let mut list = String::from("# Rooms\n\n## `core`, the machine\n\n");
        for (path, text) in rooms {
            files.push(source(&format!("core/src/{path}"), text));
            list.push_str(&format!("- `{path}`: a room.\n"));
        }
        let entries = entries(&list, &crates(&files));
        assert_eq!(listing_complaints(&entries, &files), Vec::<String>::new());
        order_complaints(&entries, &files)
    }

    #[track_caller]
    fn assert_looks_down(rooms: &[(&str, &str)], path: &str) {
        let found = complaints(rooms);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains(&format!("is in core/src/{path}, which stands below")),
            "{found:?}"
        );
    }

    #[track_caller]
    fn assert_in_order(rooms: &[(&str, &str)]) {
        assert_eq!(complaints(rooms), Vec::<String>::new());
    }

    #[test]
    fn uses_that_look_up_pass() {
        assert_in_order(&[
            ("time.rs", "use core::fmt;"),
            ("wire/label.rs", "use crate::time::Instant;"),
            ("wire/mod.rs", "mod label;\nuse self::label::Label;\npub use label::Other;"),
            ("node.rs", "use crate::{time, wire::{Label, label::Other}};"),
            ("lib.rs", "mod time; mod wire; mod node; pub use node::Node;"),
        ]);
    }

    #[test]
    fn a_use_that_looks_down_is_found_however_it_is_written() {
        let ways = [
            "use crate::node::Node;",
            "use crate::{\n    time,\n    node::{self, Node as N},\n};",
            "use super::node;",
            "fn f() -> crate::node::Node { g() }",
            "mod inner { use super::super::node::Node; }",
            "pub use crate::node::*;",
        ];
        for way in ways {
            assert_looks_down(&[("time.rs", way), ("node.rs", ""), ("lib.rs", "")], "node.rs");
        }
    }

    #[test]
    fn children_and_parents_see_each_other_one_way_only() {
        let parent_first =
            |parent, child| [("node/mod.rs", parent), ("node/join.rs", child), ("lib.rs", "")];
        assert_in_order(&parent_first("mod join; struct Node;", "use super::Node;"));
        assert_looks_down(&parent_first("mod join; use join::Join;", ""), "node/join.rs");
        assert_looks_down(&parent_first("mod join; use self::join::Join;", ""), "node/join.rs");
        let child_first =
            |child, parent| [("node/join.rs", child), ("node.rs", parent), ("lib.rs", "")];
        assert_in_order(&child_first("", "mod join; use join::Join;"));
        assert_looks_down(&child_first("use super::Node;", "mod join;"), "node.rs");
    }

    #[test]
    fn calls_by_a_path_are_seen_outside_use_lines() {
        for call in ["crate::node::join::f(1)", "super::join::f(&x)", "super::join::S::f::<u8>()"] {
            let text = format!("fn g() {{ let y = {call}; }}");
            let rooms = [("node/mod.rs", ""), ("node/ask.rs", &*text), ("node/join.rs", "")];
            assert_looks_down(&rooms, "node/join.rs");
        }
        let call = "mod join; fn f() { if !join::faults(&x).is_empty() { return } }";
        assert_looks_down(&[("node/mod.rs", call), ("node/join.rs", "")], "node/join.rs");
        let call = "mod join; fn f(t: &join::T) {} struct S<'a>(&'a [join::T; join::N]);";
        assert_looks_down(&[("node/mod.rs", call), ("node/join.rs", "")], "node/join.rs");
        assert_in_order(&[("node/join.rs", ""), ("node/mod.rs", call), ("lib.rs", "")]);
        let call = "use core::fmt; fn f() -> fmt::Result { g::join::h() }";
        assert_in_order(&[("node/mod.rs", call), ("node/join.rs", "")]);
    }

    #[test]
    fn the_root_is_last_and_nothing_uses_it() {
        assert_looks_down(&[("time.rs", "use crate::Node;"), ("lib.rs", "")], "lib.rs");
        let found = complaints(&[("lib.rs", ""), ("time.rs", "")]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("core/src/lib.rs is not the last"), "{found:?}");
        assert_in_order(&[("time.rs", ""), ("lib.rs", ""), ("main.rs", "use crate::time;")]);
    }

    #[test]
    fn tests_comments_literals_and_visibilities_do_not_count() {
        assert_in_order(&[
            ("a.rs", "#[cfg(test)]\nmod tests { use crate::b::B; }\n// use crate::b;"),
            ("c.rs", "const C: &str = \"use crate::b;\"; pub(in crate::b) struct D;"),
            ("d.rs", "mod inner { use super::f; }"),
            ("b.rs", ""),
            ("lib.rs", ""),
        ]);
    }

    #[test]
    fn crates_are_ordered_apart() {
        let files = [
            source("core/Cargo.toml", ""),
            source("core/src/time.rs", "use crate::clock;"),
            source("driver/Cargo.toml", ""),
            source("driver/src/clock.rs", ""),
        ];
        let list = "1. `driver/src/clock.rs` a\n\n| `core/src/time.rs` | b |\n";
        let entries = entries(list, &crates(&files));
        assert_eq!(entries.len(), 2);
        assert_eq!(order_complaints(&entries, &files), Vec::<String>::new());
    }

    #[test]
    fn reads_lists_tables_and_blocks_but_not_prose() {
        let text = "# core\n- `a.rs` x\n* **b.rs**: y\n2. `core/src/c.rs`\n| d.rs | z |\n\
            In prose, `e.rs` is\nf.rs is too.\n    g.rs  code\n\
            ```\nh.rs  code\n# i.rs\n```\n- j.md\n";
        let paths: Vec<_> = entries(text, &["core"]).into_iter().map(|entry| entry.path).collect();
        let expected = ["a", "b", "c", "d", "g", "h"].map(|name| format!("core/src/{name}.rs"));
        assert_eq!(paths, expected);
    }

    #[test]
    fn the_list_has_every_room_once_and_nothing_else() {
        let files = [
            source("core/Cargo.toml", ""),
            source("core/src/a.rs", ""),
            source("core/src/b.rs", ""),
            source("core/src/b/tests.rs", ""),
            source("core/tests/paper.rs", ""),
        ];
        let entries = entries("# core\n- a.rs\n- a.rs\n- c.rs\n", &crates(&files));
        let expected = [
            "ARCHITECTURE.md:3: core/src/a.rs stands in line 2 already",
            "ARCHITECTURE.md:4: there is no core/src/c.rs",
            "ARCHITECTURE.md: core/src/b.rs is not listed",
        ];
        assert_eq!(listing_complaints(&entries, &files), expected);
    }
}
