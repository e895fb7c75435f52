//! The README of the repository and the one of this crate show the same program. That it works is
//! shown by the tests of the documentation.

#[test]
fn both_readmes_show_the_same_program() {
    let root = first_program(include_str!("../../README.md"));
    assert!(root.contains("Builder::local"), "{root}");
    assert_eq!(root, first_program(include_str!("../README.md")));
}

fn first_program(text: &str) -> &str {
    let (_, rest) = text.split_once("```rust\n").expect("there is a program");
    rest.split_once("```").expect("it ends").0
}
