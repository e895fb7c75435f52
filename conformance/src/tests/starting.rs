//! What a start accepts, and what it says when it can't.

use std::net::IpAddr;

use swim_driver::{
    Builder,
    surface::{Life, Profile, StartError},
};

use crate::{
    nodes::{has_ipv6, quick, start},
    platform::Platform,
};

pub async fn both_protocols_have_the_chosen_port<P: Platform>() {
    for bind in ["127.0.0.1:0", "[::1]:0", "lo:0"] {
        if bind.starts_with('[') && !has_ipv6() {
            continue;
        }
        let (node, _events) = start(quick::<P>("a").bind(bind)).await;
        let addr = node.bound_addr();
        assert_ne!(addr.port(), 0);
        assert_eq!(node.addr(), addr);
        assert!(std::net::UdpSocket::bind(addr).is_err(), "UDP is taken");
        assert!(std::net::TcpListener::bind(addr).is_err(), "TCP is taken");
    }
}

pub async fn an_address_that_is_taken_is_named_with_advice<P: Platform>() {
    let (node, _events) = start(quick::<P>("a")).await;
    let error = quick::<P>("b").bind(node.addr().to_string()).start().await.unwrap_err();
    assert!(matches!(error, StartError::Bind { addr, .. } if addr == node.addr()));
    let message = error.to_string();
    assert!(message.contains(&node.addr().to_string()), "{message}");
    assert!(message.contains("choose another port"), "{message}");
}

pub async fn mistakes_are_told_with_what_was_given<P: Platform>() {
    let cases = [
        (quick::<P>("a").bind("nowhere0:1"), "nowhere0"),
        (quick::<P>("a").bind("127.0.0.1:http"), "127.0.0.1:http"),
        (quick::<P>("a").bind("192.0.2.1:0"), "192.0.2.1:0"),
        (quick::<P>("a").advertise("::1"), "::1"),
        (quick::<P>("a").advertise("a b"), "a b"),
        (quick::<P>("a").advertise("0.0.0.0"), "0.0.0.0"),
        (quick::<P>(""), "name"),
        (quick::<P>("a").meta(vec![0; 513]), "513"),
        (quick::<P>("a").options(|options| options.suspicion_mult = 0), "suspicion_mult"),
    ];
    for (builder, part) in cases {
        let message = builder.start().await.unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}

pub async fn the_advertised_address_may_differ_from_the_bound_one<P: Platform>() {
    let (node, _events) = start(quick::<P>("a").bind("0.0.0.0:0").advertise("localhost")).await;
    assert_eq!(node.addr().ip(), IpAddr::from([127, 0, 0, 1]));
    assert_eq!(node.addr().port(), node.bound_addr().port());
    let (node, _events) = start(quick::<P>("a").advertise("203.0.113.7:80")).await;
    assert_eq!(node.addr(), "203.0.113.7:80".parse().unwrap());
    assert_eq!(node.member("a").unwrap().addr, node.addr());
}

pub async fn all_addresses_are_never_advertised<P: Platform>() {
    match quick::<P>("a").bind("0.0.0.0:0").start().await {
        Ok((node, _events)) => assert!(!node.addr().ip().is_unspecified()),
        Err(error) => assert!(error.to_string().contains("advertise"), "{error}"),
    }
}

pub async fn a_later_start_has_a_later_life<P: Platform>() {
    let life = async || {
        let (node, _events) = start(quick::<P>("a")).await;
        node.member("a").unwrap().stamp.life
    };
    let first = life().await;
    P::sleep(std::time::Duration::from_millis(5)).await;
    assert!(life().await > first);
    let set = quick::<P>("a").options(|options| options.life = Life(7));
    assert_eq!(start(set).await.0.member("a").unwrap().stamp.life, Life(7));
}

pub async fn every_preset_starts<P: Platform>() {
    for profile in [Profile::Lan, Profile::Wan, Profile::Local] {
        start(Builder::<P::Runtime>::preset(profile, "a").bind("127.0.0.1:0")).await;
    }
}
