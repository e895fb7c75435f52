//! Finds the paths by which a file names other files of its crate.
//!
//! `use` declarations with nested braces, and paths written out in the code that begin with
//! `crate`, `self` or `super`, or with a name that may be a child's (`check::faults(..)`); those
//! that are none, because they were imported or are other crates, sort themselves out when they are
//! looked up. Declarations (`mod a;`) and visibilities (`pub(in crate::a)`) are
//! not uses.

use crate::code::is_name_byte;

/// A path as written, spread out: `use a::{b, c}` is two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The names between the `::`, without aliases; a glob ends at what it opens.
    pub segments: Vec<String>,
    /// How many `mod name { .. }` of this very file it stands in.
    pub inline_depth: usize,
    /// The line it begins on, from 1.
    pub line: usize,
}

/// All uses in `code`, which is blanked and without tests.
#[must_use]
pub fn uses(code: &str) -> Vec<Use> {
    let mut reader = Reader { code, at: 0 };
    let mut found = Vec::new();
    let mut blocks = Vec::new();
    let mut next_is_module = false;
    while let Some(byte) = reader.peek() {
        let start = reader.at;
        if !is_name_byte(byte) {
            match byte {
                b'{' => blocks.push(next_is_module),
                b'}' => _ = blocks.pop(),
                _ => {}
            }
            next_is_module &= byte.is_ascii_whitespace();
            reader.at += 1;
            continue;
        }
        let paths = match reader.word() {
            "mod" => {
                reader.skip_space();
                reader.word();
                next_is_module = true;
                continue;
            }
            "use" => reader.tree(),
            // A child is named without anything before it; whoever asks knows which there are.
            word if word.starts_with(|c: char| c.is_ascii_lowercase())
                && reader.starts("::")
                && !code[..start].ends_with("::")
                && !code[..start].ends_with("(in ") =>
            {
                reader.at = start;
                reader.tree()
            }
            _ => continue,
        };
        let line = 1 + code[..start].matches('\n').count();
        let inline_depth = blocks.iter().filter(|is_module| **is_module).count();
        found.extend(paths.into_iter().map(|segments| Use { segments, inline_depth, line }));
    }
    found
}

struct Reader<'a> {
    code: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads what follows `use`, or one plain path.
    fn tree(&mut self) -> Vec<Vec<String>> {
        let mut paths = Vec::new();
        self.branch(&[], &mut paths);
        paths
    }

    /// Reads one tree below `prefix` and adds the paths that it spreads out to.
    fn branch(&mut self, prefix: &[String], paths: &mut Vec<Vec<String>>) {
        let mut path = prefix.to_vec();
        loop {
            self.skip_space();
            match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    return self.group(&path, paths);
                }
                Some(b'*') => {
                    self.at += 1;
                    return paths.push(path);
                }
                Some(byte) if is_name_byte(byte) => {
                    let word = self.word();
                    let is_own_prefix = word == "self" && !path.is_empty();
                    if !is_own_prefix {
                        path.push(word.to_owned());
                    }
                }
                Some(b':') if path.is_empty() && self.starts("::") => {}
                _ => return paths.push(path),
            }
            if !self.starts("::") {
                paths.push(path);
                return self.alias();
            }
            self.at += 2;
        }
    }

    /// Reads the trees between braces, from after the opening one to after the closing one.
    fn group(&mut self, prefix: &[String], paths: &mut Vec<Vec<String>>) {
        loop {
            self.skip_space();
            match self.peek() {
                None => return,
                Some(b'}') => {
                    self.at += 1;
                    return;
                }
                Some(byte) if is_name_byte(byte) || byte == b'*' || byte == b'{' => {
                    self.branch(prefix, paths);
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn alias(&mut self) {
        let start = self.at;
        self.skip_space();
        if self.word() != "as" {
            self.at = start;
            return;
        }
        self.skip_space();
        self.word();
    }

    fn word(&mut self) -> &'a str {
        let start = self.at;
        self.at += self.rest().bytes().take_while(|byte| is_name_byte(*byte)).count();
        &self.code[start..self.at]
    }

    fn skip_space(&mut self) {
        self.at += self.rest().bytes().take_while(u8::is_ascii_whitespace).count();
    }

    fn starts(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    fn peek(&self) -> Option<u8> {
        self.rest().bytes().next()
    }

    fn rest(&self) -> &'a str {
        &self.code[self.at..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(code: &str) -> Vec<String> {
        uses(code).into_iter().map(|found| found.segments.join("::")).collect()
    }

    #[test]
    fn spreads_out_nested_trees() {
        let code = "pub(crate) use crate::{\n a::{self, B as C},\n d::{e::{F, G}, *},\n h,\n};";
        let expected = ["a", "a::B", "d::e::F", "d::e::G", "d", "h"].map(|p| format!("crate::{p}"));
        assert_eq!(paths(code), expected);
        assert_eq!(paths("use ::a::b as _; use c;"), ["a::b", "c"]);
    }

    #[test]
    fn finds_paths_in_code_and_leaves_other_words() {
        assert_eq!(paths("f(crate::a::b::<u8>(), super::C as u8)"), ["crate::a::b", "super::C"]);
        assert_eq!(
            paths("pub(in crate::a) fn f(self) { self.use_it(); abuse::x; mod_a }"),
            ["abuse::x"]
        );
        assert_eq!(paths("-> impl Fn() + use<'a>").join(""), "");
    }

    #[test]
    fn knows_the_inline_modules_around_a_use() {
        let depths = |code: &str| uses(code).iter().map(|u| u.inline_depth).collect::<Vec<_>>();
        let code =
            "mod a;\nfn f() { super::x }\nmod b { use super::y; mod c { super::z } }\nuse d;";
        assert_eq!(depths(code), [0, 1, 2, 0]);
        assert_eq!(uses(code).iter().map(|u| u.line).collect::<Vec<_>>(), [2, 3, 3, 4]);
    }
}
