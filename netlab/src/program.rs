//! The programs that run on hosts: any that take the agent's flags and print its lines.

use std::{
    io,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// A program that is a node.
#[derive(Clone, Debug)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// What it is told before the flags of an agent.
    pub words: Vec<String>,
}

impl Program {
    /// The agent, `swim`, built as this program was.
    ///
    /// # Errors
    ///
    /// When it can't be built.
    pub fn swim() -> io::Result<Self> {
        static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let built = BUILT.get_or_init(|| build().map_err(|error| error.to_string()));
        let path = built.clone().map_err(io::Error::other)?;
        Ok(Self { path, words: vec!["agent".into()] })
    }
}

/// Nothing says where the program of another package is, but the tool that builds it.
fn build() -> io::Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(&root).args([
        "build",
        "--locked",
        "--package",
        "swim-agent",
        "--bin",
        "swim",
    ]);
    cargo.args(["--message-format", "json"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let output = cargo.output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let messages = said.lines().filter_map(|line| serde_json::from_str(line).ok());
    let mut paths = messages
        .filter_map(|message: serde_json::Value| message["executable"].as_str().map(PathBuf::from));
    match paths.next_back() {
        Some(path) if output.status.success() => Ok(path),
        _ => Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned())),
    }
}
