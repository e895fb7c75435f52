//! Commands from standard input, one per line: a small door for scripts and tests.

use std::{
    io::{self, BufRead, Read},
    sync::Arc,
    thread,
};

use swim_tokio::{Handle, Member, Stats};
use tokio::sync::mpsc;

use crate::line::Line;

/// What can be asked of a running agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Send this to all other members.
    Broadcast(String),
    /// List the members.
    Members,
    /// Show the counters.
    Stats,
    /// Leave and exit.
    Leave,
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
        let mut stdin = io::stdin().lock();
        while let Some(line) = next_line(&mut stdin) {
            let command = line.and_then(|line| parse(&line));
            let Some(command) = command.transpose() else { continue };
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
        Ok(Command::Members) => members(&handle.all_members()),
        Ok(Command::Stats) => match handle.stats().await {
            Ok(counted) => vec![stats(&counted)],
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

fn members(members: &[Arc<Member>]) -> Vec<Line> {
    let mut lines: Vec<_> = members.iter().map(|known| member(known)).collect();
    lines.push(done("members").with("count", members.len()));
    lines
}

fn member(member: &Member) -> Line {
    Line::answer("member")
        .with("node", &*member.name)
        .with("addr", member.addr.to_string())
        .with("state", member.state.to_string())
        .with("meta", &member.meta[..])
}

fn done(command: &'static str) -> Line {
    Line::answer(command).with("ok", true)
}

fn failed(command: &'static str, error: String) -> Line {
    Line::answer(command).with("ok", false).with("error", error)
}

/// All counters. Taken apart without `..`, so that none can be forgotten here.
fn stats(stats: &Stats) -> Line {
    macro_rules! counters {
        ($($name:ident)*) => {{
            let Stats { rejects: _, pause_max, $($name),* } = stats;
            let line = done("stats");
            $(let line = line.with(stringify!($name), *$name);)*
            line.with("pause_max_ms", pause_max.as_millis() as u64)
        }};
    }
    counters! {
        packets_received bytes_received packets_sent bytes_sent
        stream_bytes_received stream_bytes_sent
        streams_accepted streams_refused streams_dialed streams_failed
        messages_unknown
        probes probes_acked probes_saved_by_relay probes_saved_by_stream probes_failed
        probes_degraded nacks relayed relays_refused
        suspicions suspicions_expired suspicions_expired_unconfirmed refutations
        claims_applied claims_stale claims_unknown claims_refused claims_dropped conflicts
        gossip_rounds exchanges exchanges_failed exchanges_spared repairs
        broadcasts_sent broadcasts_delivered broadcasts_repeated broadcasts_stale
        broadcasts_dropped broadcast_repairs
        reaped pauses
    }
    .with("rejected", stats.rejected())
}

/// The next line without its end; none when there will be no more.
fn next_line(input: &mut impl BufRead) -> Option<Result<String, String>> {
    let mut bytes = Vec::new();
    let read = input.by_ref().take(LINE_LEN_MAX).read_until(b'\n', &mut bytes);
    if read.ok()? == 0 {
        return None;
    }
    if bytes.len() as u64 == LINE_LEN_MAX && !bytes.ends_with(b"\n") {
        input.skip_until(b'\n').ok()?;
        return Some(Err(format!("the line is longer than {LINE_LEN_MAX} bytes")));
    }
    Some(String::from_utf8(bytes).map_err(|_| "the line is no UTF-8".into()))
}

/// What `line` asks for; an empty line asks for nothing.
fn parse(line: &str) -> Result<Option<Command>, String> {
    let line = line.trim_end_matches(['\r', '\n']);
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match (word, rest) {
        ("", "") => Ok(None),
        ("broadcast", text) => Ok(Some(Command::Broadcast(text.into()))),
        ("members", "") => Ok(Some(Command::Members)),
        ("stats", "") => Ok(Some(Command::Stats)),
        ("leave", "") => Ok(Some(Command::Leave)),
        _ => Err("no such command; there are broadcast TEXT, members, stats and leave".into()),
    }
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
            ("\n", Ok(None)),
        ];
        for (line, expected) in cases {
            assert_eq!(parse(line), expected, "{line:?}");
        }
        for line in ["leave now", "Members", "quit", " stats"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn lines_have_a_limit_and_the_next_one_is_whole() {
        let long = "x".repeat(LINE_LEN_MAX as usize + 10);
        let text = [b"one\n", long.as_bytes(), b"\n\xff\nlast"].concat();
        let mut input = &text[..];
        assert_eq!(next_line(&mut input), Some(Ok("one\n".into())));
        assert!(next_line(&mut input).is_some_and(|line| line.is_err()));
        assert!(next_line(&mut input).is_some_and(|line| line.is_err()));
        assert_eq!(next_line(&mut input), Some(Ok("last".into())));
        assert_eq!(next_line(&mut input), None);
    }
}
