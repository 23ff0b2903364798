"""sentence-transformers' trainer as a part of this project: it prints nothing and tells our progress how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from isoglot.progress import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import TrainerState


def silence() -> None:
    """Take the progress bars off transformers and datasets; only the command line shows any."""
    from datasets.utils.logging import disable_progress_bar
    from transformers.utils import logging

    disable_progress_bar()
    logging.disable_progress_bar()


def make_trainer(task: Task, options: Mapping[str, Any]) -> tuple[Any, list[tuple[int, float]]]:
    """Make a SentenceTransformerTrainer that reports to a task, makes no model card and computes on one device.

    Args:
        task: advanced with every step.
        options: arguments of SentenceTransformerTrainer.

    Returns:
        The trainer, and the list of (step, mean loss since the last one) that it fills.
    """
    from sentence_transformers import SentenceTransformerTrainer
    from transformers import TrainerCallback
    from transformers.trainer_callback import PrinterCallback

    losses: list[tuple[int, float]] = []

    class Reporting(TrainerCallback):  # type: ignore[misc, unused-ignore]
        def on_step_end(self, args: object, state: object, control: object, **more: object) -> None:
            task.advance()

        def on_log(
            self,
            args: object,
            state: TrainerState,
            control: object,
            logs: Mapping[str, float],
            **more: object,
        ) -> None:
            if "loss" in logs:  # at the end there is a summary without one
                losses.append((state.global_step, float(logs["loss"])))
                task.note(f"loss {logs['loss']:.3f}")

    class Trainer(SentenceTransformerTrainer):  # type: ignore[misc, unused-ignore]
        def add_model_card_callback(self, default_args_dict: Mapping[str, object]) -> None:
            """Our folders have a card of their own, and this one would look models up on a hub."""

    arguments = options["args"]
    # with several the trainer would multiply the batch, and its copies of the model would not find the rows in use
    arguments._n_gpu = min(1, arguments.n_gpu)
    trainer = Trainer(**options, callbacks=[Reporting()])
    trainer.remove_callback(PrinterCallback)
    return trainer, losses
