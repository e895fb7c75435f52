//! The files of the repository, read into memory in the order of their paths.

use std::{fs, io, path::Path};

/// Directories whose content is made by tools or is bytes to be kept as they are.
const SKIPPED: [&str; 5] = ["target", "golden", "corpus", "artifacts", "testdata"];

/// Hidden directories that are part of the repository; all others are somebody's own.
const HIDDEN: [&str; 2] = [".ci", ".github"];

/// In a second working tree it is a file that says where the first one is.
const GIT: &str = ".git";

/// One text file.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is, from the root of the repository, with `/` on every platform.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl Source {
    /// Whether it is Rust.
    #[must_use]
    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it holds tests and nothing else, by its place or its name.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.path.split('/').any(|part| matches!(part, "tests" | "tests.rs"))
    }

    /// Whether it is a room: a file of a crate's `src` that is not only tests.
    #[must_use]
    pub fn is_room(&self) -> bool {
        self.is_rust() && !self.is_test() && self.path.split('/').any(|part| part == "src")
    }
}

/// Reads every text file below `root`. Files that are not UTF-8 are left out.
///
/// # Errors
///
/// When a directory or file cannot be read.
pub fn walk(root: &Path) -> io::Result<Vec<Source>> {
    let mut found = Vec::new();
    walk_into(root, "", &mut found)?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// The directories of the crates: those that hold a manifest, except the root.
#[must_use]
pub fn crates(files: &[Source]) -> Vec<&str> {
    files.iter().filter_map(|file| file.path.strip_suffix("/Cargo.toml")).collect()
}

fn walk_into(dir: &Path, prefix: &str, found: &mut Vec<Source>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            let hidden = name.starts_with('.') && !HIDDEN.contains(&name.as_str());
            if !hidden && !SKIPPED.contains(&name.as_str()) {
                walk_into(&entry.path(), &format!("{path}/"), found)?;
            }
        } else if kind.is_file()
            && name != GIT
            && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
        {
            found.push(Source { path, text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_sources_that_are_not_tests() {
        let cases = [
            ("core/src/time.rs", true, false),
            ("core/src/node/mod.rs", true, false),
            ("core/src/node/tests.rs", false, true),
            ("core/src/node/tests/join.rs", false, true),
            ("core/tests/paper.rs", false, true),
            ("core/benches/apply.rs", false, false),
            ("core/src/table.txt", false, false),
        ];
        for (path, room, test) in cases {
            let file = Source { path: path.into(), text: String::new() };
            assert_eq!((file.is_room(), file.is_test()), (room, test), "{path}");
        }
    }
}
