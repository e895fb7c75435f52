//! Shares a thousand keys among the members and shows which of them move, on smol. In two
//! terminals:
//!
//! ```text
//! cargo run -p examples --example sharding -- one 127.0.0.1:7946
//! cargo run -p examples --example sharding -- two 127.0.0.1:7947 127.0.0.1:7946
//! ```

use std::error::Error;

use examples::{mirror::Mirror, sharding::Shard};
use swim_smol::Builder;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(name), Some(bind)) = (args.next(), args.next()) else {
        return Err("say the name and where to listen: NAME ADDR [SEED ..]".into());
    };
    smol::block_on(async {
        let (node, events) = Builder::local(name).bind(bind).start().await?;
        let seeds = args.collect::<Vec<_>>();
        if !seeds.is_empty() {
            node.join(seeds).await?;
        }
        let keys = (0..1_000).map(|number| format!("key-{number}"));
        let mut shard = Shard::new(Mirror::new(node, events), keys);
        while let Some(moved) = shard.next().await {
            let (gained, lost) = (moved.gained.len(), moved.lost.len());
            println!("{} keys are here: {gained} came, {lost} went", shard.keys().len());
        }
        Ok(())
    })
}
