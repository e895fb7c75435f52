//! One of our nodes in memberlist's dialect, as a process that tests can stop and kill: the same
//! flags, commands and lines as the Go program in `go/peer`.

mod flags;
mod says;

use std::{collections::BTreeSet, error::Error, time::Duration};

use serde_json::{Value, json};
use swim_tokio::{Bytes, EventKind, Handle, Key, KeyId, Notice};
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::flags::Flags;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let Flags { builder, seed, state, ack, relay } = flags::read()?;
    let (node, mut events) = builder.start().await?;
    node.set_local_state(state).await?;
    node.set_ack_payload(ack).await?;
    say(&json!({ "event": "up", "addr": node.addr() }));
    if let Some(seed) = seed {
        tokio::spawn(join(node.clone(), seed));
    }
    let speaker = node.clone();
    tokio::spawn(async move {
        let mut passed_on = BTreeSet::new();
        while let Some(notice) = events.next().await {
            if let Some(words) = broadcast(&notice).filter(|_| relay)
                && passed_on.insert(words.clone())
            {
                // Too long for a packet it is not, for it came in one.
                let _ = speaker.broadcast(words).await;
            }
            if let Some(line) = says::line(&notice) {
                say(&line);
            }
        }
    });
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    while let Some(command) = input.next_line().await? {
        if command == "quit" {
            break;
        }
        let mut answer = obey(&command, &node)
            .await
            .unwrap_or_else(|error| json!({ "error": error.to_string() }));
        answer["event"] = "answer".into();
        say(&answer);
    }
    // A read from a terminal or pipe can't be taken back, so nothing waits for it.
    std::process::exit(0)
}

/// What somebody said that may be for all.
fn broadcast(notice: &Notice) -> Option<Bytes> {
    match notice {
        Notice::Event(event) => match &event.kind {
            EventKind::Message { payload, reliable: false, .. } => Some(payload.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// Joins, however long the seed takes to be there.
async fn join(node: Handle, seed: String) {
    while let Err(error) = node.join([seed.as_str()]).await {
        say(&json!({ "event": "refused", "text": error.to_string() }));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    say(&json!({ "event": "joined" }));
}

/// Does what a command says, and returns what there is to answer.
async fn obey(command: &str, node: &Handle) -> Result<Value, Box<dyn Error>> {
    let words: Vec<_> = command.splitn(3, ' ').collect();
    match words[..] {
        ["members"] => {
            // Of the node itself: what changes without an event, as an incarnation, is in it too.
            let rows =
                node.call(|node, _| node.members().map(|member| says::row(&member)).collect());
            let rows: Vec<_> = rows.await?;
            return Ok(json!({ "members": rows }));
        }
        ["stats"] => {
            let asked = node.call(|node, _| (node.stats().clone(), node.queues(), node.health()));
            let (stats, queues, health) = asked.await?;
            return Ok(says::counters(&stats, queues.claims, health));
        }
        ["leave"] => drop(node.leave(Duration::from_secs(5)).await?),
        ["meta", meta] => drop(node.update_meta(meta.to_owned()).await?),
        ["send", to, text] => node.send_best_effort(to, text.to_owned()).await?,
        ["sendrel", to, text] => node.send_reliable(to, text.to_owned()).await?,
        ["broadcast", text] => drop(node.broadcast(text.to_owned()).await?),
        ["key", "add", key] => drop(node.add_key(Key::from_base64(key)?).await?),
        ["key", "use", key] => node.use_key(id(key)?).await?,
        ["key", "remove", key] => node.remove_key(id(key)?).await?,
        _ => return Err(format!("there is no command like {command:?}").into()),
    }
    Ok(json!({}))
}

fn id(key: &str) -> Result<KeyId, Box<dyn Error>> {
    Ok(Key::from_base64(key)?.id())
}

fn say(line: &Value) {
    println!("{line}");
}
