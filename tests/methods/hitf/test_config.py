"""Every row of the paper's tables that the README gives as an override is one of the config, and builds."""

import re
from pathlib import Path

import pytest
from detectron2.modeling import build_model

from tests.methods.hitf.clips import QUICK, small_config
from vis_projects.methods.hitf import config

README = Path(config.__file__).with_name("README.md").read_text()
ROWS = re.findall(r"^\| (Table [3-6], .*?) \| .*? \| (.*) \|$", README, flags=re.MULTILINE)
OVERRIDES = [(row, text) for row, cell in ROWS for text in re.findall(r"`(.*?)`", cell)]


def test_the_readme_lists_all_rows():
    # Table 3 has four rows beside the full method, Tables 4 to 6 three each
    assert [sum(row.startswith(f"Table {k}") for row, _ in OVERRIDES) for k in (3, 4, 5, 6)] == [4, 3, 3, 3]


@pytest.mark.parametrize("row, text", OVERRIDES)
def test_a_row_changes_what_it_names_and_nothing_else(row, text):
    words = text.split()
    keys = [f"MODEL.HITF.{word}" if k % 2 == 0 else word for k, word in enumerate(words)]
    name = "hitf/hitf_R_50_ytvis2019.yaml"
    plain, changed = small_config(name=name), small_config(*keys, name=name)
    different = [key for key in keys[::2] if _value(plain, key) != _value(changed, key)]
    assert different == keys[::2]
    for key in different:
        _set(changed, key, _value(plain, key))
    assert changed.dump() == plain.dump()
    build_model(small_config(*keys, "MODEL.HITF.LOSS_FRAMES", "t", name=QUICK))  # "both" would need PM


def _value(cfg, key):
    for part in key.split("."):
        cfg = cfg[part]
    return cfg


def _set(cfg, key, value):
    *path, last = key.split(".")
    setattr(_value(cfg, ".".join(path)), last, value)
