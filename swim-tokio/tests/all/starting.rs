//! What a start accepts, and what it says when it can't.

use std::net::IpAddr;

use swim_tokio::{Builder, Life, Profile, StartError};

use crate::common::{quick, start};

#[tokio::test]
async fn both_protocols_have_the_chosen_port() {
    for bind in ["127.0.0.1:0", "[::1]:0", "lo:0"] {
        let (node, _events) = start(quick("a").bind(bind)).await;
        let addr = node.bound_addr();
        assert_ne!(addr.port(), 0);
        assert_eq!(node.addr(), addr);
        assert!(std::net::UdpSocket::bind(addr).is_err(), "UDP is taken");
        assert!(std::net::TcpListener::bind(addr).is_err(), "TCP is taken");
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_with_advice() {
    let (node, _events) = start(quick("a")).await;
    let error = quick("b").bind(node.addr().to_string()).start().await.unwrap_err();
    assert!(matches!(error, StartError::Bind { addr, .. } if addr == node.addr()));
    let message = error.to_string();
    assert!(message.contains(&node.addr().to_string()), "{message}");
    assert!(message.contains("choose another port"), "{message}");
}

#[tokio::test]
async fn mistakes_are_told_with_what_was_given() {
    let cases = [
        (quick("a").bind("nowhere0:1"), "nowhere0"),
        (quick("a").bind("127.0.0.1:http"), "127.0.0.1:http"),
        (quick("a").bind("192.0.2.1:0"), "192.0.2.1:0"),
        (quick("a").advertise("::1"), "::1"),
        (quick("a").advertise("a b"), "a b"),
        (quick("a").advertise("0.0.0.0"), "0.0.0.0"),
        (quick(""), "name"),
        (quick("a").meta(vec![0; 513]), "513"),
        (quick("a").options(|options| options.suspicion_mult = 0), "suspicion_mult"),
    ];
    for (builder, part) in cases {
        let message = builder.start().await.unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn without_a_runtime_a_start_says_so() {
    let mut start = std::pin::pin!(quick("a").start());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = start.as_mut().poll(&mut context) else {
        panic!("nothing to wait for")
    };
    assert!(matches!(error, StartError::Runtime { .. }));
    assert!(error.to_string().contains("tokio"), "{error}");
}

#[tokio::test]
async fn the_advertised_address_may_differ_from_the_bound_one() {
    let (node, _events) = start(quick("a").bind("0.0.0.0:0").advertise("localhost")).await;
    assert_eq!(node.addr().ip(), IpAddr::from([127, 0, 0, 1]));
    assert_eq!(node.addr().port(), node.bound_addr().port());
    let (node, _events) = start(quick("a").advertise("203.0.113.7:80")).await;
    assert_eq!(node.addr(), "203.0.113.7:80".parse().unwrap());
    assert_eq!(node.member("a").unwrap().addr, node.addr());
}

#[tokio::test]
async fn all_addresses_are_never_advertised() {
    match quick("a").bind("0.0.0.0:0").start().await {
        Ok((node, _events)) => assert!(!node.addr().ip().is_unspecified()),
        Err(error) => assert!(error.to_string().contains("advertise"), "{error}"),
    }
}

#[tokio::test]
async fn a_later_start_has_a_later_life() {
    let life = async || {
        let (node, _events) = start(quick("a")).await;
        node.member("a").unwrap().stamp.life
    };
    let first = life().await;
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    assert!(life().await > first);
    let set = quick("a").options(|options| options.life = Life(7));
    assert_eq!(start(set).await.0.member("a").unwrap().stamp.life, Life(7));
}

#[tokio::test]
async fn every_preset_starts() {
    for profile in [Profile::Lan, Profile::Wan, Profile::Local] {
        start(Builder::preset(profile, "a").bind("127.0.0.1:0")).await;
    }
}
