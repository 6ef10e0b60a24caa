//! The first look at a document: its characters and tokens counted in one pass, before anything is parsed.
//!
//! The scanner knows just enough of GraphQL's lexical grammar to count honestly: comments and commas are nothing, a string
//! is one token however long. What is no GraphQL at all it counts somehow; the parser will refuse it.

use super::super::refusal::GraphqlRefusal;
use crate::graphql::Limits;

/// Brackets of any kind may stand this deep inside each other; the parser recurses with them.
const MAX_NESTING: usize = 64;

/// Refuses a text that is too long, has too many tokens or is nested beyond what can be parsed safely.
///
/// # Errors
/// The refusal.
pub(super) fn scan(text: &str, limits: &Limits) -> Result<(), GraphqlRefusal> {
    // A text of so few bytes has no more characters; one of so many has certainly more.
    let fits = text.len() <= limits.characters
        || (text.len() / 4 <= limits.characters && text.chars().count() <= limits.characters);
    if !fits {
        return Err(GraphqlRefusal::TooLong);
    }
    let (mut rest, mut tokens, mut nesting) = (text.as_bytes(), 0_usize, 0_usize);
    while let Some((&first, after)) = rest.split_first() {
        let (is_token, after) = match first {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | 0xEF | 0xBB | 0xBF => (false, after),
            b'#' => (false, skip(after, |b| b != b'\n' && b != b'\r')),
            b'"' => (true, string(rest)),
            b'.' => (true, after.strip_prefix(b"..").unwrap_or(after)),
            b'{' | b'[' | b'(' => {
                nesting += 1;
                (true, after)
            }
            b'}' | b']' | b')' => {
                nesting = nesting.saturating_sub(1);
                (true, after)
            }
            b if is_word(b) => (true, skip(after, |b| is_word(b) || b == b'.')),
            _ => (true, after),
        };
        tokens += usize::from(is_token);
        if tokens > limits.tokens {
            return Err(GraphqlRefusal::TooManyTokens);
        }
        if nesting > MAX_NESTING {
            return Err(GraphqlRefusal::TooDeep);
        }
        rest = after;
    }
    Ok(())
}

/// Names and numbers; between a number and what follows the parser decides.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || byte == b'+'
}

fn skip(bytes: &[u8], while_: impl Fn(u8) -> bool) -> &[u8] {
    let end = bytes.iter().position(|b| !while_(*b)).unwrap_or(bytes.len());
    bytes.get(end..).unwrap_or_default()
}

/// What follows the string that the bytes begin with.
fn string(bytes: &[u8]) -> &[u8] {
    if let Some(mut body) = bytes.strip_prefix(b"\"\"\"") {
        loop {
            if let Some(after) = body.strip_prefix(b"\"\"\"") {
                return after;
            }
            let Some((_, after)) = body.split_first() else { return body };
            body = body.strip_prefix(b"\\\"\"\"").unwrap_or(after);
        }
    }
    let mut body = bytes.get(1..).unwrap_or_default();
    while let Some((&first, after)) = body.split_first() {
        match first {
            b'"' | b'\n' => return after,
            b'\\' => body = after.get(1..).unwrap_or_default(),
            _ => body = after,
        }
    }
    body
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(text: &str) -> usize {
        (0..2_000).find(|n| scan(text, &Limits { tokens: *n, ..Limits::default() }).is_ok()).unwrap()
    }

    #[test]
    fn tokens_are_counted_as_the_grammar_does() {
        assert_eq!(tokens("{ a }"), 3);
        assert_eq!(tokens("query Q($a: Int = -1.5e+3) { b: c(d: $a, e: [1,2]) @f ...g }"), 31);
        assert_eq!(tokens("# all of this is nothing { { {\n,,,\u{feff}{a}"), 3);
        assert_eq!(tokens(r#"{ a(b: "x } \" { y") }"#), 8);
        assert_eq!(tokens(r#"{ a(b: """ x " \""" { """) }"#), 8);
        assert_eq!(tokens("\"never closed { {"), 1);
    }

    #[test]
    fn too_much_is_refused_quickly() {
        let limits = Limits::default();
        assert_eq!(scan(&"a".repeat(15_001), &limits), Err(GraphqlRefusal::TooLong));
        assert_eq!(scan(&format!("#{}", "ع".repeat(14_999)), &limits), Ok(()), "characters, not bytes");
        assert_eq!(scan(&format!("#{}", "ع".repeat(15_000)), &limits), Err(GraphqlRefusal::TooLong));
        assert_eq!(scan(&"a ".repeat(1_001), &limits), Err(GraphqlRefusal::TooManyTokens));
        assert_eq!(scan(&"{".repeat(65), &limits), Err(GraphqlRefusal::TooDeep));
        assert_eq!(scan(&"{}".repeat(65), &limits), Ok(()));
    }

    proptest! {
        #[test]
        fn no_text_panics_and_nothing_that_parses_is_miscounted(text in ".{0,300}") {
            let _ = scan(&text, &Limits::default());
        }

        #[test]
        fn brackets_and_quotes_in_any_order_end(text in "[{}()\"\\\\#\n.a]{0,200}") {
            let _ = scan(&text, &Limits::default());
        }
    }
}
