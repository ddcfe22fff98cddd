"""Benison: a folder of data in, a blessed and pushed model out."""

from pathlib import Path

from setuptools import find_namespace_packages, setup

HERE = Path(__file__).parent

# tfx >= 1.17 needs glibc 2.38; Beam >= 2.65 dropped dill, which tfx-bsl imports. tfx 1.16.0 declares
# Python < 3.11 although each compiled part has a cp311 wheel: uv installs it, pip refuses.
INSTALL_REQUIRES = [
    "tfx==1.16.0",
    "tensorflow==2.16.2",
    "tf-keras==2.16.0",
    "tensorflow-transform==1.16.0",
    "tensorflow-model-analysis==0.47.1",
    "tensorflow-data-validation==1.16.1",
    "ml-metadata==1.16.0",
    "apache-beam>=2.64,<2.65",
    "numpy<2",
    "pandas<2",
    "pyarrow<11",
    "pillow",
    "scikit-learn",
    "scikit-image",
    "matplotlib",
    "rich",
    "typer",
    "jinja2",
    "pyyaml",
    "psutil",
    "packaging",
    "soundfile",
    "av",  # FFmpeg in a wheel: sounds that libsndfile does not read (M4A, WebM), video, coloured pictures of 16 bits
    "mido",  # MIDI files
    "music21",  # what judges the tunes that are written in ABC
    "fonttools",  # the pictures of a font of emoji
    "rouge-score",
    "sacrebleu",
    "jiwer",
    "num2words",  # numbers in texts that are spoken
    "pysword",
    "hassil",  # templates of home intents
]
EXTRAS_REQUIRE = {
    "tfds": ["tensorflow-datasets"],
    # kfp >= 2.14.6 wants protobuf 6; kubernetes must be what kfp allows.
    "kubeflow": ["kfp==2.13.0", "kfp-kubernetes==1.5.0", "kubernetes==26.1.0"],
    # CarRacing: the default data of autonomous_driving, and its closed loop. pygame draws, box2d moves the car.
    "driving": ["gymnasium>=0.29,<0.30", "box2d==2.3.10", "pygame"],
    "dashboard": ["dash>=4,<5", "dash-ag-grid", "plotly>=6", "waitress"],
    "dev": [
        "pytest",
        "pytest-xdist",  # spreads the tests over the cores
        "hypothesis",
        "ruff",
        "mypy",
        "setuptools",
        "types-PyYAML",
        "types-psutil",
        "kmock",
        "pytest-asyncio",  # which kmock's plugin for pytest imports
        "kubernetes-validate",
        "playwright",
        "axe-playwright-python",  # what axe-core finds on pages that not everybody could use
        "pymysql",
        "librosa",  # what log-mel and MFCC are held against
        "seqeval",  # what the metric of slots is held against
    ],
}

setup(
    name="benison",
    version="0.1.0",
    description=__doc__,
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11,<3.12",
    packages=find_namespace_packages(include=["pipelines*", "components*", "trainer*", "data*", "dashboard*"]),
    package_data={
        "pipelines": ["templates/*.txt"],
        "components.report": ["templates/*"],
        "dashboard": ["assets/*"],
    },
    install_requires=INSTALL_REQUIRES,
    extras_require=EXTRAS_REQUIRE,
    entry_points={"console_scripts": ["benison = pipelines.cli:main"]},
)
