//! Word classes in scripts without spaces, where a transcript's words are arbitrary pieces of text.

use super::lexicon::Traits;
use crate::model::{Word, script};

/// Openings of sentences in Japanese and Chinese.
const OPENINGS: [(Traits, &str); 5] = [
    (
        Traits::CONNECTIVE,
        "そして でも しかし だから それで また けど だけど なので つまり ですから それに すると 但是 可是 所以 因为 因為 而且 然后 然後 还有 還有 不过 不過 于是 並且 并且",
    ),
    (Traits::ANAPHOR, "それ これ あれ その この あの 彼 彼女 彼ら そう 他 她 它 他们 她们 這 这 那 其"),
    (Traits::ANSWER, "はい ええ うん いいえ そうです そうですね なるほど 对 對 是的 好的 嗯 没错 沒錯"),
    (Traits::FILLER, "えーと えっと あの、 まあ まぁ なんか 呃 那个 那個 就是说"),
    (Traits::QUESTION, "なぜ どうして なんで 何 どう いつ どこ 誰 为什么 為什麼 怎么 怎麼 什么 什麼 谁 誰 如何 为何"),
];
/// Expressions at any position of a sentence.
const INSIDE: [(Traits, &str); 4] = [
    (
        Traits::HOOK,
        "秘密 間違い 嘘 最も 一番 最高 最悪 絶対 誰も 実は 驚 問題 危険 不可能 理由 人生 从来 從來 没有人 沒有人 错误 錯誤 真相 最大 最好 最坏 最壞 绝对 絕對 其实 其實 惊 驚訝 问题 危险 理由 不可能",
    ),
    (
        Traits::EMOTION,
        "愛 怖 嬉 悲 怒 泣 笑 痛 夢 希望 死 戦争 素晴らし 大好き 爱 怕 高兴 高興 难过 難過 哭 梦 夢想 战争 戰爭 感动 感動 恨",
    ),
    (Traits::SECOND_PERSON, "あなた みなさん 皆さん 你 您 你们 大家"),
    (Traits::FIRST_PERSON, "私 僕 俺 我"),
];

/// Marks the words of one sentence in a script without spaces by matching its text.
pub(super) fn mark(words: &[Word], traits: &mut [Traits]) {
    let Some(first) = words.first() else { return };
    if !first.text.chars().any(script::is_unspaced) {
        return;
    }
    let mut text = String::new();
    let mut starts = Vec::with_capacity(words.len());
    for word in words {
        starts.push(text.len());
        text.push_str(&word.text);
    }
    let opening = text.trim_start_matches(|letter: char| !letter.is_alphanumeric());
    for (trait_, list) in OPENINGS {
        if list.split_whitespace().any(|entry| opening.starts_with(entry)) {
            traits[0] = traits[0].with(trait_);
        }
    }
    for (trait_, list) in INSIDE {
        for entry in list.split_whitespace() {
            for (at, _) in text.match_indices(entry) {
                let word = starts.partition_point(|start| *start <= at).saturating_sub(1);
                traits[word] = traits[word].with(trait_);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(words: &[&str]) -> Vec<Traits> {
        let words: Vec<Word> = words.iter().map(|word| Word::new(*word, 0.0, 0.1)).collect();
        let mut traits = vec![Traits::default(); words.len()];
        mark(&words, &mut traits);
        traits
    }

    #[test]
    fn openings_and_expressions_match_across_word_boundaries() {
        for pieces in [&["しかし", "誰も", "いない。"][..], &["し", "か", "し", "誰", "も", "い", "な", "い。"]] {
            let traits = marked(pieces);
            assert!(traits[0].has(Traits::CONNECTIVE), "{pieces:?}");
            assert_eq!(traits.iter().filter(|traits| traits.has(Traits::HOOK)).count(), 1, "{pieces:?}");
        }
        assert!(marked(&["但是他", "说"])[0].has(Traits::CONNECTIVE));
        assert!(marked(&["为什么", "时钟", "会说谎？"])[0].has(Traits::QUESTION));
        assert_eq!(marked(&["but", "no"]), [Traits::default(); 2]);
    }
}
