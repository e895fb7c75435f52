//! Takes labs down, whatever becomes of the program that made them.
//!
//! Beside every lab runs a shell that does nothing but read from a pipe. The pipe ends when the lab
//! is dropped, and when its program ends, be it by a panic, by Ctrl-C or by `SIGKILL`. Then the
//! shell ends every process in the lab's namespaces and removes them. It is the only way in which
//! labs are taken down. It touches no namespace that does not bear the lab's own name.

use std::{
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::tool;

/// Takes down the namespaces whose names begin with a prefix when it is dropped.
#[derive(Debug)]
pub(crate) struct Janitor(Child);

impl Janitor {
    /// Watches over the namespaces whose names begin with `prefix`.
    pub(crate) fn new(prefix: &str) -> io::Result<Self> {
        let child = Command::new("sh")
            .args(["-c", TAKE_DOWN, "janitor", prefix])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0) // Ctrl-C is for the others.
            .spawn()?;
        Ok(Self(child))
    }
}

impl Drop for Janitor {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Takes down the labs of programs that have ended, should their janitors have been ended too.
pub(crate) fn take_down_leftovers() -> io::Result<()> {
    let listed = tool::run(&["ip", "netns", "list"], "")?;
    for name in listed.lines().filter_map(|line| line.split(' ').next()) {
        let Some(rest) = name.strip_prefix(PREFIX) else { continue };
        let process = rest.split('-').next().unwrap_or_default();
        let is_number = !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && !Path::new("/proc").join(process).exists() {
            drop(Janitor::new(name)?);
        }
    }
    Ok(())
}

/// How the names of all namespaces begin; what follows is the number of the process that made them.
pub(crate) const PREFIX: &str = "netlab-";

/// Waits for the end of the pipe, then takes down every namespace that begins with the first word.
const TAKE_DOWN: &str = r#"
trap '' INT TERM HUP
cat > /dev/null
ip netns list | while read -r name rest; do
    case $name in
        "$1"*)
            for process in $(ip netns pids "$name" 2> /dev/null); do
                kill -KILL "$process" 2> /dev/null
            done
            ip netns delete "$name" 2> /dev/null ;;
    esac
done
"#;
