"""Training loop, hooks, launch of processes and the default trainer and predictor."""

from detectron2._impl.placeholders import placeholder_getattr
from detectron2.engine import hooks, train_loop
from detectron2.engine.defaults import (
    DefaultPredictor,
    DefaultTrainer,
    create_ddp_model,
    default_argument_parser,
    default_setup,
    default_writers,
)
from detectron2.engine.hooks import (
    BestCheckpointer,
    CallbackHook,
    EvalHook,
    IterationTimer,
    LRScheduler,
    PeriodicCheckpointer,
    PeriodicWriter,
    PreciseBN,
    TorchMemoryStats,
)
from detectron2.engine.launch import DEFAULT_TIMEOUT, launch
from detectron2.engine.train_loop import AMPTrainer, HookBase, SimpleTrainer, TrainerBase

__getattr__ = placeholder_getattr(__name__, ("AutogradProfiler", "TorchProfiler"))
