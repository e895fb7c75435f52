//! The program as a user runs it.

mod command_line;
mod files;
mod page;
mod scenarios;
mod tuning;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Runs `swim-sim` at the root of the repository.
fn swim_sim(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swim-sim"));
    command.args(args).current_dir(root());
    command.output().expect("the program runs")
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("swim-sim is a member of the workspace")
}

/// A file of its own for each test.
fn file(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli");
    fs::create_dir_all(&folder).expect("the target folder can be written to");
    folder.join(name)
}

/// The same with some text in it; its path as text.
fn written(name: &str, text: &str) -> String {
    let path = file(name);
    fs::write(&path, text).expect("the target folder can be written to");
    path.to_str().expect("a path in UTF-8").to_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8 on stdout")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8 on stderr")
}

#[track_caller]
fn exits_with(output: &Output, code: i32) {
    let (out, err) = (stdout(output), stderr(output));
    assert_eq!(output.status.code(), Some(code), "stdout:\n{out}\nstderr:\n{err}");
}
