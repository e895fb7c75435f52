//! The Go program: whether it can be built here, and building it.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// Where Debian's packages put Go's libraries.
const GOPATH: &str = "/usr/share/gocode";

/// What is missing here of what the Go program needs; `None` if nothing is.
#[must_use]
pub fn missing() -> Option<&'static str> {
    let library = Path::new(GOPATH).join("src/github.com/hashicorp/memberlist");
    if Command::new("go").arg("version").output().is_err() {
        Some("the command `go` (Debian: golang-go)")
    } else if !library.is_dir() {
        Some("HashiCorp's library memberlist (Debian: golang-github-hashicorp-memberlist-dev)")
    } else {
        None
    }
}

/// Builds the program into `directory`, with all that is kept between builds, and says where it is.
///
/// # Errors
///
/// When it can't be built.
pub fn build(directory: &Path) -> io::Result<PathBuf> {
    let program = directory.join("go-peer");
    let cache = directory.join("go-cache");
    fs::create_dir_all(&cache)?;
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("go/peer");
    let mut go = Command::new("go");
    go.current_dir(sources).args(["build", "-o"]).arg(&program).arg(".");
    go.env("GOPATH", GOPATH).env("GO111MODULE", "off").env("GOFLAGS", "").env("GOCACHE", cache);
    let output = go.output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(program)
}
