//! For the fuzz targets.

use super::{order, verdicts};
use crate::score::openai::verdict::Asked;

/// Reads an answer as verdicts and as an order, and checks what holds for each.
pub(crate) fn read_answer(texts: &[String]) {
    let asked = [Asked { id: "a1", sentences: 4, proposed: (2, 3) }, Asked { id: "b2", sentences: 2, proposed: (1, 2) }];
    for with_fit in [false, true] {
        let (found, wrong, _) = verdicts(texts, &asked, with_fit);
        assert!(found.keys().all(|place| *place < asked.len()) && (found.len() == asked.len() || !wrong.is_empty()), "{found:?} {wrong:?}");
    }
    if let Ok((places, _)) = order(texts, &["a1", "b2"]) {
        let mut sorted = places.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert!(sorted.len() == places.len() && places.iter().all(|place| *place < 2), "{places:?}");
    }
}
