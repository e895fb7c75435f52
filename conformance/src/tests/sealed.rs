//! Keys and labels: with them, nothing passes unsealed; with other ones, nothing passes at all.

use swim_driver::{
    Builder, Runtime,
    surface::{Error, Handle, Key, Keyring},
};

use crate::{
    nodes::{join, quick, start},
    platform::Platform,
    waiting::{soon, until},
};

fn key(byte: u8) -> Key {
    Key::new(&[byte; 32]).unwrap()
}

async fn cannot_join<R: Runtime>(builder: Builder<R>, seed: &Handle) {
    let (node, _events) = start(builder).await;
    let failed = node.join([seed.addr().to_string()]).await.unwrap_err();
    assert!(failed.to_string().contains(&seed.addr().to_string()), "{failed}");
    assert_eq!((node.members().len(), seed.members().len()), (1, 1));
}

pub async fn other_keys_and_labels_stay_outside<P: Platform>() {
    let (a, _events) = start(quick::<P>("a").key(key(1)).label("blue")).await;
    cannot_join(quick::<P>("b").key(key(2)).label("blue"), &a).await;
    cannot_join(quick::<P>("b").key(key(1)).label("red"), &a).await;
    cannot_join(quick::<P>("b").label("blue"), &a).await;
    assert!(a.stats().await.unwrap().rejected() > 0);
    let (b, _events) = start(quick::<P>("b").key(key(1)).label("blue")).await;
    join(&b, &a).await;
    until::<P>("both know each other", || a.members().len() == 2).await;
    soon::<P, _>("it answers", a.ping("b")).await.unwrap();
}

pub async fn what_is_sent_with_a_key_is_sealed<P: Platform>() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let (a, _events) = start(quick::<P>("telltale").key(key(1))).await;
    let (open, _events) = start(quick::<P>("telltale")).await;
    let to = socket.local_addr().unwrap();
    for (node, is_sealed) in [(a, true), (open, false)] {
        // A member that is only an address: whatever it is sent can be read here.
        let joined = node.join([to.to_string()]).await;
        assert!(joined.is_err(), "nobody listens there");
        let (other, _events) = match is_sealed {
            true => start(quick::<P>("b").advertise(to.to_string()).key(key(1))).await,
            false => start(quick::<P>("b").advertise(to.to_string())).await,
        };
        join(&other, &node).await;
        let mut buffer = [0; 2_000];
        let mut received = 0;
        until::<P>("it is probed", || {
            received = socket.recv_from(&mut buffer).map_or(0, |(len, _)| len);
            received > 0
        })
        .await;
        let is_readable = buffer[..received].windows(8).any(|bytes| bytes == b"telltale");
        assert_eq!(is_readable, !is_sealed);
        other.shutdown().await;
        node.shutdown().await;
        while socket.recv_from(&mut buffer).is_ok() {}
    }
}

pub async fn keys_are_rotated_while_running<P: Platform>() {
    let (a, _events) = start(quick::<P>("a").keyring(Keyring::new(key(1)))).await;
    let (b, _events) = start(quick::<P>("b").key(key(1))).await;
    join(&b, &a).await;
    until::<P>("both know each other", || a.members().len() == 2).await;
    for node in [&a, &b] {
        assert_eq!(node.add_key(key(2)).await.unwrap(), key(2).id());
        assert_eq!(node.key_ids().await.unwrap(), [key(1).id(), key(2).id()]);
    }
    for node in [&a, &b] {
        node.use_key(key(2).id()).await.unwrap();
        soon::<P, _>("it answers", a.ping("b")).await.unwrap();
    }
    for node in [&a, &b] {
        node.remove_key(key(1).id()).await.unwrap();
        assert_eq!(node.key_ids().await.unwrap(), [key(2).id()]);
        assert!(matches!(node.remove_key(key(2).id()).await, Err(Error::Keyring(_))));
    }
    soon::<P, _>("it answers", b.ping("a")).await.unwrap();
}

pub async fn without_a_keyring_there_are_no_keys<P: Platform>() {
    let (a, _events) = start(quick::<P>("a")).await;
    assert_eq!(a.key_ids().await, Ok(Vec::new()));
    assert!(matches!(a.add_key(key(1)).await, Err(Error::Keyring(_))));
}
