//! A chat in the terminal, on tokio. In two terminals:
//!
//! ```text
//! cargo run -p examples --example chat -- ann 127.0.0.1:7946
//! cargo run -p examples --example chat -- bob 127.0.0.1:7947 127.0.0.1:7946
//! ```

use std::{error::Error, io, thread};

use examples::{
    chat::{Chat, say},
    mirror::Mirror,
};
use swim_tokio::Builder;
use tokio::sync::mpsc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(name), Some(bind)) = (args.next(), args.next()) else {
        return Err("say who you are and where to listen: NAME ADDR [SEED ..]".into());
    };
    let (node, events) = Builder::local(name).bind(bind).start().await?;
    let seeds = args.collect::<Vec<_>>();
    if !seeds.is_empty() {
        node.join(seeds).await?;
    }
    let (sender, mut typed) = mpsc::channel(16);
    thread::spawn(move || {
        io::stdin().lines().map_while(Result::ok).try_for_each(|line| sender.blocking_send(line))
    });
    let mut chat = Chat::new(Mirror::new(node.clone(), events));
    loop {
        tokio::select! {
            happening = chat.next() => match happening {
                Some(happening) => println!("{happening}"),
                None => return Ok(()),
            },
            line = typed.recv() => match line {
                Some(line) => say(&node, "lobby", &line).await?,
                None => break,
            },
        }
    }
    node.leave(std::time::Duration::from_secs(5)).await?;
    Ok(())
}
