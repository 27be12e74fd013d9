//! Placeholder, filled in by the first commit.
