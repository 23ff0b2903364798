"""The documents' side of a teacher that puts another prompt before them than before queries."""

from __future__ import annotations

from pathlib import Path

from isoglot.config import TeacherConfig
from isoglot.teacher.kinds import open_teacher
from isoglot.teacher.protocol import Teacher
from isoglot.teacher.reduced import with_axes


def open_documents(config: TeacherConfig, axes: Path) -> Teacher | None:
    """Open the teacher as its index sees it; None when documents have the prompt of queries.

    Args:
        config: the teacher of queries.
        axes: the file that a reduced space has; both sides are turned and cut alike.

    Raises:
        RequestError: there is no such teacher.
        IsoglotError: a download or an endpoint failed.
    """
    if config.document_prompt is None:
        return None
    teacher, _ = open_teacher(config.model_copy(update={"prompt": config.document_prompt}))
    return with_axes(teacher, axes) if axes.is_file() else teacher
