//! Where network addresses are, by a database in MaxMind's format that the operator keeps (GeoLite2, GeoIP2, DB-IP). It is read
//! whole at the start; nothing is asked of anybody.

use core::fmt;
use std::net::IpAddr;
use std::path::Path;

use daira_core::error::{Error, ErrorKind, Result};
use daira_core::place::Place;
use daira_core::port::Places;
use maxminddb::{PathElement, Reader};

const COUNTRY: [PathElement<'static>; 2] = [PathElement::Key("country"), PathElement::Key("iso_code")];
const REGION: [PathElement<'static>; 3] =
    [PathElement::Key("subdivisions"), PathElement::Index(0), PathElement::Key("iso_code")];

/// Knows places by such a database.
pub struct PlaceDatabase {
    reader: Reader<Vec<u8>>,
}

impl fmt::Debug for PlaceDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaceDatabase").field("kind", &self.reader.metadata().database_type).finish_non_exhaustive()
    }
}

impl PlaceDatabase {
    /// Reads one.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] for a file that is none or cannot be read.
    pub fn open(file: &Path) -> Result<Self> {
        let broken = |error| Error::new(ErrorKind::Corrupt, "places.open").with_source(error);
        Ok(Self { reader: Reader::open_readfile(file).map_err(broken)? })
    }
}

impl Places for PlaceDatabase {
    fn place(&self, address: IpAddr) -> Option<Place> {
        // A damaged record is a place that is not known: who logs in has no part in it.
        let found = self.reader.lookup(address.to_canonical()).ok()?;
        let country: Option<&str> = found.decode_path(&COUNTRY).ok()?;
        let region: Option<&str> = found.decode_path(&REGION).unwrap_or_default();
        Place::new(country?, region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made up, over networks that are nobody's: `192.0.2.0/25` is EG-ALX, the rest of `192.0.2.0/24` EG, `198.51.100.0/24` SA-01,
    /// `2001:db8:1::/48` EG-C, and `203.0.113.0/24` says nonsense.
    fn database() -> PlaceDatabase {
        PlaceDatabase::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/places.mmdb")).unwrap()
    }

    #[test]
    fn addresses_have_a_country_and_perhaps_a_part_of_it() {
        let places = database();
        let place = |address: &str| places.place(address.parse().unwrap()).map(|place| place.to_string());
        for (address, code) in [
            ("192.0.2.1", Some("EG-ALX")),
            ("::ffff:192.0.2.1", Some("EG-ALX")),
            ("192.0.2.200", Some("EG")),
            ("198.51.100.7", Some("SA-01")),
            ("2001:db8:1::9", Some("EG-C")),
            ("2001:db8:2::9", None),
            ("203.0.113.1", None),
            ("127.0.0.1", None),
        ] {
            assert_eq!(place(address).as_deref(), code, "{address}");
        }
    }

    #[test]
    fn what_is_no_database_is_refused_by_name() {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        for file in ["Cargo.toml", "tests/data/nowhere.mmdb"] {
            assert_eq!(PlaceDatabase::open(&manifest.join(file)).unwrap_err().operation(), "places.open");
        }
    }
}
