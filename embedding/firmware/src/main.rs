//! Two nodes on a microcontroller: a Cortex-M4 without an operating system. Ends with success when
//! the story of `story.rs` went as it should.
//!
//! Where there is an operating system this is an ordinary program that tells the same story in
//! virtual time: so it is checked with everything else.

#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod board;
#[cfg(not(target_os = "none"))]
mod desk;
mod story;

#[cfg(not(target_os = "none"))]
fn main() -> std::process::ExitCode {
    if story::play(&mut desk::Desk::default()) {
        std::process::ExitCode::SUCCESS
    } else {
        std::process::ExitCode::FAILURE
    }
}
