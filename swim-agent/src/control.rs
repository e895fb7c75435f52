//! Commands from standard input, one per line: a small door for scripts and tests.

use std::{
    io::{self, BufRead, Read},
    iter, thread,
};

use swim_tokio::{Handle, IoStats, Key, Member, Reject, Stats};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use crate::{
    detail::{about, with_stamp},
    line::Line,
};

/// What can be asked of a running agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Send this to all other members.
    Broadcast(String),
    /// Say this about the node.
    Meta(String),
    /// List the members.
    Members,
    /// List the ids of the keys.
    ListKeys,
    /// Change the keyring.
    ChangeKeys(KeyStep, Key),
    /// Show the counters.
    Stats,
    /// Leave and exit.
    Leave,
}

/// A step of a rotation of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyStep {
    /// It opens.
    Add,
    /// It seals.
    Use,
    /// It is refused.
    Remove,
}

/// Reads commands from standard input until it ends.
///
/// # Errors
///
/// When the thread that reads cannot be had.
pub(crate) fn read_stdin() -> io::Result<mpsc::Receiver<Result<Command, String>>> {
    let (sender, receiver) = mpsc::channel(COMMANDS_WAITING_MAX);
    let reader = thread::Builder::new().name("control".into()).stack_size(STACK_LEN);
    // Never joined: a read from a terminal can't be interrupted, the end of the process ends it.
    reader.spawn(move || {
        for command in commands(io::stdin().lock()) {
            if sender.blocking_send(command).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// Carries out `command` and says what came of it. `Leave` is only acknowledged: it is the
/// caller's to carry out.
pub(crate) async fn answer(handle: &Handle, command: Result<Command, String>) -> Vec<Line> {
    match command {
        Ok(Command::Broadcast(text)) => vec![broadcast(handle, text).await],
        Ok(Command::Meta(text)) => vec![outcome("meta", handle.update_meta(text).await)],
        Ok(Command::Members) => members(handle).await,
        Ok(Command::ListKeys) => match handle.key_ids().await {
            Ok(ids) => {
                let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
                vec![done("keys").with("ids", ids.join(" "))]
            }
            Err(error) => vec![failed("keys", error.to_string())],
        },
        Ok(Command::ChangeKeys(step, key)) => vec![change_keys(handle, step, key).await],
        Ok(Command::Stats) => match handle.stats().await {
            Ok(counted) => vec![stats(&counted, &handle.io_stats())],
            Err(error) => vec![failed("stats", error.to_string())],
        },
        Ok(Command::Leave) => vec![done("leave")],
        Err(error) => vec![failed("unknown", error)],
    }
}

async fn broadcast(handle: &Handle, text: String) -> Line {
    match handle.broadcast(text).await {
        Ok(id) => done("broadcast").with("id", id),
        Err(error) => failed("broadcast", error.to_string()),
    }
}

/// The members as the node has them now, and which events led to them.
async fn members(handle: &Handle) -> Vec<Line> {
    let asked = handle.call(|node, _| (node.members().collect::<Vec<_>>(), node.next_seq())).await;
    let (mut members, next_seq) = match asked {
        Ok(known) => known,
        Err(error) => return vec![failed("members", error.to_string())],
    };
    members.sort_by(|a, b| a.name.cmp(&b.name));
    let mut lines: Vec<_> = members.iter().map(member).collect();
    lines.push(done("members").with("count", members.len()).with("next_seq", next_seq));
    lines
}

fn member(member: &Member) -> Line {
    let line = about(Line::answer("member"), member)
        .with("state", member.state.to_string())
        .with("meta", &member.meta[..]);
    with_stamp(line, member.stamp)
}

async fn change_keys(handle: &Handle, step: KeyStep, key: Key) -> Line {
    let id = key.id();
    let changed = match step {
        KeyStep::Add => handle.add_key(key).await.map(|_| ()),
        KeyStep::Use => handle.use_key(id).await,
        KeyStep::Remove => handle.remove_key(id).await,
    };
    outcome("keys", changed).with("id", id.to_string())
}

fn outcome<T, E: std::error::Error>(command: &'static str, result: Result<T, E>) -> Line {
    match result {
        Ok(_) => done(command),
        Err(error) => failed(command, error.to_string()),
    }
}

fn done(command: &'static str) -> Line {
    Line::answer(command).with("ok", true)
}

fn failed(command: &'static str, error: String) -> Line {
    Line::answer(command).with("ok", false).with("error", error)
}

/// All counters: those of the machine, what it refused by reason, and what went wrong between it
/// and the system.
fn stats(counted: &Stats, io: &IoStats) -> Line {
    let line = machine_stats(counted);
    let refused = Reject::ALL.iter().zip(counted.rejects).filter(|(_, count)| *count > 0);
    let with_reason = |line: Line, (reject, count): (&Reject, u64)| {
        line.with(format!("rejected_{reject}"), count)
    };
    let line = refused.fold(line, with_reason);
    line.with("sends_blocked", io.sends_blocked)
        .with("sends_failed", io.sends_failed)
        .with("receives_failed", io.receives_failed)
        .with("accepts_failed", io.accepts_failed)
        .with("dials_failed", io.dials_failed)
        .with("streams_broken", io.streams_broken)
        .with("events_missed", io.events_missed)
        .with("clock_steps", io.clock_steps)
}

/// The machine's counters. Taken apart without `..`, so that none can be forgotten here.
fn machine_stats(stats: &Stats) -> Line {
    macro_rules! counters {
        ($($name:ident)*) => {{
            let Stats { rejects: _, pause_max, $($name),* } = stats;
            let line = done("stats");
            $(let line = line.with(stringify!($name), *$name);)*
            line.with("pause_max_ms", pause_max.as_millis() as u64)
        }};
    }
    counters! {
        packets_received bytes_received packets_after_leave
        packets_sent bytes_sent answers_withheld
        stream_bytes_received stream_bytes_sent
        streams_accepted streams_refused streams_given_up streams_dialed streams_failed
        messages_unknown
        probes probes_acked probes_saved_by_relay probes_saved_by_stream probes_failed
        probes_degraded acks_unexpected nacks relayed relays_refused
        suspicions suspicions_expired suspicions_expired_unconfirmed refutations
        claims_applied claims_stale claims_unknown claims_refused accusers_ignored claims_dropped
        conflicts
        gossip_rounds exchanges exchanges_failed exchanges_spared
        streams_readdressed entries_left_out unbeatable repairs
        broadcasts_sent broadcasts_delivered broadcasts_repeated broadcasts_stale
        broadcasts_dropped broadcast_repairs
        reaped pauses
    }
    .with("rejected", stats.rejected())
}

/// The commands of `input` until it ends, and what is wrong with lines that are none.
pub(crate) fn commands(mut input: impl BufRead) -> impl Iterator<Item = Result<Command, String>> {
    let lines = iter::from_fn(move || next_line(&mut input));
    lines.filter_map(|line| line.and_then(|line| parse(&line)).transpose())
}

/// The next line without its end; none when there will be no more.
///
/// It may be a key: what was read of it is wiped, but for what still waits in `input`. (X17)
fn next_line(input: &mut impl BufRead) -> Option<Result<Zeroizing<String>, String>> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = input.by_ref().take(LINE_LEN_MAX).read_until(b'\n', &mut bytes);
    if read.ok()? == 0 {
        return None;
    }
    if bytes.len() as u64 == LINE_LEN_MAX && !bytes.ends_with(b"\n") {
        input.skip_until(b'\n').ok()?;
        return Some(Err(format!("the line is longer than {LINE_LEN_MAX} bytes")));
    }
    let text = str::from_utf8(&bytes).map(|text| Zeroizing::new(text.to_owned()));
    Some(text.map_err(|_| "the line is no UTF-8".into()))
}

/// What `line` asks for; an empty line asks for nothing.
fn parse(line: &str) -> Result<Option<Command>, String> {
    let line = line.trim_end_matches(['\r', '\n']);
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match (word, rest) {
        ("", "") => Ok(None),
        ("broadcast", text) => Ok(Some(Command::Broadcast(text.into()))),
        ("meta", text) => Ok(Some(Command::Meta(text.into()))),
        ("keys", "list") => Ok(Some(Command::ListKeys)),
        ("keys", step) => change_of_keys(step).map(Some),
        ("members", "") => Ok(Some(Command::Members)),
        ("stats", "") => Ok(Some(Command::Stats)),
        ("leave", "") => Ok(Some(Command::Leave)),
        _ => Err("no such command; there are broadcast TEXT, meta TEXT, members, keys, stats and \
                  leave"
            .into()),
    }
}

/// Reads what follows `keys`. What is no key is not quoted: half a key is still a secret.
fn change_of_keys(text: &str) -> Result<Command, String> {
    let (word, key) = text.split_once(' ').unwrap_or((text, ""));
    let step = match word {
        "add" => KeyStep::Add,
        "use" => KeyStep::Use,
        "remove" => KeyStep::Remove,
        _ => return Err("there are keys list, keys add KEY, keys use KEY, keys remove KEY".into()),
    };
    let key = Key::from_base64(key.trim()).map_err(|error| format!("keys {word}: {error}"))?;
    Ok(Command::ChangeKeys(step, key))
}

const COMMANDS_WAITING_MAX: usize = 16;
/// No broadcast comes near it.
const LINE_LEN_MAX: u64 = 64 << 10;
const STACK_LEN: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_words() {
        let cases = [
            ("broadcast two words \r\n", Ok(Some(Command::Broadcast("two words ".into())))),
            ("broadcast", Ok(Some(Command::Broadcast(String::new())))),
            ("members\n", Ok(Some(Command::Members))),
            ("stats", Ok(Some(Command::Stats))),
            ("leave\n", Ok(Some(Command::Leave))),
            ("meta rack 5", Ok(Some(Command::Meta("rack 5".into())))),
            ("keys list", Ok(Some(Command::ListKeys))),
            ("\n", Ok(None)),
        ];
        for (line, expected) in cases {
            assert_eq!(parse(line), expected, "{line:?}");
        }
        for line in ["leave now", "Members", "quit", " stats", "keys", "keys add", "keys use x"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn lines_have_a_limit_and_the_next_one_is_whole() {
        let long = "x".repeat(LINE_LEN_MAX as usize + 10);
        let text = [b"one\n", long.as_bytes(), b"\n\xff\nlast"].concat();
        let mut input = &text[..];
        let line = |text: &str| Some(Ok(Zeroizing::new(text.to_owned())));
        assert_eq!(next_line(&mut input), line("one\n"));
        assert!(next_line(&mut input).is_some_and(|line| line.is_err()));
        assert!(next_line(&mut input).is_some_and(|line| line.is_err()));
        assert_eq!(next_line(&mut input), line("last"));
        assert_eq!(next_line(&mut input), None);
    }
}
