"""Dawid & Skene's model (1979): each annotator confuses labels in a way of their own, the true label is not seen.

A sensitivity view beside the win score, never the result: it trusts annotators who agree with the others.
"""

from dataclasses import dataclass

import numpy as np

from annotation.results.data import Codes, Floats, Judgements, NotEstimable, compact
from annotation.results.errors import NoFiniteEstimate

TOLERANCE = 1e-8
ROUNDS = 2000
LABELS = 3


@dataclass(frozen=True)
class LatentShares:
    """Estimated shares of items whose true label is A, tie, B, and the win score of B they give."""

    a_wins: float
    ties: float
    b_wins: float
    win_score_b: float
    n_items: int
    method: str = "Dawid-Skene, expectation-maximisation from the items' label shares"


def latent_shares(judgements: Judgements) -> LatentShares | NotEstimable:
    """The model for one criterion and pair of systems."""
    item, annotator = compact(judgements.item), compact(judgements.annotator)
    if (np.bincount(item) < 2).all():
        return NotEstimable("no item has two or more judgements")
    try:
        posterior = dawid_skene(item, annotator, np.sign(judgements.grade) + 1, labels=LABELS)
    except NoFiniteEstimate as error:
        return NotEstimable(str(error))
    a, tie, b = (float(share) for share in posterior.mean(axis=0))
    return LatentShares(a, tie, b, b + tie / 2, n_items=len(posterior))


def dawid_skene(item: Codes, annotator: Codes, label: Codes, *, labels: int) -> Floats:
    """Chance of each true label by item: shape (items, labels).

    Starts from the label shares of the item. Raises: NoFiniteEstimate when the likelihood does not settle.
    """
    items, annotators = int(item.max()) + 1, int(annotator.max()) + 1
    posterior = np.bincount(item * labels + label, minlength=items * labels).reshape(items, labels).astype(float)
    posterior /= posterior.sum(axis=1, keepdims=True)
    said = annotator * labels + label
    likelihood = -np.inf
    for _ in range(ROUNDS):
        prior, confusion = _maximise(posterior, item, said, annotators, labels)
        posterior, following = _expect(prior, confusion, item, said, items)
        if following - likelihood <= TOLERANCE * abs(following):
            return posterior
        likelihood = following
    raise NoFiniteEstimate(f"the likelihood did not settle in {ROUNDS} rounds")


def _maximise(posterior: Floats, item: Codes, said: Codes, annotators: int, labels: int) -> tuple[Floats, Floats]:
    """Prior of the true labels, and P(annotator says l | true label t): shape (annotators * labels, labels)."""
    weights = posterior[item]
    said_given_true = np.stack(
        [np.bincount(said, weights[:, true], minlength=annotators * labels) for true in range(labels)], axis=1
    )
    totals = said_given_true.reshape(annotators, labels, labels).sum(axis=1, keepdims=True)
    by_annotator = said_given_true.reshape(annotators, labels, labels) / np.where(totals > 0, totals, 1)
    return posterior.mean(axis=0), by_annotator.reshape(annotators * labels, labels)


def _expect(prior: Floats, confusion: Floats, item: Codes, said: Codes, items: int) -> tuple[Floats, float]:
    """Chance of the true labels given the answers, and the log-likelihood."""
    with np.errstate(divide="ignore"):
        log_confusion = np.maximum(np.log(confusion), -700.0)
        log_prior = np.maximum(np.log(prior), -700.0)
    joint = np.stack(
        [np.bincount(item, log_confusion[said, true], minlength=items) for true in range(len(prior))], axis=1
    )
    joint += log_prior
    highest = joint.max(axis=1, keepdims=True)
    relative = np.exp(joint - highest)
    totals = relative.sum(axis=1, keepdims=True)
    return relative / totals, float((highest + np.log(totals)).sum())
