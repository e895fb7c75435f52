//! Bytes as the text that people write: nothing panics, and what is taken and can be written is
//! taken again as the same.

use std::{ffi::OsString, fmt};

use swim_agent::untrusted;
use swim_core::{Cidr, Key, Label, Name, Profile};
use swim_sim::{
    explore::Plan,
    scenario::{Scenario, settings},
    span,
};

/// A text in every reader there is. What is no UTF-8 is made so first, as files are.
///
/// # Panics
///
/// When something doesn't hold.
pub fn text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let text = text.as_ref();
    if let Ok(key) = Key::from_base64(text) {
        let again = Key::from_base64(&key.to_base64()).expect("what is written is read");
        assert_eq!(key.id(), again.id(), "a key is read as the same");
    }
    again(text, Name::new);
    again(text, Label::new);
    again(text, str::parse::<Cidr>);
    again(text, str::parse::<Profile>);
    if let Ok(span) = span::parse(text) {
        assert!(!span::short(span).is_empty(), "every span can be written for people");
        // Where a setting takes it, it is written in full.
        setting(&format!("probe_interval={text}"));
    }
    setting(text);
    if let Ok(scenario) = Scenario::parse(text) {
        assert_eq!(scenario.check_settings(), Ok(()), "settings are checked where they are read");
        let is_sorted = scenario.actions.is_sorted_by_key(|timed| timed.at);
        assert!(is_sorted, "actions stand in the order of their times");
    }
    plan(text);
    keyring_file(text);
    commands(data, text);
}

/// The readers that take this text.
#[must_use]
pub fn readers(data: &[u8]) -> Vec<&'static str> {
    let text = String::from_utf8_lossy(data);
    let text = text.as_ref();
    let words = || text.lines().map(OsString::from);
    let takes = [
        ("key", Key::from_base64(text).is_ok()),
        ("name", Name::new(text).is_ok()),
        ("label", Label::new(text).is_ok()),
        ("network", text.parse::<Cidr>().is_ok()),
        ("profile", text.parse::<Profile>().is_ok()),
        ("span", span::parse(text).is_ok()),
        ("setting", settings::parse(text).is_ok()),
        ("scenario", Scenario::parse(text).is_ok()),
        ("plan", Plan::from_toml(text).is_ok()),
        ("plan on a line", Plan::from_json(text).is_ok()),
        ("keyring file", untrusted::keyring_file(text).is_ok()),
        ("command line", untrusted::command_line(words()).is_ok()),
        ("command", untrusted::commands(data).any(|command| command.is_ok())),
    ];
    takes.into_iter().filter_map(|(reader, takes)| takes.then_some(reader)).collect()
}

/// A keyring file. (X20)
fn keyring_file(text: &str) {
    let Ok(ring) = untrusted::keyring_file(text) else { return };
    let keys: Vec<_> =
        ring.keys().map(|key| format!("{:?}", key.to_base64().to_string())).collect();
    let again = untrusted::keyring_file(&format!("[{}]", keys.join(",")));
    let again = again.expect("what is written is read");
    assert!(
        again.keys().eq(ring.keys()),
        "the keys of a file are read as the same, in their order"
    );
}

/// The command line, of which each line is a word, and the commands on standard input. Each is
/// taken, or refused with a reason.
fn commands(data: &[u8], text: &str) {
    if let Err(why) = untrusted::command_line(text.lines().map(OsString::from)) {
        assert!(!why.is_empty());
    }
    let lines = data.split(|&byte| byte == b'\n').count();
    let commands: Vec<_> = untrusted::commands(data).collect();
    assert!(commands.len() <= lines, "a line is one command at most");
    assert!(
        commands.iter().all(|command| command.as_ref().err().is_none_or(|why| !why.is_empty()))
    );
}

/// What is read and written is read as the same.
fn again<T: fmt::Display + PartialEq + fmt::Debug, E: fmt::Debug + PartialEq>(
    text: &str,
    read: impl Fn(&str) -> Result<T, E>,
) {
    if let Ok(value) = read(text) {
        assert_eq!(read(&value.to_string()), Ok(value));
    }
}

fn setting(text: &str) {
    let Ok(read) = settings::parse(text) else { return };
    let written = read.to_string();
    let again = settings::parse(&written).expect("what is written is read");
    assert_eq!(again.to, read.to, "{text:?} is written as {written:?}");
}

fn plan(text: &str) {
    let plan = Plan::from_toml(text).or_else(|_| Plan::from_json(text));
    let Ok(plan) = plan else { return };
    let written = plan.to_json();
    let again = Plan::from_json(&written).expect("what is written is read");
    assert_eq!(again.to_json(), written, "a plan is read as the same");
}
