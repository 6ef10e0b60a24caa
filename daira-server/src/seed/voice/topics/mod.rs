//! The texts, one file a topic. Every line is written for this project; `super` says how a line is read.

use super::{Line, Topic};

mod alex;
mod asking;
mod bargains;
mod cats;
mod cinema;
mod coffee;
mod daily;
mod food;
mod football;
mod jokes;
mod music;
mod photo;
mod ramadan;
mod reels;
mod sahel;
mod shop;
mod street;
mod study;
mod tech;
mod transport;
mod verse;
mod weather;
mod weddings;
mod work;

/// The lines of a topic.
pub(super) const fn lines(topic: Topic) -> &'static [Line] {
    match topic {
        Topic::Daily => daily::LINES,
        Topic::Football => football::LINES,
        Topic::Food => food::LINES,
        Topic::Transport => transport::LINES,
        Topic::Study => study::LINES,
        Topic::Work => work::LINES,
        Topic::Weddings => weddings::LINES,
        Topic::Ramadan => ramadan::LINES,
        Topic::Sahel => sahel::LINES,
        Topic::Alexandria => alex::LINES,
        Topic::Tech => tech::LINES,
        Topic::Photo => photo::LINES,
        Topic::Jokes => jokes::LINES,
        Topic::Asking => asking::LINES,
        Topic::Street => street::LINES,
        Topic::Shop => shop::LINES,
        Topic::Verse => verse::LINES,
        Topic::Weather => weather::LINES,
        Topic::Music => music::LINES,
        Topic::Cinema => cinema::LINES,
        Topic::Reels => reels::LINES,
        Topic::Coffee => coffee::LINES,
        Topic::Bargains => bargains::LINES,
        Topic::Cats => cats::LINES,
    }
}
