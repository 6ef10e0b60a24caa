//! The runner and the platform's consumers over the in-memory ports.

#[cfg(feature = "mail")]
#[cfg(test)]
mod deliver;
#[cfg(test)]
mod deliveries;
#[cfg(test)]
mod delivery;
#[cfg(feature = "sandbox")]
#[cfg(test)]
mod identities;
#[cfg(test)]
mod jobs;
#[cfg(feature = "passkeys")]
#[cfg(test)]
mod passkeys;
#[cfg(test)]
mod platform;
#[cfg(test)]
mod runner;
#[cfg(feature = "backends")]
#[cfg(test)]
mod whole;
