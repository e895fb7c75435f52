//! The system's tools: `ip`, `nft`, and programs inside of network namespaces.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    process::{Command, Stdio},
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Runs a tool with `input` on its standard input; what it printed.
///
/// # Errors
///
/// When it can't be run or says that it failed; with its words.
pub(crate) fn run(words: &[&str], input: &str) -> io::Result<String> {
    let [program, args @ ..] = words else { return Err(io::Error::other("no tool is named")) };
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| io::Error::other(format!("{program}: {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A tool that stops reading says why when it ends.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{}: {}\n{input}", words.join(" "), said.trim())))
}

/// A command that runs `program` in a network namespace, in the process that is started.
pub(crate) fn inside(namespace: &str, program: &str) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net=/run/netns/{namespace}")).arg(program);
    command
}

/// Moves the calling thread into a network namespace, for good.
pub(crate) fn enter(namespace: &str) -> io::Result<()> {
    let namespace = File::open(format!("/run/netns/{namespace}"))?;
    Ok(move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?)
}

/// Why labs can't be had on this machine; nothing if they can.
#[must_use]
pub fn missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("network namespaces need root".into());
    }
    let tools: [&[&str]; 3] = [&["ip", "-V"], &["nft", "--version"], &["nsenter", "--version"]];
    tools.iter().find_map(|tool| run(tool, "").err()).map(|error| error.to_string())
}
