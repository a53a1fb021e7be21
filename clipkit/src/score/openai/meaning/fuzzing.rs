//! For the fuzz targets.

use super::{order, proposals, verdicts};
use crate::score::openai::verdict::Asked;

/// Reads an answer as verdicts, as proposals and as an order, and checks what holds for each.
pub(crate) fn read_answer(texts: &[String]) {
    let asked = [Asked { id: "a1", sentences: 4, proposed: (2, 3) }, Asked { id: "b2", sentences: 2, proposed: (1, 2) }];
    for with_fit in [false, true] {
        let (found, wrong, _) = verdicts(texts, &asked, with_fit);
        assert!(found.keys().all(|place| *place < asked.len()) && (found.len() == asked.len() || !wrong.is_empty()), "{found:?} {wrong:?}");
    }
    for sentences in [0, 1, 7] {
        let (found, ..) = proposals(texts, sentences).unwrap_or_default();
        assert!(found.iter().all(|it| !it.sentences.is_empty() && it.sentences.end <= sentences), "{found:?}");
        assert!(found.iter().all(|it| !it.why.contains(char::is_control)), "{found:?}");
    }
    if let Ok((places, _)) = order(texts, &["a1", "b2"]) {
        let mut sorted = places.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert!(sorted.len() == places.len() && places.iter().all(|place| *place < 2), "{places:?}");
    }
}
