"""Processes of a launch find each other over gloo."""

import json

import torch
from detectron2.engine import launch
from detectron2.utils import comm


def _report(folder):
    total = comm.all_gather(comm.get_rank())
    facts = {"rank": comm.get_rank(), "world": comm.get_world_size(), "local": comm.get_local_rank(), "all": total}
    with open(f"{folder}/{comm.get_rank()}.json", "w") as stream:
        json.dump(facts, stream)


def test_one_process_is_a_plain_call(tmp_path):
    launch(_report, 1, args=(str(tmp_path),))
    assert json.loads((tmp_path / "0.json").read_text()) == {"rank": 0, "world": 1, "local": 0, "all": [0]}


def test_two_processes_meet(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    launch(_report, 2, dist_url="auto", args=(str(tmp_path),))
    for rank in range(2):
        facts = json.loads((tmp_path / f"{rank}.json").read_text())
        assert facts == {"rank": rank, "world": 2, "local": rank, "all": [0, 1]}
