"""Samplers: which items of a data set each process reads, and in which order."""

from detectron2._impl.placeholders import placeholder_getattr

from .distributed_sampler import InferenceSampler, RepeatFactorTrainingSampler, TrainingSampler
from .grouped_batch_sampler import GroupedBatchSampler

__getattr__ = placeholder_getattr(__name__, ("RandomSubsetTrainingSampler",))

__all__ = ["GroupedBatchSampler", "InferenceSampler", "RepeatFactorTrainingSampler", "TrainingSampler"]
