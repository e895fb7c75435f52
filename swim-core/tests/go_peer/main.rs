//! A Go node as a puppet: what it says are bytes that Go's own codec wrote, and what our node
//! answers is looked at as bytes.

mod addresses;
mod members;
mod messages;
mod probing;
mod stage;
