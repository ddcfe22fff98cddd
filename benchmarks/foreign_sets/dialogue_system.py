"""Sentences to a house in German and in Chinese, from Home Assistant's templates; and a made-up library's desk in the
form of ATIS, `seq.in`, `seq.out` and `label`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from data.sets import home_intents
from data.sources.fetch import fetch_to_cache
from data.sources.shelf import silent

GERMAN: Mapping[str, Sequence[str]] = {
    "area": (
        *("Küche", "Wohnzimmer", "Schlafzimmer", "Bad", "Garage", "Flur", "Büro", "Esszimmer", "Keller", "Dachboden"),
        *("Gästezimmer", "Waschküche", "Kinderzimmer", "Garten", "Werkstatt", "Balkon", "Diele", "Bibliothek"),
    ),
    "floor": ("Erdgeschoss", "Obergeschoss", "erster Stock", "zweiter Stock", "Untergeschoss"),
    "name": (
        *("Stehlampe", "Kaffeemaschine", "Haustür", "Heizung", "Radio", "Schreibtischlampe", "Spülmaschine"),
        *("Gartentor", "Luftreiniger", "Wasserkocher", "Vorhang", "Nachtlicht", "Ofen", "Terrassentür", "Fernseher"),
    ),
    "message": ("das Essen ist fertig", "wir gehen jetzt", "kommt bitte runter", "das Taxi ist da"),
    "search_query": ("Jazz", "Nachrichten", "Bach", "die Ärzte", "Schlager", "Sommerhits", "Klassik", "Rammstein"),
    "zone": ("Arbeit", "Schule", "Zuhause"),
    "timer_name": ("Pizza", "Nudeln", "Wäsche", "Tee", "Eier", "Brot", "Kuchen", "Pause"),
    "timer_command": ("öffne das Garagentor", "schalte das Licht aus", "starte den Staubsauger", "spiele Musik"),
    "shopping_list_item": ("Milch", "Äpfel", "Kaffee", "Olivenöl", "Brot"),
    "todo_list_item": ("Mama anrufen", "Auto waschen", "Blumen gießen", "Rechnung bezahlen"),
}
CHINESE: Mapping[str, Sequence[str]] = {
    "area": (
        *("厨房", "客厅", "卧室", "浴室", "车库", "走廊", "书房", "餐厅"),
        *("地下室", "阁楼", "客房", "花园", "阳台", "门厅", "主卧"),
    ),
    "floor": ("一楼", "二楼", "三楼", "楼上", "楼下"),
    "name": (
        *("台灯", "咖啡机", "大门", "暖气", "收音机", "洗碗机", "空气净化器"),
        *("水壶", "窗帘", "夜灯", "烤箱", "电视", "落地灯"),
    ),
    "message": ("晚饭好了", "我们要走了", "出租车到了", "该睡觉了"),
    "search_query": ("爵士乐", "新闻", "周杰伦", "古典音乐", "儿歌"),
    "zone": ("公司", "学校", "家"),
    "timer_name": ("披萨", "面条", "洗衣", "泡茶", "鸡蛋", "面包", "作业"),
    "timer_command": ("打开车库门", "关灯", "锁门", "播放音乐", "关窗帘"),
    "shopping_list_item": ("牛奶", "苹果", "咖啡", "橄榄油"),
    "todo_list_item": ("给妈妈打电话", "洗车", "浇花", "付账单"),
}

DESK = {
    "borrow": ["i would like to borrow {title}", "can i take {title} home until {day}", "{title} by {author} please"],
    "return": ["i bring back {title}", "here is {title} again", "{author} 's {title} goes back to you"],
    "renew": [
        "may i keep {title} until {day}",
        "please extend {title} for {number} weeks",
        "{number} more days for it",
    ],
    "fine": ["how much do i owe", "i want to pay {number} dollars", "why is there a fine on {title}"],
    "hours": ["are you open on {day}", "when do you close on {day}", "what are your hours"],
    "room": [
        "book a room for {number} people on {day}",
        "is a study room free on {day}",
        "we are {number} and need a room",
    ],
    "find": ["where do i find {title}", "what has {author} written", "do you have anything by {author}"],
}
KINDS, THINGS = ("silent", "last", "red", "hidden"), ("house", "sea", "wolf", "king")
VALUES = {
    "title": [f"the {kind} {thing}" for kind in KINDS for thing in THINGS],
    "author": [f"{first} {last}" for first in ("anna", "boris", "carla") for last in ("novak", "stone", "li", "moor")],
    "day": ["monday", "tuesday", "next friday", "the first of may", "tomorrow"],
    "number": ["two", "three", "5", "12", "twenty"],
}
MOST = {"train": 5000, "eval": 1500}
"""Texts of a language, which come shuffled."""
HELD_OUT = 4
"""Every value of so many is said in evaluation alone."""
OPENINGS = ["", "hello ", "good morning , ", "excuse me , "]


def german(folder: Path) -> None:
    """42 intents' templates in German, of which those with few are never learnt; split by template."""
    _home(folder, "de", GERMAN)


def chinese(folder: Path) -> None:
    """The same in Chinese, without spaces."""
    _home(folder, "zh-CN", CHINESE)


def library(folder: Path) -> None:
    """Seven intents at a library's desk, in ATIS' form. No text of evaluation is one of training."""
    rng = np.random.default_rng(11)
    common = {name: [one for place, one in enumerate(all_, 1) if place % HELD_OUT] for name, all_ in VALUES.items()}
    train = [_at_the_desk(rng, common) for _ in range(1400)]
    known = {words for words, _, _ in train}
    evaluated = [text for text in (_at_the_desk(rng, VALUES) for _ in range(900)) if text[0] not in known]
    for split, texts in (("train", train), ("test", evaluated)):
        (folder / split).mkdir(parents=True, exist_ok=True)
        for name, place in (("seq.in", 0), ("seq.out", 1), ("label", 2)):
            (folder / split / name).write_text("".join(f"{text[place]}\n" for text in texts), encoding="utf-8")


def _home(folder: Path, language: str, values: Mapping[str, Sequence[str]]) -> None:
    with TemporaryDirectory() as scratch:
        archive = fetch_to_cache(home_intents.SOURCE, Path(scratch), silent)
        document = home_intents.read_language(archive, Path(scratch), language)
    splits = {side: texts[: MOST[side]] for side, texts in home_intents.draw(document, values).items()}
    home_intents.write(folder, splits, ())


def _at_the_desk(rng: np.random.Generator, values: Mapping[str, Sequence[str]]) -> tuple[str, str, str]:
    """Words, tags and intent of one text."""
    intent = list(DESK)[rng.integers(len(DESK))]
    words = OPENINGS[rng.integers(len(OPENINGS))].split()
    tags = ["O"] * len(words)
    for word in DESK[intent][rng.integers(len(DESK[intent]))].split():
        name = word.strip("{}")
        if word == name:
            words, tags = [*words, word], [*tags, "O"]
            continue
        said = values[name][rng.integers(len(values[name]))].split()
        words, tags = [*words, *said], [*tags, f"B-{name}", *[f"I-{name}"] * (len(said) - 1)]
    return " ".join(words), " ".join(tags), intent


SETS = {"chinese": chinese, "german": german, "library": library}
