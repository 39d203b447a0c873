"""``DefaultTrainer``: a config becomes model, optimizer, loaders, scheduler, checkpoints, evaluation and writers."""

import logging
import weakref
from collections import OrderedDict

from detectron2.checkpoint import DetectionCheckpointer
from detectron2.config import CfgNode
from detectron2.data import build_detection_test_loader, build_detection_train_loader
from detectron2.engine import hooks
from detectron2.engine.train_loop import AMPTrainer, SimpleTrainer, TrainerBase
from detectron2.evaluation import DatasetEvaluator, inference_on_dataset, print_csv_format, verify_results
from detectron2.modeling import build_model
from detectron2.solver import build_lr_scheduler, build_optimizer
from detectron2.utils import comm
from detectron2.utils.logger import setup_logger

# the public module of this class; its logger carries that name
_MODULE = "detectron2.engine.defaults"


class DefaultTrainer(TrainerBase):
    """A trainer with common choices everywhere; override its ``build_*`` methods to change one of them.

    Attributes:
        scheduler, checkpointer (DetectionCheckpointer), cfg.
    """

    def __init__(self, cfg):
        super().__init__()
        if not logging.getLogger("detectron2").isEnabledFor(logging.INFO):
            setup_logger()  # the caller has not set up logging
        cfg = DefaultTrainer.auto_scale_workers(cfg, comm.get_world_size())

        from detectron2.engine.defaults import create_ddp_model

        model = self.build_model(cfg)
        optimizer = self.build_optimizer(cfg, model)
        data_loader = self.build_train_loader(cfg)
        model = create_ddp_model(model, broadcast_buffers=False)
        stepper = AMPTrainer if cfg.SOLVER.AMP.ENABLED else SimpleTrainer
        self._trainer = stepper(model, data_loader, optimizer)
        self.scheduler = self.build_lr_scheduler(cfg, optimizer)
        self.checkpointer = DetectionCheckpointer(model, cfg.OUTPUT_DIR, trainer=weakref.proxy(self))
        self.start_iter = 0
        self.max_iter = cfg.SOLVER.MAX_ITER
        self.cfg = cfg
        self.register_hooks(self.build_hooks())

    def resume_or_load(self, resume=True):
        """Go on from OUTPUT_DIR's last checkpoint when ``resume`` and there is one; else load MODEL.WEIGHTS."""
        self.checkpointer.resume_or_load(self.cfg.MODEL.WEIGHTS, resume=resume)
        if resume and self.checkpointer.has_checkpoint():
            # the checkpoint was written at the end of the iteration that it names
            self.start_iter = self.iter + 1

    def build_hooks(self):
        """Timing, learning rate, (precise BN), checkpoints, evaluation, writing; the order matters."""
        cfg = self.cfg.clone()
        cfg.defrost()
        cfg.DATALOADER.NUM_WORKERS = 0  # precise BN's own loader
        made = [hooks.IterationTimer(), hooks.LRScheduler()]
        if cfg.TEST.PRECISE_BN.ENABLED:
            loader = self.build_train_loader(cfg)
            made.append(hooks.PreciseBN(cfg.TEST.EVAL_PERIOD, self.model, loader, cfg.TEST.PRECISE_BN.NUM_ITER))
        if comm.is_main_process():
            made.append(hooks.PeriodicCheckpointer(self.checkpointer, cfg.SOLVER.CHECKPOINT_PERIOD))

        def evaluate():
            self._last_eval_results = self.test(self.cfg, self.model)
            return self._last_eval_results

        made.append(hooks.EvalHook(cfg.TEST.EVAL_PERIOD, evaluate))
        if comm.is_main_process():
            made.append(hooks.PeriodicWriter(self.build_writers(), period=20))  # last: sees what others stored
        return made

    def build_writers(self):
        from detectron2.engine.defaults import default_writers

        return default_writers(self.cfg.OUTPUT_DIR, self.max_iter)

    def train(self):
        """Train, and check the last evaluation against TEST.EXPECTED_RESULTS where that is set.

        Returns:
            The last evaluation's results if TEST.EXPECTED_RESULTS is set, else None.
        """
        super().train(self.start_iter, self.max_iter)
        if len(self.cfg.TEST.EXPECTED_RESULTS) and comm.is_main_process():
            assert hasattr(self, "_last_eval_results"), "No evaluation results obtained during training!"
            verify_results(self.cfg, self._last_eval_results)
            return self._last_eval_results
        return None

    def run_step(self):
        self._trainer.iter = self.iter
        self._trainer.run_step()

    def state_dict(self):
        return {**super().state_dict(), "_trainer": self._trainer.state_dict()}

    def load_state_dict(self, state_dict):
        super().load_state_dict(state_dict)
        self._trainer.load_state_dict(state_dict["_trainer"])

    @classmethod
    def build_model(cls, cfg):
        model = build_model(cfg)
        logging.getLogger(_MODULE).info("Model:\n%s", model)
        return model

    @classmethod
    def build_optimizer(cls, cfg, model):
        return build_optimizer(cfg, model)

    @classmethod
    def build_lr_scheduler(cls, cfg, optimizer):
        return build_lr_scheduler(cfg, optimizer)

    @classmethod
    def build_train_loader(cls, cfg):
        return build_detection_train_loader(cfg)

    @classmethod
    def build_test_loader(cls, cfg, dataset_name):
        return build_detection_test_loader(cfg, dataset_name)

    @classmethod
    def build_evaluator(cls, cfg, dataset_name):
        raise NotImplementedError(
            f"no evaluator for {dataset_name}: override build_evaluator, or give evaluators to test()"
        )

    @classmethod
    def test(cls, cfg, model, evaluators=None):
        """Evaluate on every data set of DATASETS.TEST.

        Args:
            evaluators: one per data set, or None to build them.

        Returns:
            Results by data set; those of the only one directly.
        """
        logger = logging.getLogger(_MODULE)
        if isinstance(evaluators, DatasetEvaluator):
            evaluators = [evaluators]
        if evaluators is not None:
            assert len(evaluators) == len(cfg.DATASETS.TEST), f"{len(cfg.DATASETS.TEST)} != {len(evaluators)}"
        results = OrderedDict()
        for index, name in enumerate(cfg.DATASETS.TEST):
            loader = cls.build_test_loader(cfg, name)
            if evaluators is not None:
                evaluator = evaluators[index]
            else:
                try:
                    evaluator = cls.build_evaluator(cfg, name)
                except NotImplementedError as error:
                    logger.warning("%s has no evaluator (%s): it is left out.", name, error)
                    results[name] = {}
                    continue
            results[name] = inference_on_dataset(model, loader, evaluator)
            if comm.is_main_process():
                assert isinstance(results[name], dict), (
                    f"Evaluator must return a dict on the main process. Got {results[name]} instead."
                )
                logger.info("Evaluation results for %s in csv format:", name)
                print_csv_format(results[name])
        return next(iter(results.values())) if len(results) == 1 else results

    @staticmethod
    def auto_scale_workers(cfg, num_workers: int):
        """Scale batch, rate and schedule linearly from SOLVER.REFERENCE_WORLD_SIZE to ``num_workers`` processes.

        Returns:
            ``cfg`` itself when nothing is to be scaled, else a scaled copy, frozen as ``cfg`` is.
        """
        reference = cfg.SOLVER.REFERENCE_WORLD_SIZE
        if reference in (0, num_workers):
            return cfg
        scaled: CfgNode = cfg.clone()
        scaled.defrost()
        solver = scaled.SOLVER
        assert solver.IMS_PER_BATCH % reference == 0, "Invalid REFERENCE_WORLD_SIZE in config!"
        factor = num_workers / reference
        solver.IMS_PER_BATCH = int(round(solver.IMS_PER_BATCH * factor))
        solver.BASE_LR = solver.BASE_LR * factor
        solver.MAX_ITER = int(round(solver.MAX_ITER / factor))
        solver.WARMUP_ITERS = int(round(solver.WARMUP_ITERS / factor))
        solver.STEPS = tuple(int(round(step / factor)) for step in solver.STEPS)
        solver.CHECKPOINT_PERIOD = int(round(solver.CHECKPOINT_PERIOD / factor))
        scaled.TEST.EVAL_PERIOD = int(round(scaled.TEST.EVAL_PERIOD / factor))
        solver.REFERENCE_WORLD_SIZE = num_workers  # scaling again with the same count changes nothing
        logging.getLogger(_MODULE).info(
            "Auto-scaling the config to batch_size=%d, learning_rate=%s, max_iter=%d, warmup=%d.",
            solver.IMS_PER_BATCH, solver.BASE_LR, solver.MAX_ITER, solver.WARMUP_ITERS,
        )
        if cfg.is_frozen():
            scaled.freeze()
        return scaled


for _name in ("model", "data_loader", "optimizer"):
    # read and written through to the stepper, which owns them
    setattr(
        DefaultTrainer,
        _name,
        property(
            lambda self, key=_name: getattr(self._trainer, key),
            lambda self, value, key=_name: setattr(self._trainer, key, value),
        ),
    )
DefaultTrainer.__module__ = _MODULE
