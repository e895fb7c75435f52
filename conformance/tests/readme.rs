//! The README of the repository and the ones of the runtimes' crates show the same programs. That
//! they work is shown by the tests of the documentation.

#[test]
fn the_readmes_show_the_same_programs() {
    let root = programs(include_str!("../../README.md"));
    for (readme, name) in [
        (include_str!("../../swim-tokio/README.md"), "use swim_tokio"),
        (include_str!("../../swim-smol/README.md"), "use swim_smol"),
    ] {
        let own = programs(readme)[0];
        assert!(own.contains(name) && own.contains("Builder::local"), "{own}");
        assert!(own.lines().count() < 20, "{own}");
        assert!(root.contains(&own), "{own}");
    }
}

/// What both crates must say alike, they say in the same words.
#[test]
fn both_crates_say_the_same() {
    let tokio = include_str!("../../swim-tokio/README.md").replace("tokio", "smol");
    let smol = include_str!("../../swim-smol/README.md");
    let shared: Vec<_> = facts(&tokio).filter(|fact| !fact.starts_with("**One task**")).collect();
    assert!(shared.len() > 4, "{shared:?}");
    for fact in shared {
        assert!(smol.contains(fact), "{fact}");
    }
}

fn programs(text: &str) -> Vec<&str> {
    let parts = text.split("```rust\n").skip(1);
    parts.map(|rest| rest.split_once("```").expect("it ends").0).collect()
}

fn facts(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n- ").skip(1).map(|fact| fact.split("\n\n").next().unwrap_or_default().trim())
}
