"""The script for a GPU, tried out on the CPU with a tiny shape."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments):
    program = [sys.executable, "-W", "ignore", "-m", "bench.bench_gpu", *arguments]
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_every_batch_size_is_run_and_the_fastest_is_named(tmp_path):
    file = tmp_path / "found.json"
    sizes = ["--batches", "4,1", "--prompt-tokens", "20", "--new-tokens", "6"]
    found = run("--device", "cpu", "--shapes", "tiny", *sizes, "--json", str(file))
    assert found.returncode == 0, found.stderr
    runs = json.loads(file.read_text())["runs"]
    assert [each["batch"] for each in runs] == [1, 4]
    assert all(0 < each["tokens"] <= 6 * each["batch"] for each in runs)
    assert json.loads(file.read_text())["best"]["tiny"] in (1, 4)
    assert {each["device"] for each in runs} == {"cpu, float32"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so():
    found = run()
    assert found.returncode == 2
    assert "There is no GPU here" in found.stderr
