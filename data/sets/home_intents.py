"""Home intents: what people say to a house, with its intent and slots, expanded from Home Assistant's own templates.

`home-assistant-intents` holds, for each intent, templates such as `turn off <the> {area} lights`; `hassil` parses them.
Here texts are drawn from them, with the place of each slot's value. It is template data: no sentence was ever said by
a person, and a score on it tells less than it would of real speech.

The 19 English intents with at least MIN_TEMPLATES templates are learnt. A fifth of the templates of each is for
evaluation, whole, so that no text of evaluation was made by a template that training saw. Names of rooms, floors,
devices and whatever else each household has are ours (`VALUES`), and every fifth of them stands in evaluation alone.
The other intents, 23 of few templates, are never learnt and stand in evaluation alone: what is not to be understood.
Texts of two intents are left out, and so is what both sides would hold. `replies.csv` (`REPLIES`) says what is
answered.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from data.sources.catalogue import DataSet, Source

SOURCE = Source(
    client="pypi",
    package="home-assistant-intents",
    version="2026.10.27",
    filename="home_assistant_intents-2026.10.27-py3-none-any.whl",
    sha256="256eb1e4fc6e6f4943d0ba4e089c9639d74d0e9d62ccddeb7148bc168de55e40",
    size_bytes=775_094,
    holds="templates of 42 intents",
)

DATA_SET = DataSet(
    name="home_intents",
    title="Home intents: sentences to a house, from 42 intents' templates, 19 to be learnt",
    licence="Apache-2.0",
    credit="Home Assistant's intents by their contributors; expanded with hassil by Michael Hansen",
    sources=((SOURCE,),),
)

MIN_TEMPLATES = 8
EVAL_SHARE = 5
"""One of so many templates, and of so many values of `VALUES`, is for evaluation."""
PER_INTENT = {"train": 320, "eval": 80}
"""Texts of an intent, at most."""
PER_TEMPLATE = 24
"""Texts of a template, at most; fewer where an intent has many templates."""
PER_UNKNOWN = 20
"""Texts of an intent that is never learnt, at most."""

VALUES: Mapping[str, Sequence[str]] = {
    "area": (
        *("kitchen", "living room", "bedroom", "bathroom", "garage", "hallway", "office", "dining room", "basement"),
        *("attic", "guest room", "laundry room", "nursery", "garden", "study", "playroom", "pantry", "balcony"),
        *("entrance", "master bedroom", "conservatory", "workshop", "porch", "library", "utility room"),
    ),
    "floor": ("first floor", "second floor", "ground floor", "upstairs", "downstairs", "top floor", "third floor"),
    "name": (
        *("ceiling fan", "reading lamp", "bedside lamp", "coffee machine", "front door", "heater", "christmas lights"),
        *("garage door", "humidifier", "radio", "desk light", "dishwasher", "back gate", "floor lamp", "air purifier"),
        *("kettle", "left curtain", "night light", "oven", "patio door", "speaker", "television", "towel rail"),
        *("washing machine", "window blind"),
    ),
    "message": ("dinner is ready", "it is time for bed", "we are leaving", "the taxi is here", "come downstairs"),
    "search_query": (
        *("jazz", "abbey road", "the beatles", "bach", "morning news", "madonna", "blue train", "star wars"),
        *("the daily", "summer hits"),
    ),
    "zone": ("work", "school", "the gym", "home", "the office"),
    "timer_name": ("pizza", "pasta", "laundry", "tea", "egg", "homework", "bread", "workout", "nap", "cake"),
    "timer_command": (
        *("open the garage door", "turn off the lights", "lock the front door", "start the vacuum"),
        *("turn on the heater", "close the blinds", "play some music", "turn the fan off"),
    ),
    "shopping_list_item": ("milk", "apples", "toilet paper", "coffee", "olive oil"),
    "todo_list_item": ("call mum", "clean the car", "water the plants", "book a table", "pay the bill"),
}

REPLIES: Sequence[tuple[str, str, str]] = (
    ("", "", "Sorry, I did not understand that."),
    ("HassCancelTimer", "", "[{name} ]timer cancelled[ in the {area}]."),
    ("HassClimateGetTemperature", "", "I am looking up the temperature[ in the {area}][ on the {floor}][ of {name}]."),
    ("HassClimateSetFanMode", "", "The fan mode[ in the {area}][ of {name}] is set to {fan_mode}."),
    ("HassClimateSetFanMode", "fan_mode", "Which fan mode should it be?"),
    ("HassDecreaseTimer", "", "I took[ {hours} hours][ {minutes} minutes][ {seconds} seconds] off the[ {name}] timer."),
    ("HassFanSetSpeed", "", "The fan[ in the {area}][ {name}] runs at {percentage} percent."),
    ("HassFanSetSpeed", "percentage", "How fast should it run, in percent?"),
    ("HassGetState", "", "I am looking up the state[ of {name}][ in the {area}][ on the {floor}]."),
    ("HassIncreaseTimer", "", "I added[ {hours} hours][ {minutes} minutes][ {seconds} seconds] to the[ {name}] timer."),
    ("HassLightSet", "", "The light[ in the {area}][ on the {floor}][ {name}] is set[ to {brightness}][ to {color}]"
     "[ to {temperature}]."),
    ("HassMediaNext", "", "On to the next one in the {area}."),
    ("HassMediaNext", "area", "In which room?"),
    ("HassMediaPrevious", "", "Back to the one before in the {area}."),
    ("HassMediaPrevious", "area", "In which room?"),
    ("HassMediaSearchAndPlay", "", "Playing {search_query}[ in the {area}][ on {name}]."),
    ("HassMediaSearchAndPlay", "search_query", "What should I play?"),
    ("HassPauseTimer", "", "The[ {name}] timer[ in the {area}] is paused."),
    ("HassSetVolume", "", "The volume[ in the {area}][ of {name}] is {volume_level} percent."),
    ("HassSetVolume", "volume_level", "How loud should it be, in percent?"),
    ("HassSetVolumeRelative", "", "I changed the volume[ in the {area}][ of {name}][ by {volume_step}]."),
    ("HassStartTimer", "", "The[ {name}] timer is set[ for {hours} hours][ for {minutes} minutes]"
     "[ for {seconds} seconds][, then: {conversation_command}]."),
    ("HassTimerStatus", "", "I am looking at the[ {name}] timer[ in the {area}]."),
    ("HassTurnOff", "", "It is off[: {name}][ in the {area}][ on the {floor}]."),
    ("HassTurnOn", "", "It is on[: {name}][ in the {area}][ on the {floor}]."),
    ("HassUnpauseTimer", "", "The[ {name}] timer[ in the {area}] goes on."),
)  # fmt: skip
"""Rows of `replies.csv`; see `data.columns.reply`."""

Segment = tuple[str, str]
"""A piece of text and the slot whose value it is, "" where it is none's."""


@dataclass(frozen=True)
class Said:
    """A text with its intent; `slots` as `data.columns.Tags` has them."""

    text: str
    intent: str
    slots: tuple[tuple[int, int, str], ...]

    def record(self) -> dict[str, Any]:
        slots = [{"start": start, "end": end, "name": name} for start, end, name in self.slots]
        return {"text": self.text, "intent": self.intent, "slots": slots}


def prepare(archives: Sequence[Path], target: Path, sources: Sequence[Source]) -> None:
    """Writes `target/train.jsonl` and `target/eval.jsonl`, texts with intent and slots, and `target/replies.csv`."""
    del sources
    with TemporaryDirectory(dir=target.parent) as unpacked:
        document = read_language(archives[0], Path(unpacked), "en")
    write(target, draw(document, VALUES), REPLIES)


def read_language(archive: Path, folder: Path, language: str) -> dict[str, Any]:
    """The templates of a language; `folder` is used for unpacking."""
    from data.sources.archives import unpack

    [file] = unpack(archive, folder, f"home_assistant_intents/data/{language}.json")
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return document


def write(target: Path, splits: Mapping[str, Sequence[Said]], replies: Sequence[tuple[str, str, str]]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for split, texts in splits.items():
        with (target / f"{split}.jsonl").open("w", encoding="utf-8") as out:
            for said in texts:
                print(json.dumps(said.record(), ensure_ascii=False), file=out)
    if not replies:
        return
    with (target / "replies.csv").open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("intent", "slot", "text"))
        writer.writerows(replies)


def draw(document: Mapping[str, Any], values: Mapping[str, Sequence[str]], seed: int = 0) -> dict[str, list[Said]]:
    """The texts of "train" and "eval", shuffled. `document`: of `read_language`. `values`: of the lists that each
    household has its own of."""
    from hassil.intents import Intents

    intents = Intents.from_dict(dict(document))
    common = {
        name: [one for place, one in enumerate(all_) if (place + 1) % EVAL_SHARE] for name, all_ in values.items()
    }
    sides: dict[str, dict[str, list[Said]]] = {"train": {}, "eval": {}}
    for name, intent in intents.intents.items():
        rng = random.Random(f"{seed} {name}")
        templates = [(data, sentence) for data in intent.data for sentence in data.sentences]
        rng.shuffle(templates)
        learnt = len(templates) >= MIN_TEMPLATES
        held_out = max(2, round(len(templates) / EVAL_SHARE)) if learnt else len(templates)
        parts = {"eval": (templates[:held_out], values), "train": (templates[held_out:], common)}
        for side, (chosen, known) in parts.items():
            sampler = _Sampler(intents, known, rng)
            most = PER_INTENT[side] if learnt else PER_UNKNOWN
            each = min(PER_TEMPLATE, -(-most // max(len(chosen), 1)))
            found = {said.text: said for one in chosen for said in sampler.texts(name, *one, each)}
            sides[side][name] = rng.sample(list(found.values()), min(most, len(found)))
    return {side: _shuffled(texts, seed) for side, texts in _unambiguous(sides).items()}


def _unambiguous(sides: Mapping[str, Mapping[str, Sequence[Said]]]) -> dict[str, list[Said]]:
    """Without texts that have two intents, and in eval without those of train."""
    intents: dict[str, set[str]] = {}
    for texts in (texts for side in sides.values() for texts in side.values()):
        for said in texts:
            intents.setdefault(said.text, set()).add(said.intent)
    train = [said for texts in sides["train"].values() for said in texts if len(intents[said.text]) == 1]
    known = {said.text for said in train}
    evaluated = [said for texts in sides["eval"].values() for said in texts if len(intents[said.text]) == 1]
    return {"train": train, "eval": [said for said in evaluated if said.text not in known]}


def _shuffled(texts: list[Said], seed: int) -> list[Said]:
    return random.Random(seed).sample(texts, len(texts))


class _Sampler:
    """Draws texts from templates, with the place of each slot's value, which hassil's own sampling does not tell."""

    def __init__(self, intents: Any, values: Mapping[str, Sequence[str]], rng: random.Random) -> None:
        self._lists, self._rules, self._values, self._rng = intents.slot_lists, intents.expansion_rules, values, rng

    def texts(self, intent: str, data: Any, sentence: Any, most: int) -> Iterator[Said]:
        """Up to `most` texts of one template, some of which may be alike."""
        rules = {**self._rules, **data.expansion_rules} if data.expansion_rules else self._rules
        for _ in range(most):
            text, slots = joined(self._draw(sentence.expression, rules))
            if text:
                yield Said(text, intent, slots)

    def _draw(self, expression: Any, rules: Mapping[str, Any]) -> list[Segment]:
        from hassil import expression as kinds

        if isinstance(expression, kinds.TextChunk):
            return [(expression.original_text, "")]
        if isinstance(expression, kinds.RuleReference):
            return self._draw(rules[expression.rule_name].expression, rules)
        if isinstance(expression, kinds.ListReference):
            return [(self._value(expression.list_name, rules), expression.slot_name)]
        items = list(expression.items)
        if isinstance(expression, kinds.Alternative):
            return self._draw(self._rng.choice(items), rules)
        if isinstance(expression, kinds.Permutation):
            self._rng.shuffle(items)
        return [segment for item in items for segment in self._draw(item, rules)]

    def _value(self, name: str, rules: Mapping[str, Any]) -> str:
        if name in self._values:
            return self._rng.choice(list(self._values[name]))
        found = self._lists[name]
        if hasattr(found, "get_numbers"):
            return f"{self._rng.choice(list(found.get_numbers())):g}"
        value = self._draw(self._rng.choice(found.values).text_in, rules)
        return "".join(text for text, _ in value)


def joined(segments: Sequence[Segment]) -> tuple[str, tuple[tuple[int, int, str], ...]]:
    """The text of segments with single spaces, and start, end and name of each slot's value within it, in code points.

    A value that is empty, as one of only spaces, is none.
    """
    text, slots = "", []
    for piece, slot in segments:
        words = " ".join(piece.split())
        gap = " " if text and not text.endswith(" ") and (piece[:1].isspace()) else ""
        start = len(text + gap)
        text += gap + words + (" " if words and piece[-1:].isspace() else "")
        if slot and words:
            slots.append((start, start + len(words), slot))
    return text.rstrip(), tuple(slots)
