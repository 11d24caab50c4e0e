"""The tests of the large engines. They run in the environment that `make engines` builds, on the CPU."""

import os

# Read by vLLM when it is imported: a small cache, one thread, everything in this process.
os.environ.update(
    VLLM_CPU_KVCACHE_SPACE="1",
    VLLM_ENABLE_V1_MULTIPROCESSING="0",
    VLLM_CPU_OMP_THREADS_BIND="nobind",
    VLLM_LOGGING_LEVEL="ERROR",
    OMP_NUM_THREADS="1",
    HF_HUB_OFFLINE="1",
    TOKENIZERS_PARALLELISM="false",
)

import pytest

from tests.engines.models import smollm2_directory, tiny_directory, tiny_gguf


@pytest.fixture(scope="session")
def smollm2():
    """The packaged model as safetensors."""
    return smollm2_directory()


@pytest.fixture(scope="session")
def tiny():
    """A tiny Llama that has learned the form of a skill-of-mind; for llama.cpp it stands beside it as GGUF."""
    tiny_gguf()
    return tiny_directory()
