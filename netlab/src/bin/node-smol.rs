//! A node on smol: takes the agent's flags and commands and prints its lines, as far as tests of
//! mixed clusters need them.

use std::{
    env,
    error::Error,
    io::{self, BufRead},
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use smol::channel::{self, Receiver};
use swim_netlab::{clock, lines};
use swim_sim::scenario::settings;
use swim_smol::{Builder, Events, Handle, Key, Notice, Profile, settings::Assignment};

fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::read(env::args().skip(1))?;
    smol::block_on(run(flags))
}

/// What the program was asked for.
#[derive(Debug, Default)]
struct Flags {
    node: String,
    bind: String,
    profile: Option<Profile>,
    settings: Vec<Assignment>,
    join: Vec<String>,
    /// What seals; none for a cluster that is open.
    key: Option<Key>,
}

impl Flags {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut flags = Self::default();
        let mut is_open = false;
        while let Some(flag) = words.next() {
            if flag == "--insecure-plaintext" {
                is_open = true;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{flag} needs a value"))?;
            match (flag.as_str(), value.as_str()) {
                ("--node", _) => flags.node = value,
                ("--bind", _) => flags.bind = value,
                ("--profile", _) => flags.profile = Some(value.parse()?),
                ("--set", _) => flags.settings.push(settings::parse(&value)?),
                ("--join", _) => flags.join.push(value),
                ("--output", "json") | ("--events", "all") | ("--control", "stdin") => {}
                _ => return Err(format!("{flag} {value} is not understood").into()),
            }
        }
        #[expect(clippy::disallowed_methods, reason = "where the agent takes its key from, too")]
        let key = env::var("SWIM_ENCRYPT").ok();
        flags.key = key.map(|text| Key::from_base64(&text)).transpose()?;
        match flags.key.is_some() || is_open {
            true => Ok(flags),
            false => Err("there is neither a key nor --insecure-plaintext".into()),
        }
    }
}

async fn run(flags: Flags) -> Result<(), Box<dyn Error>> {
    let profile = flags.profile.unwrap_or(Profile::Lan);
    let mut builder = Builder::preset(profile, flags.node)
        .bind(flags.bind)
        .options(|options| flags.settings.iter().for_each(|change| change.apply(options)));
    if let Some(key) = flags.key {
        builder = builder.key(key);
    }
    let (handle, events) = builder.start().await?;
    let printing = smol::spawn(print_events(handle.clone(), events));
    let joining = smol::spawn(join(handle.clone(), flags.join));
    let commands = commands();
    while let Ok(command) = commands.recv().await {
        for line in answer(&handle, &command).await? {
            println!("{line}");
        }
        if command == "leave" {
            break;
        }
    }
    joining.cancel().await;
    handle.leave(LEAVE_LIMIT).await?;
    handle.shutdown().await;
    printing.await;
    Ok(())
}

async fn print_events(handle: Handle, mut events: Events) {
    while let Some(notice) = events.next().await {
        match notice {
            Notice::Event(event) => {
                let at = clock::ago(handle.now().saturating_since(event.at));
                println!("{}", lines::of_event(&event, handle.name(), at));
            }
            Notice::Lagged { missed, .. } => println!("{}", json!({ "missed": missed })),
        }
    }
}

/// Tries the seeds until one of them answers.
async fn join(handle: Handle, seeds: Vec<String>) {
    while let Err(error) = handle.join(seeds.clone()).await {
        eprintln!("not joined yet: {error}");
        smol::Timer::after(JOIN_PAUSE).await;
    }
}

async fn answer(handle: &Handle, command: &str) -> Result<Vec<Value>, Box<dyn Error>> {
    let (word, text) = command.split_once(' ').unwrap_or((command, ""));
    let mut lines = Vec::new();
    let mut end = json!({ "answer": word, "ok": true });
    match word {
        "members" => {
            let list = |node: &mut swim_smol::Node, _| {
                (node.members().collect::<Vec<_>>(), node.next_seq())
            };
            let (members, next_seq) = handle.call(list).await?;
            lines = members.iter().map(lines::of_member).collect();
            lines.iter_mut().for_each(|line| line["answer"] = "member".into());
            end["next_seq"] = next_seq.into();
        }
        "meta" => drop(handle.update_meta(text.to_owned()).await?),
        "broadcast" => end["id"] = handle.broadcast(text.to_owned()).await?.into(),
        "keys" => end["ids"] = keys(handle, text).await?.into(),
        "stats" => end["rejected"] = handle.stats().await?.rejected().into(),
        "leave" => {}
        _ => end["ok"] = false.into(),
    }
    lines.push(end);
    Ok(lines)
}

/// Takes a step of a rotation of keys, unless asked to `list` them; the ids of those there are
/// then.
async fn keys(handle: &Handle, text: &str) -> Result<String, Box<dyn Error>> {
    if let Some((step, key)) = text.split_once(' ') {
        let key = Key::from_base64(key)?;
        match step {
            "add" => drop(handle.add_key(key).await?),
            "use" => handle.use_key(key.id()).await?,
            "remove" => handle.remove_key(key.id()).await?,
            _ => return Err(format!("keys {step} is not understood").into()),
        }
    }
    Ok(Vec::from_iter(handle.key_ids().await?.iter().map(ToString::to_string)).join(" "))
}

/// Standard input, line by line, read by a thread that ends with the process.
fn commands() -> Receiver<String> {
    let (sender, receiver) = channel::bounded(1);
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send_blocking(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// How long a leave may take, and how long one waits before seeds are tried again: as the agent.
const LEAVE_LIMIT: Duration = Duration::from_secs(5);
const JOIN_PAUSE: Duration = Duration::from_millis(100);
