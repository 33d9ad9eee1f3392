//! Keys, roots and forgeries for the tests of this module.
