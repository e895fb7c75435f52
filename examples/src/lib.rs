//! Small applications of cluster membership, each complete in one file, on the public interface
//! only. They are generic over the runtime by themselves: handles and events are the same on all.
//! The programs in `examples/examples` run them on tokio.

pub mod chat;
pub mod mirror;
pub mod registry;
pub mod scrape;
pub mod sharding;
pub mod typed;
