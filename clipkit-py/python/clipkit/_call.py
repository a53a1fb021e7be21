"""Calls into the crate, awaited in an event loop or in a thread, and calls of Python stages.

The crate reports events and results on a thread of its own, which hands them over to the event loop
or the waiting thread. Callbacks of the user run there, so they need no locks.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import inspect
import logging
import queue
import threading
from typing import Any, Awaitable, Callable, Generator, Optional, Tuple, TypeVar

from . import _clipkit
from ._clipkit import Context
from ._errors import ConfigError
from ._types import Event

T = TypeVar("T")
#: Starts the work of a call under a context.
Start = Callable[["Call", Context], _clipkit.Work]
Listener = Callable[[Event], object]

#: How long the caller waits for cancelled work to end. The crate takes at most this long.
GRACE = 1.0


class Call:
    """A call, as the crate knows it."""

    def __init__(self) -> None:
        self.variables = contextvars.copy_context()

    def event(self, event: Event) -> None:
        """Receives an event, on the crate's thread."""
        raise NotImplementedError

    def end(self, answer: Any, error: Optional[BaseException]) -> None:
        """Receives the result, on the crate's thread."""
        raise NotImplementedError

    def submit(self, awaitable: Awaitable[T]) -> concurrent.futures.Future[T]:
        """Runs what a stage's asynchronous method returned in an event loop."""
        raise NotImplementedError

    def _submit_to(self, loop: asyncio.AbstractEventLoop, awaitable: Awaitable[T]) -> concurrent.futures.Future[T]:
        async def wait() -> T:
            return await awaitable

        waiting = wait()
        try:
            # The task has the context variables of the caller.
            return self.variables.copy().run(asyncio.run_coroutine_threadsafe, waiting, loop)
        except RuntimeError:
            # The loop is closed.
            waiting.close()
            if inspect.iscoroutine(awaitable):
                awaitable.close()
            raise


class _InLoop(Call):
    def __init__(self, listener: Optional[Listener]) -> None:
        super().__init__()
        self.loop = asyncio.get_running_loop()
        self.listener = listener
        #: The result, the error, or the exception of a listener.
        self.answer: asyncio.Future[Any] = self.loop.create_future()
        self.ended = asyncio.Event()

    def _hand_over(self, callback: Callable[..., None], *arguments: Any) -> None:
        try:
            self.loop.call_soon_threadsafe(callback, *arguments, context=self.variables)
        except RuntimeError:
            # The loop is closed.
            pass

    def event(self, event: Event) -> None:
        if self.listener is not None:
            self._hand_over(self._hear, event)

    def _hear(self, event: Event) -> None:
        assert self.listener is not None
        if self.answer.done():
            return
        try:
            self.listener(event)
        except BaseException as raised:
            self.answer.set_exception(raised)

    def end(self, answer: Any, error: Optional[BaseException]) -> None:
        self._hand_over(self._end, answer, error)

    def _end(self, answer: Any, error: Optional[BaseException]) -> None:
        self.ended.set()
        if self.answer.done():
            return
        if error is None:
            self.answer.set_result(answer)
        elif isinstance(error, StopIteration):
            # A future cannot hold it.
            self.answer.set_exception(RuntimeError("a stage raised StopIteration"))
        else:
            self.answer.set_exception(error)

    def submit(self, awaitable: Awaitable[T]) -> concurrent.futures.Future[T]:
        return self._submit_to(self.loop, awaitable)


def _context(call: Call, context: Optional[Context], listener: Optional[Listener]) -> Context:
    """The context of a call: a new one, or a child of the user's."""
    if context is None:
        return Context(None if listener is None else call.event)
    if listener is not None:
        raise ConfigError("on_event and progress belong to the context where one is given: Context(on_event=...)")
    return context.child()


async def wait_for(start: Start, context: Optional[Context] = None, listener: Optional[Listener] = None) -> Any:
    """Does the work in the running event loop.

    Cancelling the task, or a listener that raises, stops it.
    """
    call = _InLoop(listener)
    cx = _context(call, context, listener)
    work = start(call, cx)
    try:
        return await call.answer
    except BaseException:
        work.cancel()
        if not call.ended.is_set():
            # Incomplete files are removed by then.
            try:
                await asyncio.wait_for(call.ended.wait(), GRACE)
            except asyncio.TimeoutError:
                pass
        raise


class _InThread(Call):
    def __init__(self) -> None:
        super().__init__()
        self.told: queue.SimpleQueue[Tuple[str, Any, Optional[BaseException]]] = queue.SimpleQueue()
        self.ended = False
        self.loop: Optional[_Loop] = None
        self.lock = threading.Lock()

    def event(self, event: Event) -> None:
        self.told.put(("event", event, None))

    def end(self, answer: Any, error: Optional[BaseException]) -> None:
        self.told.put(("end", answer, error))

    def submit(self, awaitable: Awaitable[T]) -> concurrent.futures.Future[T]:
        with self.lock:
            if self.loop is None:
                self.loop = _Loop()
        return self._submit_to(self.loop.loop, awaitable)

    def wait(self, listener: Optional[Listener]) -> Any:
        while True:
            try:
                # The timeout lets Ctrl-C interrupt the wait on every system.
                kind, answer, error = self.told.get(timeout=0.2)
            except queue.Empty:
                continue
            if kind == "event":
                if listener is not None:
                    listener(answer)
                continue
            self.ended = True
            if error is not None:
                raise error
            return answer

    def wait_for_end(self) -> None:
        try:
            while not self.ended:
                self.ended = self.told.get(timeout=GRACE)[0] == "end"
        except queue.Empty:
            pass


class _Loop:
    """An event loop in a thread, for asynchronous stages of a synchronous call."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, name="clipkit-loop", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.loop.run_forever()
            self.loop.run_until_complete(self._end())
        finally:
            self.loop.close()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.loop.shutdown_asyncgens()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(GRACE)


def block_on(start: Start, context: Optional[Context] = None, listener: Optional[Listener] = None) -> Any:
    """Does the work and waits for it in this thread.

    Ctrl-C, or a listener that raises, stops it.
    """
    call = _InThread()
    cx = _context(call, context, listener)
    try:
        work = start(call, cx)
        try:
            return call.wait(listener)
        except BaseException:
            work.cancel()
            call.wait_for_end()
            raise
    finally:
        if call.loop is not None:
            call.loop.close()


class Hosted:
    """One call of a Python stage, from a worker thread."""

    def __init__(self, call: Optional[Call]) -> None:
        self.call = call
        self.waiting: Optional[concurrent.futures.Future[Any]] = None

    def run(self, method: Callable[[Context, Any], Any], cx: Context, value: Any) -> Any:
        """Calls the method and waits for its answer where it is asynchronous."""
        try:
            return self._run(method, cx, value)
        except Exception as raised:
            # A stand-in or a retry may follow: then the traceback is in the log only.
            if not cx.cancelled:
                logging.getLogger("clipkit").info("%s raised in the %s stage", type(raised).__name__, cx.stage, exc_info=raised)
            raise

    def _run(self, method: Callable[[Context, Any], Any], cx: Context, value: Any) -> Any:
        if self.call is None:
            return method(cx, value)
        answer = self.call.variables.copy().run(method, cx, value)
        if not inspect.isawaitable(answer):
            return answer
        self.waiting = self.call.submit(answer)
        if cx.cancelled:
            self.waiting.cancel()
        return self.waiting.result()

    def cancel(self) -> None:
        """Cancels what the stage awaits. A synchronous method checks its context."""
        if self.waiting is not None:
            self.waiting.cancel()


#: Several calls in sequence: a generator yields the start of each call, receives its answer, and
#: returns the result.
Steps = Generator[Start, Any, T]


async def wait_for_all(steps: Steps[T], context: Optional[Context] = None) -> T:
    """Makes the calls in the running event loop."""
    answer = None
    while True:
        try:
            start = steps.send(answer)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        answer = await wait_for(start, context)


def block_on_all(steps: Steps[T], context: Optional[Context] = None) -> T:
    """Makes the calls in this thread."""
    answer = None
    while True:
        try:
            start = steps.send(answer)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        answer = block_on(start, context)
