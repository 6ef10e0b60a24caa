//! What a stranger could learn from a clock: how long a wrong password takes for an e-mail that has an account, and how long
//! any password takes for one that has none. The figures have to be alike:
//! `cargo run --release -p daira-examples --example log_in_timing`.

use std::time::{Duration, Instant};

use daira_core::credential::{Argon2id, Argon2idCost};
use daira_core::error::Result;
use daira_core::secret::Secret;

/// The median times of a wrong password against a stored hash and of a check without one, measured in turns.
fn measure(cost: Argon2idCost, rounds: usize) -> Result<(Duration, Duration)> {
    let scheme = Argon2id::new(cost)?;
    let stored = scheme.hash(&Secret::new("kahwa sada 3al nil"), [7; 16])?;
    let wrong = Secret::new("shai bel na3na3");
    let time = |hash| -> Result<Duration> {
        let start = Instant::now();
        let matches = scheme.verify(&wrong, hash)?;
        assert!(!matches, "a wrong password opens nothing");
        Ok(start.elapsed())
    };
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        known.push(time(Some(stored.as_str()))?);
        unknown.push(time(None)?);
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    Ok((median(&mut known), median(&mut unknown)))
}

fn main() -> Result<()> {
    let (known, unknown) = measure(Argon2idCost::default(), 200)?;
    let difference = known.abs_diff(unknown).as_secs_f64() / known.as_secs_f64() * 100.0;
    println!("known e-mail {known:.1?}, unknown e-mail {unknown:.1?}: medians of 200 apart by {difference:.2} %");
    Ok(())
}

#[test]
fn runs() {
    measure(Argon2idCost { memory_kib: 64, passes: 1, lanes: 1 }, 3).unwrap();
}
