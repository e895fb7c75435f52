//! Small applications of cluster membership, on the public interface only: each in a file of its
//! own, on top of [`mirror`] where it follows members, and of [`typed`] where they say something.
//! They are generic over the runtime by themselves: handles and events are the same on all. The
//! programs in `examples/examples` run them, some on tokio and some on smol.

pub mod chat;
pub mod mirror;
pub mod registry;
pub mod scrape;
pub mod sharding;
pub mod typed;
