"""One call into the crate, waited for in an event loop or in a thread, and the Python stages that are called back meanwhile.

Everything that the crate tells (events, the end) arrives on a thread of its own, which hands it over at once: to the loop, or to the thread
that waits. Callbacks of users run there, so they need no locks.
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
from ._errors import describe
from ._types import Event

T = TypeVar("T")
#: Starts the work of a call under a context.
Start = Callable[["Call", Context], _clipkit.Work]
Listener = Callable[[Event], object]

#: How long work that was told to stop may take to end before its caller goes on without it: as long as the crate takes at most.
GRACE = 1.0


class Call:
    """What the crate knows of a call."""

    def __init__(self) -> None:
        self.variables = contextvars.copy_context()

    def event(self, event: Event) -> None:
        """Is told of an event, on the crate's thread."""
        raise NotImplementedError

    def end(self, answer: Any, error: Optional[BaseException]) -> None:
        """Is told of the end, on the crate's thread."""
        raise NotImplementedError

    def submit(self, awaitable: Awaitable[T]) -> concurrent.futures.Future[T]:
        """Has an event loop run what a stage's asynchronous method answered."""
        raise NotImplementedError

    def _submit_to(self, loop: asyncio.AbstractEventLoop, awaitable: Awaitable[T]) -> concurrent.futures.Future[T]:
        async def wait() -> T:
            return await awaitable

        waiting = wait()
        try:
            # The task starts with the variables of the call, as one that the caller made would.
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
        #: Answered, failed, or ended by a listener that raised.
        self.answer: asyncio.Future[Any] = self.loop.create_future()
        self.ended = asyncio.Event()

    def _hand_over(self, callback: Callable[..., None], *arguments: Any) -> None:
        try:
            self.loop.call_soon_threadsafe(callback, *arguments, context=self.variables)
        except RuntimeError:
            # The loop is closed: nobody waits any more.
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
            # A future refuses it.
            self.answer.set_exception(RuntimeError("a stage raised StopIteration"))
        else:
            self.answer.set_exception(error)

    def submit(self, awaitable: Awaitable[T]) -> concurrent.futures.Future[T]:
        return self._submit_to(self.loop, awaitable)


async def wait_for(start: Start, context: Optional[Context] = None, listener: Optional[Listener] = None) -> Any:
    """Does the work in the running event loop. Cancelling the task, or a listener that raises, stops it."""
    call = _InLoop(listener)
    cx = Context(call.event) if context is None else context.child()
    work = start(call, cx)
    try:
        return await call.answer
    except BaseException:
        work.cancel()
        if not call.ended.is_set():
            # What was half made is removed by then.
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
                # Woken now and then, since not every system lets Ctrl-C interrupt a wait.
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
    """An event loop in a thread, for the asynchronous stages of a call that does not come from one."""

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
    """Does the work and waits for it in this thread. Ctrl-C, or a listener that raises, stops it."""
    call = _InThread()
    cx = Context(call.event) if context is None else context.child()
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
    """One call of a Python stage, made from a worker thread."""

    def __init__(self, call: Optional[Call]) -> None:
        self.call = call
        self.waiting: Optional[concurrent.futures.Future[Any]] = None

    def run(self, method: Callable[[Context, Any], Any], cx: Context, value: Any) -> Any:
        """Calls the method and, where it is asynchronous, waits for its answer."""
        try:
            return self._run(method, cx, value)
        except Exception as raised:
            # A pipeline goes on without these two: what happened would be seen nowhere else.
            if cx.stage in ("score", "track") and not cx.cancelled:
                level = logging.WARNING if describe(raised)["recovery"]["action"] == "give_up" else logging.INFO
                logging.getLogger("clipkit").log(level, "%s raised in the %s stage", type(raised).__name__, cx.stage, exc_info=raised)
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
        """Cancels what the stage awaits. A method that awaits nothing asks its context itself."""
        if self.waiting is not None:
            self.waiting.cancel()


#: Several calls, one after the other: a generator yields how each starts, is sent its answer, and returns what all of them make.
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
