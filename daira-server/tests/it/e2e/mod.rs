//! End to end: the two programs as they are shipped, on a private PostgreSQL in a folder of their own, and clients that know
//! nothing of the code behind the sockets.

mod chaos;
mod client;
mod export;
mod life;
mod logs;
mod platform;
mod providers;
