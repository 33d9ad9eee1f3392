//! The rim: what the program has to do with people, files and sockets.
pub mod agent;
pub mod identity;
