"""Jobs that survive crashes, and the workers that do them."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Mapping, Optional, Sequence

from . import _clipkit, _onnx
from ._call import block_on, wait_for
from ._clipkit import Context
from ._data import plain
from ._errors import ConfigError
from ._pipeline import Config, _document
from ._stages import _KINDS, Path, stage_config, stage_of
from ._types import Edited

#: A document of the crate as plain JSON types.
Document = Dict[str, Any]


class Jobs:
    """Jobs in one SQLite file, which any number of processes of a machine may use at the same time, or
    in a Redis, for many machines (:meth:`redis`).

    Make one with ``await Jobs.open("jobs.db")`` or ``Jobs.open_sync("jobs.db")``. Documents are
    plain dicts; those of a job have the fields ``id``, ``state``, ``error``, ``manifest`` and others
    as in the Rust type ``JobStatus``. Every method has a counterpart that blocks: ``submit_sync``.
    """

    def __init__(self, jobs: _clipkit.Jobs) -> None:
        self._jobs = jobs

    @classmethod
    async def open(cls, db: Path, **options: Any) -> Jobs:
        """Opens the file, which is made if it does not exist. Options are the fields of
        ``JobsOptions``: ``policy``, ``most_open``, ``min_free`` and others.
        """
        return cls(await wait_for(lambda call, cx: _clipkit.Jobs.start_open(call, cx, os.fspath(db), plain(options))))

    @classmethod
    def open_sync(cls, db: Path, **options: Any) -> Jobs:
        """The same, blocking this thread."""
        return cls(block_on(lambda call, cx: _clipkit.Jobs.start_open(call, cx, os.fspath(db), plain(options))))

    @classmethod
    async def redis(cls, url: str, folder: Path, *, prefix: Optional[str] = None, **options: Any) -> Jobs:
        """Jobs in a Redis or Valkey, as BullMQ keeps them, for workers on many machines.

        ``url`` is ``redis://USER:PASSWORD@HOST:PORT/DATABASE``, or begins with ``rediss://`` for TLS. All
        workers reach ``folder``, where documents and rendered clips are, under the same path. ``prefix``
        is the beginning of all keys (default: ``clipkit``). Options as for :meth:`open`.
        """
        return cls(
            await wait_for(lambda call, cx: _clipkit.Jobs.start_redis(call, cx, url, os.fspath(folder), prefix, plain(options)))
        )

    @classmethod
    def redis_sync(cls, url: str, folder: Path, *, prefix: Optional[str] = None, **options: Any) -> Jobs:
        """The same, blocking this thread."""
        return cls(block_on(lambda call, cx: _clipkit.Jobs.start_redis(call, cx, url, os.fspath(folder), prefix, plain(options))))

    async def submit(self, uri: Path, *, config: Optional[Config] = None, **fields: Any) -> str:
        """Submits a job for the video at ``uri`` and returns its id.

        ``config`` is a pipeline's configuration. Further fields: ``publish`` (a list of publishers'
        configurations), ``stages`` (names of custom stages that workers have), ``priority``,
        ``not_before`` (RFC 3339), ``idempotency_key``, ``user``.
        """
        job = _job(uri, config, fields)
        return await wait_for(lambda call, cx: self._jobs.start_submit(call, cx, job))  # type: ignore[no-any-return]

    def submit_sync(self, uri: Path, *, config: Optional[Config] = None, **fields: Any) -> str:
        """The same, blocking this thread."""
        job = _job(uri, config, fields)
        return block_on(lambda call, cx: self._jobs.start_submit(call, cx, job))  # type: ignore[no-any-return]

    async def get(self, id: str) -> Optional[Document]:
        """A job. ``None`` if there is none with this id."""
        return await wait_for(lambda call, cx: self._jobs.start_get(call, cx, id))  # type: ignore[no-any-return]

    def get_sync(self, id: str) -> Optional[Document]:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._jobs.start_get(call, cx, id))  # type: ignore[no-any-return]

    async def list(self, **filter: Any) -> List[Document]:
        """The jobs, the newest first. The filter: ``user``, ``open`` (a bool), ``most``."""
        return await wait_for(lambda call, cx: self._jobs.start_list(call, cx, filter))  # type: ignore[no-any-return]

    def list_sync(self, **filter: Any) -> List[Document]:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._jobs.start_list(call, cx, filter))  # type: ignore[no-any-return]

    async def cancel(self, id: str) -> bool:
        """Cancels a job: running steps stop within a second. ``False`` if it has ended."""
        return await wait_for(lambda call, cx: self._jobs.start_cancel(call, cx, id))  # type: ignore[no-any-return]

    def cancel_sync(self, id: str) -> bool:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._jobs.start_cancel(call, cx, id))  # type: ignore[no-any-return]

    async def retry(self, id: str) -> bool:
        """Runs the failed and cancelled steps of a job again."""
        return await wait_for(lambda call, cx: self._jobs.start_retry(call, cx, id))  # type: ignore[no-any-return]

    def retry_sync(self, id: str) -> bool:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._jobs.start_retry(call, cx, id))  # type: ignore[no-any-return]

    async def remove(self, id: str) -> bool:
        """Removes a job that has ended. Published clips stay."""
        return await wait_for(lambda call, cx: self._jobs.start_remove(call, cx, id))  # type: ignore[no-any-return]

    def remove_sync(self, id: str) -> bool:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._jobs.start_remove(call, cx, id))  # type: ignore[no-any-return]

    async def events(self, id: str, since: int = 0) -> List[Document]:
        """The events of a job whose ``number`` is above ``since``."""
        return await wait_for(lambda call, cx: self._jobs.start_events(call, cx, id, since))  # type: ignore[no-any-return]

    def events_sync(self, id: str, since: int = 0) -> List[Document]:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._jobs.start_events(call, cx, id, since))  # type: ignore[no-any-return]

    async def clips(self, id: str) -> List[Document]:
        """The clips of a job in order of rank, as far as it has come: ``rank``, ``candidate``, ``plan``,
        ``receipts``, ``tasks``, and the paths ``video`` and ``cover`` if it publishes into a folder."""
        return await wait_for(lambda call, cx: self._jobs.start_clips(call, cx, id))  # type: ignore[no-any-return]

    def clips_sync(self, id: str) -> List[Document]:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._jobs.start_clips(call, cx, id))  # type: ignore[no-any-return]

    async def edit_clip(self, id: str, rank: int, ops: Sequence[Any], *, dry_run: bool = False) -> Edited:
        """Changes the plan of a clip by operations, as :func:`clipkit.edit` does. A worker then renders
        and publishes it again. With ``dry_run`` nothing changes. The job must have ended."""
        return Edited(*await wait_for(lambda call, cx: self._jobs.start_edit_clip(call, cx, id, rank, list(ops), dry_run)))

    def edit_clip_sync(self, id: str, rank: int, ops: Sequence[Any], *, dry_run: bool = False) -> Edited:
        """The same, blocking this thread."""
        return Edited(*block_on(lambda call, cx: self._jobs.start_edit_clip(call, cx, id, rank, list(ops), dry_run)))

    async def link(self, id: str, rank: int, *, valid: Optional[float] = None, context: Optional[Context] = None) -> Document:
        """A signed link to a clip in the object store that the job publishes to: ``url`` and
        ``expires``. It works for ``valid`` seconds, at most as long as the publisher's ``link``, which
        is the default. The environment has the store's credentials."""
        return await wait_for(lambda call, cx: self._jobs.start_link(call, cx, id, rank, valid), context)  # type: ignore[no-any-return]

    def link_sync(self, id: str, rank: int, *, valid: Optional[float] = None, context: Optional[Context] = None) -> Document:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._jobs.start_link(call, cx, id, rank, valid), context)  # type: ignore[no-any-return]

    async def dead_letters(self) -> List[Document]:
        """The steps that failed on all their attempts, each with its error."""
        return await wait_for(lambda call, cx: self._jobs.start_dead_letters(call, cx))  # type: ignore[no-any-return]

    def dead_letters_sync(self) -> List[Document]:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._jobs.start_dead_letters(call, cx))  # type: ignore[no-any-return]

    async def replay(self, task: str) -> bool:
        """Runs a dead letter again, by its id."""
        return await wait_for(lambda call, cx: self._jobs.start_replay(call, cx, task))  # type: ignore[no-any-return]

    def replay_sync(self, task: str) -> bool:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._jobs.start_replay(call, cx, task))  # type: ignore[no-any-return]

    async def discard(self, task: str) -> bool:
        """Removes a dead letter, by its id."""
        return await wait_for(lambda call, cx: self._jobs.start_discard(call, cx, task))  # type: ignore[no-any-return]

    def discard_sync(self, task: str) -> bool:
        """The same, blocking this thread."""
        return block_on(lambda call, cx: self._jobs.start_discard(call, cx, task))  # type: ignore[no-any-return]

    async def pause(self, queue: str) -> None:
        """Stops a queue: its steps wait."""
        await wait_for(lambda call, cx: self._jobs.start_pause(call, cx, queue))

    async def resume(self, queue: str) -> None:
        """Lets a paused queue go on."""
        await wait_for(lambda call, cx: self._jobs.start_resume(call, cx, queue))


class Worker:
    """Does the steps of jobs, in this process.

    ``stages`` are custom stages by name: objects with one of the stage methods. Jobs name them in
    their field ``stages``. Options are the fields of ``WorkerOptions``: ``serves`` (the
    queues to serve), ``limits``, ``rates``, ``per_target``, ``stall``, ``lease``, ``grace``,
    ``until_idle``.

    Cancelling :meth:`run`, or Ctrl-C in :meth:`run_sync`, hands running steps back after ``grace``
    seconds (0.5 by default), so that another worker goes on.
    """

    def __init__(
        self, jobs: Jobs, *, stages: Optional[Mapping[str, Any]] = None, serves: Optional[List[str]] = None, **options: Any
    ) -> None:
        _onnx.find_library()
        self._jobs = jobs._jobs
        self._stages = [(name, _custom(stage)) for name, stage in (stages or {}).items()]
        self._options = {"grace": 0.5, "stages": serves or [], **plain(options)}

    async def run(self, *, context: Optional[Context] = None) -> None:
        """Works until it is cancelled, or with ``until_idle=True`` until no job is open."""
        await wait_for(lambda call, cx: self._jobs.start_work(call, cx, self._options, self._stages), context)

    def run_sync(self, *, context: Optional[Context] = None) -> None:
        """The same, blocking this thread."""
        block_on(lambda call, cx: self._jobs.start_work(call, cx, self._options, self._stages), context)


def _job(uri: Path, config: Optional[Config], fields: Mapping[str, Any]) -> Document:
    publish = [stage_config(one) for one in fields.get("publish", [])]
    if None in publish:
        raise ConfigError("a job's publisher is a configuration, such as {'kind': 'folder', 'path': 'clips'}")
    return {**plain(fields), "publish": plain(publish), "uri": os.fspath(uri), "config": _document(config)}


def _custom(given: Any) -> _clipkit.Stage:
    kinds = [kind for kind, known in _KINDS.items() if callable(getattr(given, known._method, None))]
    if len(kinds) != 1:
        raise ConfigError(f"{given!r} is no stage: it has the methods of {len(kinds)} kinds of stages, not of one")
    return stage_of(kinds[0], given)


__all__ = ["Jobs", "Worker"]
