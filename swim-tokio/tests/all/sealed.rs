//! Keys and labels: with them, nothing passes unsealed; with other ones, nothing passes at all.

use swim_tokio::{Builder, Error, Key, Keyring};

use crate::common::{join, quick, soon, start, until};

fn key(byte: u8) -> Key {
    Key::new(&[byte; 32]).unwrap()
}

async fn cannot_join(builder: Builder, seed: &swim_tokio::Handle) {
    let (node, _events) = start(builder).await;
    let failed = node.join([seed.addr().to_string()]).await.unwrap_err();
    assert!(failed.to_string().contains(&seed.addr().to_string()), "{failed}");
    assert_eq!((node.members().len(), seed.members().len()), (1, 1));
}

#[tokio::test]
async fn other_keys_and_labels_stay_outside() {
    let (a, _events) = start(quick("a").key(key(1)).label("blue")).await;
    cannot_join(quick("b").key(key(2)).label("blue"), &a).await;
    cannot_join(quick("b").key(key(1)).label("red"), &a).await;
    cannot_join(quick("b").label("blue"), &a).await;
    assert!(a.stats().await.unwrap().rejected() > 0);
    let (b, _events) = start(quick("b").key(key(1)).label("blue")).await;
    join(&b, &a).await;
    until("both know each other", || a.members().len() == 2).await;
    soon("it answers", a.ping("b")).await.unwrap();
}

#[tokio::test]
async fn what_is_sent_with_a_key_is_sealed() {
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (a, _events) = start(quick("telltale").key(key(1))).await;
    let (open, _events) = start(quick("telltale")).await;
    let to = socket.local_addr().unwrap();
    for (node, is_sealed) in [(a, true), (open, false)] {
        // A member that is only an address: whatever it is sent can be read here.
        let joined = node.join([to.to_string()]).await;
        assert!(joined.is_err(), "nobody listens there");
        let (other, _events) = match is_sealed {
            true => start(quick("b").advertise(to.to_string()).key(key(1))).await,
            false => start(quick("b").advertise(to.to_string())).await,
        };
        join(&other, &node).await;
        let mut buffer = [0; 2_000];
        let (len, _) = soon("it is probed", socket.recv_from(&mut buffer)).await.unwrap();
        let is_readable = buffer[..len].windows(8).any(|bytes| bytes == b"telltale");
        assert_eq!(is_readable, !is_sealed);
        other.shutdown().await;
        node.shutdown().await;
        while socket.try_recv_from(&mut buffer).is_ok() {}
    }
}

#[tokio::test]
async fn keys_are_rotated_while_running() {
    let (a, _events) = start(quick("a").keyring(Keyring::new(key(1)))).await;
    let (b, _events) = start(quick("b").key(key(1))).await;
    join(&b, &a).await;
    until("both know each other", || a.members().len() == 2).await;
    for node in [&a, &b] {
        assert_eq!(node.add_key(key(2)).await.unwrap(), key(2).id());
        assert_eq!(node.key_ids().await.unwrap(), [key(1).id(), key(2).id()]);
    }
    for node in [&a, &b] {
        node.use_key(key(2).id()).await.unwrap();
        soon("it answers", a.ping("b")).await.unwrap();
    }
    for node in [&a, &b] {
        node.remove_key(key(1).id()).await.unwrap();
        assert_eq!(node.key_ids().await.unwrap(), [key(2).id()]);
        assert!(matches!(node.remove_key(key(2).id()).await, Err(Error::Keyring(_))));
    }
    soon("it answers", b.ping("a")).await.unwrap();
}

#[tokio::test]
async fn without_a_keyring_there_are_no_keys() {
    let (a, _events) = start(quick("a")).await;
    assert_eq!(a.key_ids().await, Ok(Vec::new()));
    assert!(matches!(a.add_key(key(1)).await, Err(Error::Keyring(_))));
}
