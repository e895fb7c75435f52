//! Says what machine each member runs on, as a value with a type in its metadata, on tokio. In two
//! terminals:
//!
//! ```text
//! cargo run -p examples --example typed -- one 127.0.0.1:7946
//! cargo run -p examples --example typed -- two 127.0.0.1:7947 127.0.0.1:7946
//! ```

use std::{error::Error, thread::available_parallelism};

use examples::{
    mirror::{Mirror, Seen},
    typed::{MetaProblem, Typed, announce, decode},
};
use serde::{Deserialize, Serialize};
use swim_tokio::{Builder, Member};

/// What a member says about itself.
#[derive(Debug, Serialize, Deserialize)]
struct Machine {
    system: String,
    cores: u32,
}

impl Typed for Machine {
    const VERSION: u8 = 1;
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(name), Some(bind)) = (args.next(), args.next()) else {
        return Err("say the name and where to listen: NAME ADDR [SEED ..]".into());
    };
    let (node, events) = Builder::local(name).bind(bind).start().await?;
    let cores = u32::try_from(available_parallelism()?.get())?;
    announce(&node, &Machine { system: std::env::consts::OS.into(), cores }).await??;
    let seeds = args.collect::<Vec<_>>();
    if !seeds.is_empty() {
        node.join(seeds).await?;
    }
    let mut mirror = Mirror::new(node, events);
    while let Some(seen) = mirror.next().await {
        match seen {
            Seen::Member(change, member) => println!("{change}: {}", line(&member)),
            Seen::Anew { missed, members } => {
                println!("{missed} events were missed; now there are");
                members.iter().for_each(|member| println!("  {}", line(member)));
            }
            Seen::Other(_) => {}
        }
    }
    Ok(())
}

fn line(member: &Member) -> String {
    let Member { name, state, meta, .. } = member;
    match decode::<Machine>(meta) {
        Ok(Machine { system, cores }) => {
            format!("{name} ({state}): {cores} cores, {}", system.escape_debug())
        }
        Err(MetaProblem::Empty) => format!("{name} ({state}): it has said nothing yet"),
        Err(problem) => format!("{name} ({state}): {problem}"),
    }
}
