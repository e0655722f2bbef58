"""One training engine for all methods, on Lightning Fabric: any device, precision and number of GPUs.

A killed training that is started again goes on from its last state and ends with the same weights, bit for
bit on a CPU, as one that was never killed: batches, noise and dropout are functions of (seed, step).
"""

import logging
import math
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.tensorboard import SummaryWriter

from brainuad.errors import InputError
from brainuad.methods.base import Model
from brainuad.randomness import Draws
from brainuad.training import state as states
from brainuad.training.augmentation import augment
from brainuad.training.batches import BatchOrder, describe, load_batches
from brainuad.training.device import channels_last
from brainuad.training.divergence import divergence, every_step_is_skipped, finite_weights
from brainuad.training.fabric import machine_of, next_machine
from brainuad.training.job import EngineOptions, History, TrainingJob
from brainuad.training.optimisers import after_step, after_validation, build_schedule
from brainuad.training.progress import Progress
from brainuad.training.settings import TrainingSettings
from brainuad.training.signals import TrainingInterruptedError, watch_stop_signals

log = logging.getLogger(__name__)


class Engine:
    """Runs the training iterations of one job."""

    def __init__(self, fabric: Fabric, job: TrainingJob, options: EngineOptions) -> None:
        self.fabric = fabric
        self.job = job
        self.options = options
        self.machine = machine_of(fabric)
        self.settings: TrainingSettings = job.model.settings.training
        self.history = History()
        self.step = 0
        self.saved_step = 0  # that of last.ckpt
        self._prepare_model()
        self.order = BatchOrder(
            job.training.index, self.settings.batch_size, self.settings.epoch, seed=job.seed
        )
        # Each further process draws its own times and noise.
        rank = (fabric.global_rank,) if fabric.global_rank else ()
        self.draws = Draws(job.seed, ("training", *rank), str(fabric.device))

    def _prepare_model(self) -> None:
        model = self.job.model.to(self.fabric.device)
        # Channels-last pays from about 96 pixels on; smaller feature maps are faster without. Of volumes it always
        # does: 1.0 to 1.3 times as fast on a CPU.
        if len(model.shape.size) == 3 or min(model.shape.size) >= 96:
            model = model.to(memory_format=channels_last(model.shape))  # type: ignore[call-overload]
        named = model.optimisers()
        self.model = model
        self.module, *optimisers = self.fabric.setup(model, *named.values())
        for name in model.forward_methods:
            self.module.mark_forward_method(name)
        self.optimisers = dict(zip(named, optimisers, strict=True))
        steps = dict.fromkeys(named, self.settings.iterations) | model.optimiser_steps()
        self.schedules = {
            name: build_schedule(self._optimiser_settings(name), optimiser, steps[name])
            for name, optimiser in named.items()
        }
        self.ema: AveragedModel | None = None
        if self.settings.ema_decay is not None:
            average = get_ema_multi_avg_fn(self.settings.ema_decay)
            self.ema = AveragedModel(model, multi_avg_fn=average, use_buffers=False)

    def _optimiser_settings(self, name: str) -> Any:
        return getattr(self.job.model.settings, f"{name}_optimiser", self.settings.optimiser)

    # What a model's `update` uses (methods.base.Trainer).

    def compute(self, name: str, *arguments: Any) -> Any:
        """The value of the model's method `name`, in the engine's precision."""
        # On one device Fabric hands methods other than `forward` through without its precision.
        with self.fabric.autocast():
            return getattr(self.module, name)(*arguments)

    def descend(self, name: str, loss: Tensor) -> None:
        """One clipped and scheduled optimiser step down the gradient of `loss`."""
        optimiser = self.optimisers[name]
        optimiser.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        if self.settings.gradient_clip is not None:
            self.fabric.clip_gradients(
                self.module, optimiser, max_norm=self.settings.gradient_clip, error_if_nonfinite=False
            )
        optimiser.step()
        after_step(self.schedules[name])

    # The loop.

    @property
    def finished(self) -> bool:
        """Whether all iterations are done, or the validation loss has not fallen for `patience` of them."""
        patience = self.settings.patience
        impatient = patience is not None and self.history.without_gain >= patience
        return impatient or self.step == self.settings.iterations

    def run(self) -> None:
        """Trains to the last iteration, from the saved state where there is one."""
        self._resume()
        loader = load_batches(
            self.job.training,
            self.order,
            range(self.step, self.settings.iterations),
            self.options.loader_workers,
            (self.fabric.global_rank, self.fabric.world_size),
        )
        progress = Progress(self.settings.iterations, self.step, self.fabric.is_global_zero)
        board = SummaryWriter(str(self.job.state_folder / "tensorboard"), purge_step=self.step)
        with board as self.writer, watch_stop_signals() as stop:
            self._iterate(iter(loader), progress, lambda: stop.received is not None)
        progress.close()
        self.save_state()
        if self.step < self.settings.iterations:
            waited = self.history.without_gain
            log.info("ended at step %d: the validation loss has not fallen for %d steps", self.step, waited)

    def _iterate(self, batches: Any, progress: Progress, stopped: Callable[[], bool]) -> None:
        saved = time.monotonic()
        while not self.finished:
            started = time.monotonic()
            batch = self._to_device(next(batches))
            self.history.waiting_s += time.monotonic() - started
            numbers = self._update(batch)
            self.history.seconds += time.monotonic() - started
            progress.advance(numbers["loss"], self.history.best)
            self._log(numbers)
            if self._any_rank(stopped()):
                self.save_state()
                raise TrainingInterruptedError(f"stopped at step {self.step}; the state is saved")
            if time.monotonic() - saved > self.options.save_every_s:
                self.save_state()
                saved = time.monotonic()

    def _update(self, batch: Any) -> dict[str, float]:
        # Dropout takes no generator, so the global one is set anew for each step.
        torch.manual_seed(self.draws.seed_of("dropout", self.step))
        self.model.train()
        draws = self.draws.within(self.step)
        batch = augment(batch, self.settings.augmentation, len(self.job.model.shape.size), draws)
        numbers = self.job.model.update(batch, draws, self)
        if not all(math.isfinite(value) for value in numbers.values()):
            raise self._loss_error(numbers)
        self.step += 1
        if self.ema is not None and self.step >= self.settings.ema_start:
            self.ema.update_parameters(self.model)
        if self.step % self.settings.validate_every == 0 or self.step == self.settings.iterations:
            self._require_finite_weights()
            numbers |= self._validate()
            self._learn_from_validation(numbers["validation"])
        return numbers

    def _loss_error(self, numbers: dict[str, float]) -> InputError:
        what = f"the loss is not finite at step {self.step + 1}: {numbers}"
        subjects = f"of the batch: {self._subjects(self.step)}"
        if self.step != self.saved_step:
            before = self._subjects(self.step - 1)
            subjects += f"; of the one before, whose gradient may be the cause: {before}"
        return self._divergence(what, subjects)

    def _require_finite_weights(self) -> None:
        """Ends the training before weights are kept that a gradient has spoilt."""
        if not finite_weights(self.model):
            what = f"the weights are not finite after step {self.step}"
        elif every_step_is_skipped(self.fabric):
            what = f"the gradients are not finite up to step {self.step}"
        else:
            return
        raise self._divergence(what, f"of the batch: {self._subjects(self.step - 1)}")

    def _divergence(self, what: str, subjects: str) -> InputError:
        saved = {"last.ckpt": self.saved_step, "best.ckpt": self.history.best_step}
        return divergence(what, subjects, self.job.state_folder, saved)

    def _subjects(self, step: int) -> str:
        return ", ".join(describe(self.job.training, self.order.batch(step)))

    def _to_device(self, batch: Any) -> Any:
        return self.fabric.to_device(batch)

    def _any_rank(self, value: bool) -> bool:
        if self.fabric.world_size == 1:
            return value
        return bool(self.fabric.all_reduce(torch.tensor(float(value)), reduce_op="max"))

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        """The mean validation numbers over fixed batches with fixed noise; keeps the best weights."""
        weights = self.scored_weights()
        weights.eval()
        size, epoch = self.options.validation_batch_size or self.settings.batch_size, self.settings.epoch
        order = BatchOrder(self.job.validation.index, size, epoch, self.job.seed, keep_rest=True)
        steps = order.first_steps(self.settings.validation_batches)
        totals, count, suspects = Counter[str](), 0, list[str]()
        for number, batch in enumerate(load_batches(self.job.validation, order, steps)):
            draws = Draws(self.job.seed, ("validation", number), self.draws.device)
            with self.fabric.autocast():
                numbers = weights.validation_numbers(self._to_device(batch), draws)
            totals.update({name: value.item() * len(batch.images) for name, value in numbers.items()})
            count += len(batch.images)
            if not math.isfinite(totals["validation"]) and not suspects:
                suspects += describe(self.job.validation, order.batch(number))
        # One process decides for all: running averages of normalisation layers may differ between them.
        means = {name: total / count for name, total in totals.items()}
        means, suspects = self.fabric.broadcast((means, suspects))
        if suspects:
            what = f"the validation loss is not finite at step {self.step}"
            raise self._divergence(what, f"of the validation batch: {', '.join(suspects)}")
        if means["validation"] < self.history.best:
            self.history.best, self.history.best_step = means["validation"], self.step
            self._save({"weights": weights.state_dict(), "step": self.step}, "best.ckpt")
        return means

    def _learn_from_validation(self, loss: float) -> None:
        for schedule in self.schedules.values():
            after_validation(schedule, loss)
        history = self.history
        if loss < history.reference - self.settings.minimum_gain:
            history.reference, history.reference_step = loss, self.step
        history.without_gain = self.step - history.reference_step

    def scored_weights(self) -> Model:
        """The model whose weights are validated and kept: the moving average once it has begun."""
        if self.ema is not None and self.step >= self.settings.ema_start:
            return self.ema.module  # type: ignore[return-value]
        return self.model

    def _log(self, numbers: dict[str, float]) -> None:
        due = self.step % self.settings.log_every == 0 or "validation" in numbers
        if not due or not self.fabric.is_global_zero:
            return
        rate = next(iter(self.schedules.values())).get_last_lr()[0]
        row = {"step": float(self.step), **numbers, "learning_rate": float(rate)}
        self.history.rows.append(row)
        for name, value in row.items():
            self.writer.add_scalar(name, value, self.step)

    # State.

    def save_state(self) -> None:
        """Writes everything that is needed to go on from here; weights that are not finite are an `InputError`."""
        self._require_finite_weights()
        content: dict[str, Any] = {
            "settings_hash": self.job.settings_hash,
            "step": self.step,
            "finished": self.finished,
            "machine": self.machine,
            "model": self.model.state_dict(),
            "optimisers": {name: optimiser.state_dict() for name, optimiser in self.optimisers.items()},
            "schedules": {name: schedule.state_dict() for name, schedule in self.schedules.items()},
            "ema": None if self.ema is None else self.ema.state_dict(),
            "precision": self.fabric._precision.state_dict(),  # the scale of gradients of 16-mixed
            "history": vars(self.history),
        }
        self._save(content, "last.ckpt")
        self.saved_step = self.step

    def _save(self, content: dict[str, Any], name: str) -> None:
        if self.fabric.is_global_zero:
            states.save({"format": states.FORMAT, **content}, self.job.state_folder / name)

    def _resume(self) -> None:
        folder = self.job.state_folder
        state = states.load_state(folder / "last.ckpt", self.job.settings_hash)
        if state is None:
            self.fabric.barrier()  # no process looks for a state any more
            if self.fabric.is_global_zero:
                states.remove(folder)
            return
        self.step = state["step"]
        self.machine = next_machine(state.get("machine", self.machine), self.machine, state)
        self.model.load_state_dict(state["model"])
        for name, optimiser in self.optimisers.items():
            optimiser.load_state_dict(state["optimisers"][name])
            self.schedules[name].load_state_dict(state["schedules"][name])
        if self.ema is not None:
            self.ema.load_state_dict(state["ema"])
        if scaler := state.get("precision"):  # nothing of other precisions and of older states
            self.fabric._precision.load_state_dict(scaler)
        self.history = History(**state["history"])
        if self.settings.keep == "best" and self.history.best_step:
            states.load_weights(folder / "best.ckpt")  # looked at before the first iteration
        self._require_finite_weights()
        self.saved_step = self.step
        log.info("going on from step %d of %d", self.step, self.settings.iterations)
