"""What an edit invalidates: the nodes that use the edited source, and no other."""

import subprocess
import sys
from pathlib import Path

import pytest

from data.source_digest import digest, hparams_used, package_digest

TASK = '''
"""A toy task."""
from dataclasses import dataclass

from toybase import ToyBase
from trainer import toy_images
from trainer.toy_layers import Block

SIZE = 28


@dataclass
class ToyHParams:
    filters: int = 8


class Toy(ToyBase):
    columns = {"image": SIZE}

    def preprocess(self, inputs):
        """Decodes."""
        return self._scaled(toy_images.decode(inputs["image"]), self.hparams.image_size)

    def _scaled(self, image, size):
        return image / 255  # into 0 to 1

    def build_model(self, spec):
        from trainer.toy_losses import focal

        return Block(self.hparams.filters, self.hparams.dropout), focal

    def predict(self, model, features):
        return helper(self.hparams, features)

    def preview(self, example):
        return show(self)


def helper(hparams, features):
    return features


def show(task):
    return task
'''.replace("toybase", "trainer.toy_base")

FILES = {
    "trainer/toy.py": TASK,
    "trainer/toy_base.py": """
class Root:
    def label(self):
        return self.title

class ToyBase(Root):
    title = "base"

    def __init__(self, hparams):
        self.hparams = hparams
        self.state = make_state()

    def augment(self, features):
        return self.jitter(features, self.hparams.strength)

    def jitter(self, features, strength):
        return features

    def stateful(self):
        return self.state

def make_state():
    return 1
""",
    "trainer/toy_images.py": """
from trainer.toy_codec import decode_png as _decode
TABLE = {}
TABLE["depth"] = 8

def decode(data):
    return _resize(_decode(data), TABLE)

def _resize(image, table):
    return image

def unrelated():
    return 1
""",
    "trainer/toy_codec.py": """
try:
    from trainer.toy_fast import decode_png
except ImportError:
    def decode_png(data):
        return data
""",
    "trainer/toy_fast.py": "def decode_png(data):\n    return data + 1\n",
    "trainer/toy_layers.py": """
class Block:
    def __init__(self, filters, dropout):
        self.filters = filters

    def call(self, x):
        return super().call(x)
""",
    "trainer/toy_losses.py": "def focal(gamma=2):\n    return gamma\n",
}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder whose `trainer` joins this project's own: both are one namespace."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def edit(project, name, old, new):
    file = project / "trainer" / f"{name}.py"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


METHODS = ("columns", "preprocess", "augment", "build_model", "predict", "label", "stateful")


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("toy", "Block(self.hparams.filters", "Block(2 * self.hparams.filters", {"build_model"}),
        ("toy", "image / 255", "image / 127", {"preprocess"}),
        ("toy", "SIZE = 28", "SIZE = 32", {"columns"}),
        ("toy", "    return features\n", "    return [features]\n", {"predict"}),
        ("toy", "class Toy(ToyBase):", "class Toy(ToyBase):\n    title = 'own'\n", {"label"}),
        ("toy", "class Toy(ToyBase):", "class Toy(ToyBase):\n    def jitter(self, f, s): return 1\n", {"augment"}),
        ("toy", "filters: int = 8", "filters: int = 9", set()),
        ("toy", "  # into 0 to 1", "\n\n        # into 0 to 1", set()),
        ("toy", '"""Decodes."""', '"""Decodes the picture."""', set()),
        ("toy", "return image / 255", "return (\n            image / 255\n        )", set()),
        ("toy_images", "return image", "return image[::2]", {"preprocess"}),
        ("toy_images", '["depth"] = 8', '["depth"] = 16', {"preprocess"}),
        ("toy_images", "return 1", "return 2", set()),
        ("toy_codec", "return data", "return data[1:]", {"preprocess"}),
        ("toy_fast", "data + 1", "data + 2", {"preprocess"}),
        ("toy_layers", "super().call(x)", "x", {"build_model"}),
        ("toy_losses", "gamma=2", "gamma=3", {"build_model"}),
        ("toy_base", "return features", "return features[:1]", {"augment"}),
        ("toy_base", '"base"', '"another"', {"label"}),
        ("toy_base", "return 1", "return 2", {"stateful"}),
    ],
)
def test_an_edit_changes_the_digests_of_what_uses_it(project, file, old, new, changed):
    before = {method: digest("trainer.toy", [f"Toy.{method}"]) for method in METHODS}
    edit(project, file, old, new)
    after = {method: digest("trainer.toy", [f"Toy.{method}"]) for method in METHODS}
    assert {method for method in METHODS if before[method] != after[method]} == changed


def test_a_class_used_whole_counts_whole(project):
    before = digest("trainer.toy", ["Toy.preview"])  # passes `self` on
    edit(project, "toy_losses", "gamma=2", "gamma=3")
    assert digest("trainer.toy", ["Toy.preview"]) != before


def test_super_is_the_next_class_and_not_the_own_method(project):
    edit(
        project,
        "toy",
        "    def _scaled",
        "    def augment(self, f):\n        return super().augment(f)\n\n    def _scaled",
    )
    before = digest("trainer.toy", ["Toy.augment"])
    edit(project, "toy_base", "return self.jitter(features", "return self.jitter([features]")
    assert digest("trainer.toy", ["Toy.augment"]) != before


def test_a_method_named_through_its_class_does_not_bring_the_rest_along(project):
    (project / "trainer" / "toy_user.py").write_text(
        "from trainer.toy_base import ToyBase\n\ndef label(): return ToyBase.jitter(None, 1, 2)\n"
    )
    before = digest("trainer.toy_user", ["label"])
    edit(project, "toy_base", '"base"', '"another"')
    assert digest("trainer.toy_user", ["label"]) == before
    edit(project, "toy_base", "return features", "return features[:1]")
    assert digest("trainer.toy_user", ["label"]) != before


@pytest.mark.parametrize(
    "user",
    [
        "from trainer import toy_images\n\ndef root(): return vars(toy_images)\n",
        "from trainer.toy_images import *\n\ndef root(): return decode(1)\n",
    ],
)
def test_a_module_used_whole_counts_with_what_it_imports(project, user):
    (project / "trainer" / "toy_user.py").write_text(user)
    before = digest("trainer.toy_user", ["root"])
    edit(project, "toy_fast", "data + 1", "data + 2")
    assert digest("trainer.toy_user", ["root"]) != before


def test_a_module_that_only_passes_names_on_is_looked_through(project):
    (project / "trainer" / "toy_api.py").write_text("from trainer import toy_images\n")
    user = (
        "from trainer import toy_api\n\ndef part(): return toy_api.toy_images.decode(1)\ndef all(): return [toy_api]\n"
    )
    (project / "trainer" / "toy_user.py").write_text(user)
    before = {root: digest("trainer.toy_user", [root]) for root in ("part", "all")}
    edit(project, "toy_images", "return 1", "return 2")
    assert digest("trainer.toy_user", ["part"]) == before["part"]
    assert digest("trainer.toy_user", ["all"]) != before["all"]


def test_a_file_outside_the_packages_gives_the_same_digest_wherever_it_lies(project, tmp_path_factory):
    files = [tmp_path_factory.mktemp(name) / "toy.py" for name in ("one", "another")]
    for file in files:
        file.write_text(TASK)
    assert digest(files[0], ["Toy.preprocess"]) == digest(files[1], ["Toy.preprocess"])
    edit(project, "toy_images", "return image", "return image[::2]")
    assert digest(files[0], ["Toy.preprocess"]) != digest("trainer.toy_base", ["ToyBase.augment"])


@pytest.mark.parametrize(
    ("roots", "names"),
    [
        (["Toy.preprocess"], {"image_size"}),
        (["Toy.build_model"], {"filters", "dropout"}),
        (["Toy.preprocess", "Toy.augment"], {"image_size", "strength"}),
        (["Toy.columns"], set()),
        (["Toy.predict"], None),  # passes all hyper-parameters on
        (["Toy.preview"], None),  # passes itself on
    ],
)
def test_hyper_parameters_read_are_found(project, roots, names):
    assert hparams_used("trainer.toy", roots) == names


@pytest.mark.parametrize("root", ["missing", "Toy.missing", "Missing.preprocess", "helper.attribute", "SIZE.real"])
def test_an_unknown_root_is_refused(project, root):
    with pytest.raises(ValueError, match=root):
        digest("trainer.toy", [root])


@pytest.mark.parametrize("module", ["trainer.missing", "json"])
def test_a_module_outside_the_project_is_refused(module):
    with pytest.raises(ValueError, match=module):
        digest(module, ["anything"])


def test_nothing_is_imported(project):
    edit(project, "toy", "SIZE = 28", "raise RuntimeError('imported')\nSIZE = 28")
    code = (
        "import sys; from data.source_digest import digest; digest('trainer.toy', ['Toy.build_model']);"
        "print([name for name in sys.modules if 'toy' in name or name == 'tensorflow'])"
    )
    environment = {"PYTHONPATH": f"{project}:{Path(__file__).resolve().parents[2]}"}
    assert subprocess.check_output([sys.executable, "-c", code], env=environment, text=True) == "[]\n"


def test_the_digest_of_a_package_covers_names_and_bytes_of_its_python_files(tmp_path, monkeypatch):
    package = tmp_path / "toypackage"
    (package / "inner").mkdir(parents=True)
    (package / "inner" / "a.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    digests = [package_digest("toypackage")]
    (package / "notes.txt").write_text("not source")
    assert package_digest("toypackage") == digests[0]
    (package / "inner" / "a.py").write_text("x = 1  # one\n")
    digests.append(package_digest("toypackage"))
    (package / "inner" / "a.py").rename(package / "inner" / "b.py")
    digests.append(package_digest("toypackage"))
    assert len(set(digests)) == 3
    with pytest.raises(ValueError, match="nosuchpackage"):
        package_digest("toypackage", "nosuchpackage")
