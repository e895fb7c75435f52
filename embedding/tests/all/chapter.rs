//! The code in `docs/embedding.md` is the example's, line by line.

use std::{fs, path::Path};

#[test]
fn the_chapter_shows_the_code_as_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let chapter = fs::read_to_string(root.join("docs/embedding.md")).unwrap();
    let mut shown = 0;
    let mut parts = chapter.split("```rust,").skip(1);
    parts.by_ref().for_each(|part| {
        let (path, rest) = part.split_once('\n').unwrap();
        let (code, _) = rest.split_once("```").unwrap();
        let source = fs::read_to_string(root.join(path)).unwrap();
        assert!(source.contains(code.trim_end()), "{path} does not say:\n{code}");
        shown += code.lines().count();
    });
    let bare = fs::read_to_string(root.join("embedding/src/bare.rs")).unwrap();
    let is_code = |line: &&str| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with("//") && !line.starts_with("use ") && line != "}"
    };
    for line in bare.lines().filter(is_code) {
        assert!(chapter.contains(line.trim()), "the chapter leaves out: {line}");
    }
    assert!(shown > 60, "only {shown} lines are shown");
}

#[test]
fn the_loops_are_as_short_as_the_chapter_says() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in ["blocking.rs", "threads.rs", "readiness.rs", "bare.rs", "links.rs"] {
        let text = fs::read_to_string(src.join(file)).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap().lines().map(str::trim);
        let lines = code.filter(|line| !line.is_empty() && !line.starts_with("//")).count();
        assert!(lines <= 150, "{file} has {lines} lines of code");
    }
}
