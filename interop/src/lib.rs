//! Mixed clusters: our nodes and those of HashiCorp's memberlist, as processes on one machine, to
//! see that either kind takes the other for one of its own.

pub mod agent;
pub mod cluster;
pub mod go;
pub mod peer;
pub mod proxy;
pub mod tape;
