//! Messages of programs, on their way to whoever reads the agent's lines.

use swim_tokio::Builder;

use crate::harness::{Agent, LONG, machine};

/// What can't be a line has one all the same, which says how long it is. That it is not written out
/// in full is what this is about: a member of the cluster may send one after the other.
#[test]
fn x11_a_message_too_long_for_a_line_is_told_by_its_length() {
    let _machine = machine();
    // The longest message takes a while on a machine that has much to do.
    let agent = Agent::start("reader", &["--profile", "local", "--set", "stream_timeout=30s"]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Of all bytes, these take the most room when they are escaped.
    let messages = [3, 32 << 10 | 1, 16 << 20].map(|len| "\u{1b}".repeat(len));
    runtime.block_on(async {
        let writer = Builder::local("writer").bind("127.0.0.1:0");
        let writer = writer.options(|options| options.stream_timeout = LONG);
        let (writer, _events) = writer.start().await.unwrap();
        writer.join([&agent.addr]).await.unwrap();
        for message in messages.clone() {
            writer.send_reliable("reader", message).await.unwrap();
        }
    });
    agent.wait("all messages", LONG, |lines| {
        let told: Vec<_> = lines.iter().filter(|line| line["event"] == "message").collect();
        (told.len() == messages.len()).then(|| {
            assert_eq!(told[0]["payload"], messages[0].as_str());
            assert!(told[0].get("payload_len").is_none());
            for (line, message) in told.iter().zip(&messages).skip(1) {
                assert_eq!(line["payload_len"], message.len());
                assert!(line.get("payload").is_none(), "half of it would look like all of it");
            }
        })
    });
    assert_eq!(agent.nodes_of("message"), ["writer"; 3]);
    let is_lost = |lines: &[serde_json::Value]| lines.iter().any(|l| l["event"] == "events-lost");
    assert!(!agent.lines.look(is_lost));
}
