//! The list of cases has every case.

use std::fs;

#[test]
fn every_case_is_listed() {
    let listed = swim_conformance::TOGETHER.iter().chain(swim_conformance::ALONE);
    let mut listed: Vec<String> = listed.map(ToString::to_string).collect();
    let mut written = Vec::new();
    for entry in fs::read_dir("src/tests").expect("the cases are there") {
        let path = entry.expect("the folder can be read").path();
        let room = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("it can be read");
        for rest in text.split("pub async fn ").skip(1) {
            let name = rest.split('<').next().expect("a case is generic");
            written.push(format!("{room}::{name}"));
        }
    }
    listed.sort();
    written.sort();
    assert_eq!(listed, written);
}
