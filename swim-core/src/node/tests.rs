//! Tests of the node.
