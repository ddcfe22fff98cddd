"""Texts of any script to words, and which words are the same."""

from __future__ import annotations

import unicodedata
from itertools import permutations

import pytest

from trainer.backend import tf
from trainer.features import words

SCRIPTS = {
    "English": ("It didn't cost 1,500.50 €, did it?", "It|didn't|cost|1,500.50|€|,|did|it|?"),
    "quotes": ("‘rock’n’roll’ 'it'", "‘|rock’n’roll|’|'|it|'"),
    "marks on letters": ("cafe\u0301 non\u0303e", "cafe\u0301|non\u0303e"),
    "Chinese": ("我爱北京。", "我|爱|北|京|。"),
    "Japanese": ("スーパーでカタカナ、ひらがな", "スーパー|で|カタカナ|、|ひ|ら|が|な"),
    "Korean": ("한국어 문장", "한국어|문장"),
    "Thai": ("ฉันรัก", "ฉั|น|รั|ก"),
    "Lao": ("ສະບາຍ", "ສ|ະ|ບ|າ|ຍ"),
    "Khmer, one letter below another": ("ខ្ញុំ", "ខ្ញុំ"),
    "Myanmar": ("မြန်မာ", "မြ|န်|မာ"),
    "Hebrew with points": ("שָׁלוֹם עוֹלָם", "שָׁלוֹם|עוֹלָם"),
    "Arabic": ("مرحبا بالعالم، كيف", "مرحبا|بالعالم|،|كيف"),
    "Persian with a non-joiner": ("می\u200cخواهم", "می\u200cخواهم"),
    "Hindi": ("हिन्दी में", "हिन्दी|में"),
    "emoji": ("👩\u200d👩\u200d👧👍🏽👍❤\ufe0f😀😀", "👩\u200d👩\u200d👧|👍🏽|👍|❤\ufe0f|😀|😀"),
    "flags and keycaps": ("🇩🇪🇫🇷1\ufe0f\u20e3 1", "🇩🇪|🇫🇷|1\ufe0f\u20e3|1"),
    "an emoji newer than any table": ("a\U0001fae9b", "a|\U0001fae9|b"),
    "private use": ("a \ue000", "a|\ue000"),
    "what is invisible": ("\ufeffa\u200bb\u202ec\x00d\u00a0e\tf", "a|b|c|d|e|f"),
    "a joiner that joins nothing": ("\u200d x", "x"),
    "nothing": (" \n", ""),
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_text_is_cut_into_words_whatever_its_script(script: str) -> None:
    text, expected = SCRIPTS[script]
    [found] = words.split_words(tf.constant([text])).to_list()
    assert "|".join(word.decode() for word in found) == expected


def test_nothing_of_a_text_is_left_out_but_what_parts_words() -> None:
    texts = [text for text, _ in SCRIPTS.values()]
    for text, found in zip(texts, words.split_words(tf.constant(texts)).to_list(), strict=True):
        invisible = {"Zs", "Cc", "Cf"}
        kept = "".join(c for c in text if unicodedata.category(c) not in invisible)
        joined = b"".join(found).decode()
        assert "".join(c for c in joined if unicodedata.category(c) not in invisible) == kept


def test_each_word_stands_where_it_is_said_to_begin() -> None:
    texts = [text for text, _ in SCRIPTS.values()] + ["", "\u200b 👍🏽  a\x01b"]
    found, starts = words.word_spans(tf.constant(texts))
    for text, own, begins in zip(texts, found.to_list(), starts.to_list(), strict=True):
        assert [text[i : i + len(word.decode())] for word, i in zip(own, begins, strict=True)] == [
            word.decode() for word in own
        ]
    assert len(found[-1]) == 3


def test_words_are_the_same_in_capitals_and_however_accents_are_spelt() -> None:
    pairs = [("CAFÉ", "cafe\u0301"), ("soft\u00adhyphen", "softhyphen"), ("ê\u0323", "ệ"), ("\u2126", "ω")]
    pairs += [("क़", "\u0958"), ("\u1112\u1161\u11ab", "한"), ("ДА", "да"), ("ΑΣ", "ας")]
    for one, other in pairs:
        first, second = words.normalised(tf.constant([one, other])).numpy()
        assert first == second, one


def test_letters_are_composed_as_unicode_says_in_whatever_order_their_marks_stand() -> None:
    letters = [chr(c) for c in range(0xA0, 0xD7A4) if not 0x3400 <= c < 0xAC00 or c % 50 == 0]
    letters = [letter for letter in letters if unicodedata.category(letter)[0] == "L"]
    made = [*letters, *(unicodedata.normalize("NFD", letter) for letter in letters)]
    made += [f"{apart[0]}{''.join(marks)}" for apart in made if len(apart) > 2 for marks in permutations(apart[1:])]
    made = [
        word for word in made if len(unicodedata.normalize("NFC", word)) == 1
    ]  # marks of one place keep their order
    found = [word.decode() for word in words.composed(tf.constant(made)).numpy()]
    assert found == [unicodedata.normalize("NFC", word) for word in made]
    assert len(made) > 20_000


def test_a_fingerprint_is_the_words_own_wherever_it_is_met() -> None:
    ragged = words.normalised(words.split_words(tf.constant(["The end of the END", "", "end"])))
    found = words.fingerprints(ragged).to_list()
    the, end = words.fingerprints_of(["the", "end"])
    assert found[0][0] == found[0][3] == the and found[0][1] == found[0][4] == end
    assert found[1] == [] and found[2] == [end] and len(set(found[0])) == 3
    assert min(words.fingerprints_of([str(i) for i in range(1000)])) > words.PAD
