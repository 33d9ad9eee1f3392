//! What each family says, and where it must stay silent.
