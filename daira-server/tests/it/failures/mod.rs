//! What others are known to fail at, tried on the real thing: the whole platform over PostgreSQL. The number in a test's name
//! is the failure's in `docs/TESTING.md`.

mod counters;
mod fan_out;
mod folding;
mod keys;
mod pages;
mod ranking;
mod returning;
mod seam;
mod search;
mod statements;
mod unread;
