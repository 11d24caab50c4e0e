"""Drawing tokens in transformers with a random stream for each text.

`generate` has one stream for a whole batch, so a text would change with its neighbours. Here the search is greedy over
scores with Gumbel noise: the largest of log p + Gumbel is distributed as a draw from p (Gumbel 1954; Maddison et al.
2014, arXiv 1411.0030), and the noise of each row comes from its own seed.
"""

from collections.abc import Sequence
from typing import Any

from inference_worker.schema import Sampling


def processors(torch: Any, sampling: Sampling, seeds: Sequence[int]) -> list[Any]:
    """Return what is done to the scores of each token, in order; nothing where the sampling is greedy."""
    if sampling.temperature == 0:
        return []
    return [Draw(torch, sampling.temperature, sampling.top_p, seeds)]


class Draw:
    """Temperature, then top-p, then noise: what is largest afterwards is drawn."""

    def __init__(self, torch: Any, temperature: float, top_p: float, seeds: Sequence[int]) -> None:
        self._torch = torch
        self._temperature = temperature
        self._top_p = top_p
        # On the CPU, so that every device draws the same numbers.
        self._streams = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        scores = scores.float() / self._temperature
        if self._top_p < 1:
            scores = self._keep_top(scores)
        return scores + self._noise(scores)

    def _keep_top(self, scores: Any) -> Any:
        """Keep the fewest tokens whose probabilities reach top-p."""
        ordered, order = scores.sort(dim=-1, descending=True)
        before = ordered.softmax(dim=-1).cumsum(dim=-1) - ordered.softmax(dim=-1)
        dropped = (before >= self._top_p).scatter(-1, order, before >= self._top_p)
        return scores.masked_fill(dropped, float("-inf"))

    def _noise(self, scores: Any) -> Any:
        size = scores.shape[-1]
        uniform = self._torch.stack([self._torch.rand(size, generator=stream) for stream in self._streams])
        return -self._torch.log(-self._torch.log(uniform.clamp(1e-20, 1 - 1e-7))).to(scores.device)
