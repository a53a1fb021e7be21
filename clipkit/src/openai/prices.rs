//! Prices of OpenAI's models.
//!
//! Standard prices in US dollars, without discounts for cached prompts or batches. Source: third
//! parties that quoted <https://developers.openai.com/api/docs/pricing> in June 2026; the page
//! itself was not available when this was written. Prices change, so a price given by the user
//! takes precedence. The table is not used for servers other than OpenAI's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The price of a language model, in US dollars for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Price {
    /// For prompt tokens.
    pub input: f64,
    /// For completion tokens, reasoning tokens included.
    pub output: f64,
}

impl Price {
    /// Makes a price from US dollars per million input tokens and per million output tokens.
    pub fn new(input: f64, output: f64) -> Self {
        Price { input, output }
    }

    /// The cost of a request in US dollars.
    pub(crate) fn cost(self, prompt_tokens: u64, completion_tokens: u64) -> f64 {
        (self.input * prompt_tokens as f64 + self.output * completion_tokens as f64) / 1e6
    }

    /// Whether both prices are finite and not negative.
    pub(crate) fn is_valid(self) -> bool {
        [self.input, self.output].iter().all(|price| price.is_finite() && *price >= 0.0)
    }
}

/// Model, input price, output price, per million tokens.
const TOKEN_PRICES: [(&str, f64, f64); 16] = [
    ("gpt-4o", 2.50, 10.00),
    ("gpt-4o-mini", 0.15, 0.60),
    ("gpt-4.1", 2.00, 8.00),
    ("gpt-4.1-mini", 0.40, 1.60),
    ("gpt-4.1-nano", 0.10, 0.40),
    ("gpt-5", 1.25, 10.00),
    ("gpt-5-mini", 0.25, 2.00),
    ("gpt-5-nano", 0.05, 0.40),
    ("gpt-5.1", 1.25, 10.00),
    ("gpt-5.2", 1.75, 14.00),
    ("gpt-5.4", 2.50, 15.00),
    ("gpt-5.4-mini", 0.75, 4.50),
    ("gpt-5.4-nano", 0.20, 1.25),
    ("gpt-5.5", 5.00, 30.00),
    ("o3", 2.00, 8.00),
    ("o4-mini", 1.10, 4.40),
];

/// Model, price of a minute of audio.
const AUDIO_PRICES: [(&str, f64); 3] = [("whisper-1", 0.006), ("gpt-4o-transcribe", 0.006), ("gpt-4o-mini-transcribe", 0.003)];

pub(super) fn token_price(model: &str) -> Option<Price> {
    let (_, input, output) = TOKEN_PRICES.into_iter().find(|(name, ..)| *name == without_date(model))?;
    Some(Price { input, output })
}

/// In US dollars for a second of audio.
pub(super) fn audio_price_per_second(model: &str) -> Option<f64> {
    AUDIO_PRICES.into_iter().find(|(name, _)| *name == without_date(model)).map(|(_, minute)| minute / 60.0)
}

/// The model's name without the date of a snapshot: `gpt-4o-mini-2024-07-18` is `gpt-4o-mini`.
fn without_date(model: &str) -> &str {
    let is_date = |text: &str| {
        text.len() == 10 && text.bytes().enumerate().all(|(n, byte)| if n == 4 || n == 7 { byte == b'-' } else { byte.is_ascii_digit() })
    };
    match model.len().checked_sub(11).and_then(|at| Some((model.get(..at)?, model.get(at..)?.strip_prefix('-')?))) {
        Some((name, date)) if is_date(date) => name,
        _ => model,
    }
}

/// An upper estimate of a text's tokens. English has four to five letters a token, other Latin
/// scripts about three, Chinese and Japanese one or fewer; so an ASCII character counts 1/3, any
/// other 3/2.
pub(crate) fn estimate_tokens(text: &str) -> u64 {
    let (ascii, other) = text.chars().fold((0_u64, 0_u64), |(ascii, other), letter| match letter.is_ascii() {
        true => (ascii + 1, other),
        false => (ascii, other + 1),
    });
    ascii.div_ceil(3) + other * 3 / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_found_with_and_without_a_date() {
        assert_eq!(token_price("gpt-4o-mini-2024-07-18"), token_price("gpt-4o-mini"));
        assert!((token_price("gpt-4o-mini").unwrap().cost(1_000_000, 500_000) - 0.45).abs() < 1e-9);
        assert!((audio_price_per_second("whisper-1").unwrap() * 3600.0 - 0.36).abs() < 1e-9);
        for unknown in ["", "llama3", "gpt-4o-minix", "gpt-4o-mini-2024-07-1", "öööööööööö-2024-07-18"] {
            assert!(token_price(unknown).is_none(), "{unknown}");
        }
        assert!(!Price { input: f64::NAN, output: 1.0 }.is_valid() && !Price { input: 0.0, output: -1.0 }.is_valid());
    }

    #[test]
    fn tokens_are_not_underestimated() {
        // Counted with OpenAI's tokenizer o200k_base.
        for (text, real) in [
            ("The quick brown fox jumps over the lazy dog.", 10),
            ("Die Preise für Straßenbahnfahrkarten steigen.", 13),
            ("今日は時計の話をします。", 11),
        ] {
            assert!(estimate_tokens(text) >= real && estimate_tokens(text) <= 3 * real, "{text}: {}", estimate_tokens(text));
        }
        assert_eq!(estimate_tokens(""), 0);
    }
}
