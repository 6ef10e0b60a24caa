//! Delivery to phones: ways that cost more or less, tried from the cheapest on.

use std::sync::Arc;

use async_trait::async_trait;

use super::Handed;
use crate::error::Result;
use crate::locale::Locale;
use crate::secret::Secret;

/// One message to one number.
#[derive(Debug, Clone)]
pub struct Text {
    /// The number, `+201001234567`.
    pub to: Secret,
    /// The digits alone, where it is a code; nothing for a notice.
    pub code: Option<Secret>,
    /// The message in words, which holds the code.
    pub words: Secret,
    /// Its language.
    pub locale: Locale,
    /// How many codes went to this number shortly before: who asks again was perhaps not reached by the way before.
    pub again: usize,
    /// The same message keeps the same key through retries.
    pub key: String,
}

/// A way to reach phones.
#[async_trait]
pub trait PhoneChannel: Send + Sync {
    /// Whether it carries such a message to such a number at all.
    fn carries(&self, text: &Text) -> bool;

    /// Hands the message over. An error is a refusal for now: the same message may be handed over later.
    async fn send(&self, text: &Text) -> Result<Handed>;
}

/// Several ways in the order of what they cost. A message goes by the first that takes it; who asks for another code begins
/// with the next way, and after the last with the first again.
#[derive(Clone, Default)]
pub struct CheapestFirst {
    ways: Vec<Arc<dyn PhoneChannel>>,
}

impl CheapestFirst {
    /// Over these ways, the cheapest first.
    pub fn new(ways: Vec<Arc<dyn PhoneChannel>>) -> Self {
        Self { ways }
    }
}

impl core::fmt::Debug for CheapestFirst {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("CheapestFirst").field("ways", &self.ways.len()).finish()
    }
}

#[async_trait]
impl PhoneChannel for CheapestFirst {
    fn carries(&self, text: &Text) -> bool {
        self.ways.iter().any(|way| way.carries(text))
    }

    async fn send(&self, text: &Text) -> Result<Handed> {
        let mut ways: Vec<_> = self.ways.iter().filter(|way| way.carries(text)).collect();
        let first = text.again.checked_rem(ways.len()).unwrap_or_default();
        ways.rotate_left(first);
        let (mut away, mut refused) = (None, Vec::new());
        for way in ways {
            match way.send(text).await {
                Ok(Handed::Over) => return Ok(Handed::Over),
                Ok(Handed::Refused(why)) => refused.push(why),
                Err(error) => {
                    tracing::warn!(key = text.key, ?error, "a way to a phone is away: the next one is tried");
                    away = Some(error);
                }
            }
        }
        match away {
            // One that is away now may take it later.
            Some(error) => Err(error),
            None if refused.is_empty() => Ok(Handed::Refused("no way leads to this number".to_owned())),
            None => Ok(Handed::Refused(refused.join("; "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures_util::FutureExt;

    use super::*;
    use crate::error::{Error, ErrorKind};

    /// A way with a name, and what it does: take, refuse, be away.
    struct Way(&'static str, char, Arc<Mutex<Vec<&'static str>>>);

    #[async_trait]
    impl PhoneChannel for Way {
        fn carries(&self, text: &Text) -> bool {
            text.to.expose().starts_with("+20") || self.0 == "sms"
        }

        async fn send(&self, _: &Text) -> Result<Handed> {
            self.2.lock().unwrap().push(self.0);
            match self.1 {
                't' => Ok(Handed::Over),
                'r' => Ok(Handed::Refused(format!("{} says no", self.0))),
                _ => Err(Error::new(ErrorKind::Unavailable, "test.away")),
            }
        }
    }

    /// By which ways a message went, and what came of it.
    fn sent(does: [char; 3], to: &str, again: usize) -> (Vec<&'static str>, Result<Handed>) {
        let tried = Arc::default();
        let ways = ["call", "whatsapp", "sms"].into_iter().zip(does);
        let ways = ways.map(|(name, does)| Arc::new(Way(name, does, Arc::clone(&tried))) as Arc<dyn PhoneChannel>);
        let text = Text {
            to: Secret::new(to),
            code: Some(Secret::new("004217")),
            words: Secret::new("الكود 004217"),
            locale: Locale::Ar,
            again,
            key: "1".to_owned(),
        };
        let handed = CheapestFirst::new(ways.collect()).send(&text).now_or_never().unwrap();
        let tried = tried.lock().unwrap().clone();
        (tried, handed)
    }

    #[test]
    fn the_cheapest_way_that_takes_it_is_the_one() {
        let egypt = "+201001234567";
        assert_eq!(sent(['t', 't', 't'], egypt, 0).0, ["call"]);
        assert_eq!(sent(['r', 't', 't'], egypt, 0).0, ["call", "whatsapp"]);
        assert_eq!(sent(['a', 'r', 't'], egypt, 0).0, ["call", "whatsapp", "sms"]);
        assert_eq!(sent(['t', 't', 't'], "+966501234567", 0).0, ["sms"], "only what leads there");
    }

    #[test]
    fn who_asks_again_is_reached_by_the_next_way() {
        for (again, way) in [(0, "call"), (1, "whatsapp"), (2, "sms"), (3, "call")] {
            assert_eq!(sent(['t', 't', 't'], "+201001234567", again).0, [way]);
        }
        assert_eq!(sent(['t', 'r', 'r'], "+201001234567", 1).0, ["whatsapp", "sms", "call"]);
    }

    #[test]
    fn it_is_tried_later_while_one_of_them_may_take_it_then() {
        assert!(sent(['r', 'a', 'r'], "+201001234567", 0).1.is_err());
        let Ok(Handed::Refused(why)) = sent(['r', 'r', 'r'], "+201001234567", 0).1 else { panic!("refused") };
        assert_eq!(why, "call says no; whatsapp says no; sms says no");
        let none = CheapestFirst::default();
        assert!(format!("{none:?}").contains('0'));
    }
}
