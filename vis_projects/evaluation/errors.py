"""Errors of input files: each message is one line with the place, the value seen and the remedy."""


class EvaluationInputError(ValueError):
    """A results file, a ground-truth file or a shard cannot be used as it is."""


class NoGroundTruthError(EvaluationInputError):
    """The ground-truth file lists videos but no annotations, as the public validation and test files do."""


def shorten(value: object, limit: int = 60) -> str:
    """`repr` cut to one readable line."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}..."
