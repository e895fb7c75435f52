//! Offers a service and shows who else does, on smol. In two terminals:
//!
//! ```text
//! cargo run -p examples --example registry -- web-1 127.0.0.1:7946
//! cargo run -p examples --example registry -- web-2 127.0.0.1:7947 127.0.0.1:7946
//! ```

use std::error::Error;

use examples::{
    mirror::Mirror,
    registry::{Offer, Registry},
    typed::announce,
};
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
        let offer = Offer { service: "web".into(), port: 8_080, weight: 1, is_draining: false };
        announce(&node, &offer).await??;
        let mut registry = Registry::new(Mirror::new(node, events), "web");
        while let Some(change) = registry.next().await {
            println!("{change:?}");
        }
        Ok(())
    })
}
