//! What only tokio has: threads that are in no runtime.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use swim_tokio::{Builder, StartError};

#[test]
fn without_a_runtime_a_start_says_so() {
    let start = pin!(Builder::local("a").bind("127.0.0.1:0").start());
    let Poll::Ready(Err(error)) = start.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("nothing to wait for")
    };
    assert!(matches!(error, StartError::Runtime { .. }));
    assert!(error.to_string().contains("tokio"), "{error}");
}
