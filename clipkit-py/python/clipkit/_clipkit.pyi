# Written by maturin from the compiled module (.ci/python types): do not edit.

import clipkit._types
from _typeshed import SupportsGetItem, SupportsLenAndGetItem
from os import PathLike
from pathlib import Path
import typing
from typing import Any, SupportsFloat, SupportsIndex, final

__all__ = ["Context", "Frame", "Frames", "Jobs", "Pipeline", "Stage", "Work", "caption_style", "contact_sheet", "default_models", "doctor", "edit", "exception", "export", "fetch_model", "find_model", "find_speech", "models", "plan_json", "preview", "run_command", "set_onnx_library", "shut_down", "version"]

@final
class Context:
    """
    What a stage is given besides its input: cancellation, progress, warnings, scratch space.
    """
    def __new__(cls, /, on_event: typing.Callable[[clipkit._types.Event], object] | None = None, *, scratch_in: str | PathLike[str] | None = None, max_cost: SupportsFloat | SupportsIndex | None = None, limits: "clipkit._types.Limits | None" = None) -> Context:
        """
        A context. `on_event` is called with each event, on a thread of clipkit's, and must return
        quickly. Temporary files are made in the folder `scratch_in`. Paid services may cost up to
        `max_cost` US dollars. `limits` says how large inputs may be: `"strict"` for services, or a
        dict such as `{"like": "strict", "media_secs": 7200}`.
        """
    def budget_left(self, /) -> float | None:
        """
        The budget that is left, in US dollars. `None` means no limit.
        """
    def cancel(self, /) -> None:
        """
        Asks everything that runs under this context to stop.
        """
    @property
    def cancelled(self, /) -> bool:
        """
        Whether someone asked to stop.
        """
    def check(self, /) -> None:
        """
        Raises `Cancelled` if someone asked to stop. Call it in each turn of a long loop.
        """
    def child(self, /) -> Context:
        """
        The same context for one call, which can be cancelled on its own.
        """
    @property
    def clip(self, /) -> int | None:
        """
        The rank of the clip that the context belongs to, from 1.
        """
    def for_clip(self, /, rank: SupportsIndex) -> Context:
        """
        The same context for the clip of a rank, from 1: its events and warnings name the clip.
        """
    @property
    def idempotency_key(self, /) -> str | None:
        """
        Names the publication that a publisher is called for: a hash of the clip, the target and the
        account. `None` outside of `publish`.
        """
    def locate(self, /, media: Any) -> Path:
        """
        The local file of the media that a plan or a manifest names. Raises `NotFoundError` where it
        is not on this machine.
        """
    def progress(self, /, fraction: SupportsFloat | SupportsIndex) -> None:
        """
        Reports the stage's progress, 0 to 1.
        """
    @property
    def scratch(self, /) -> Path:
        """
        A folder for temporary files. It is removed with the context.
        """
    def spend(self, /, usage: Any) -> None:
        """
        Records the use of a paid service.
        """
    @property
    def stage(self, /) -> str | None:
        """
        The stage that the context belongs to.
        """
    @property
    def threads(self, /) -> int:
        """
        How many threads one call should use. 0 leaves the number to each library.
        """
    def usage(self, /) -> list[clipkit._types.Usage]:
        """
        What was spent so far.
        """
    def waiting(self, /, seconds: SupportsFloat | SupportsIndex, reason: str) -> None:
        """
        Reports that the stage waits for `seconds`, and why.
        """
    def warn(self, /, message: str) -> None:
        """
        Leaves a warning in the result, the log and the progress stream.
        """
    def warnings(self, /) -> list[clipkit._types.Warning]:
        """
        The warnings left so far.
        """

@final
class Frame:
    """
    A frame, or a part of one: rows of RGB pixels, 0 to 255, upright, with square pixels.
    """
    @property
    def __array_interface__(self, /) -> dict[str, Any]:
        """
        NumPy's array interface: rows, columns, RGB. Read-only; an array keeps the frame's memory
        alive.
        """
    def __repr__(self, /) -> str: ...
    @property
    def at(self, /) -> float:
        """
        Its presentation time, in seconds of the source.
        """
    def crop(self, /, rect: Any) -> Frame:
        """
        A part of the frame, at least one pixel, without a copy. `rect` is in fractions of the
        frame's width and height.
        """
    @property
    def height(self, /) -> int:
        """
        Rows.
        """
    @property
    def width(self, /) -> int:
        """
        Columns.
        """

@final
class Frames:
    """
    The frames of a span, in order. A thread decodes them; it ends with this object.
    """
    def __iter__(self, /) -> Frames: ...
    def __new__(cls, /, cx: Context, media: Any, span: Any, options: Any) -> Frames: ...
    def __next__(self, /) -> Frame: ...

@final
class Jobs:
    """
    Jobs in a queue.
    """
    def start_cancel(self, /, call: Any, cx: Context, id: Any) -> Work:
        """
        Cancels a job.
        """
    def start_clips(self, /, call: Any, cx: Context, id: Any) -> Work:
        """
        The clips of a job.
        """
    def start_dead_letters(self, /, call: Any, cx: Context) -> Work:
        """
        The dead letters.
        """
    def start_discard(self, /, call: Any, cx: Context, task: Any) -> Work:
        """
        Removes a dead letter.
        """
    def start_edit_clip(self, /, call: Any, cx: Context, id: Any, rank: SupportsIndex, ops: Any, dry_run: bool) -> Work:
        """
        Changes the plan of a clip, or says what would change. The answer is the plan and the
        changes.
        """
    def start_events(self, /, call: Any, cx: Context, id: Any, since: SupportsIndex) -> Work:
        """
        The events of a job after a number.
        """
    def start_get(self, /, call: Any, cx: Context, id: Any) -> Work:
        """
        A job, or `None`.
        """
    def start_link(self, /, call: Any, cx: Context, id: Any, rank: SupportsIndex, valid: SupportsFloat | SupportsIndex | None) -> Work:
        """
        A signed link to a clip in an object store. `valid` is in seconds.
        """
    def start_list(self, /, call: Any, cx: Context, filter: Any) -> Work:
        """
        The jobs that match, the newest first.
        """
    @staticmethod
    def start_open(call: Any, cx: Context, db: str | PathLike[str], options: Any) -> Work:
        """
        Opens the jobs in a file.
        """
    def start_pause(self, /, call: Any, cx: Context, queue: str) -> Work:
        """
        Stops a queue.
        """
    @staticmethod
    def start_redis(call: Any, cx: Context, url: str, folder: str | PathLike[str], prefix: str | None, options: Any) -> Work:
        """
        Opens the jobs in a Redis.
        """
    def start_remove(self, /, call: Any, cx: Context, id: Any) -> Work:
        """
        Removes a job that has ended.
        """
    def start_replay(self, /, call: Any, cx: Context, task: Any) -> Work:
        """
        Runs a dead letter again.
        """
    def start_resume(self, /, call: Any, cx: Context, queue: str) -> Work:
        """
        Lets a paused queue go on.
        """
    def start_retry(self, /, call: Any, cx: Context, id: Any) -> Work:
        """
        Runs the failed and cancelled steps of a job again.
        """
    def start_submit(self, /, call: Any, cx: Context, job: Any) -> Work:
        """
        Submits a job; the answer is its id.
        """
    def start_work(self, /, call: Any, cx: Context, options: Any, stages: SupportsGetItem[int, tuple[str, Stage]]) -> Work:
        """
        Works until it is cancelled, in order: running steps end or are handed back. `stages` are
        custom stages with their names.
        """

@final
class Pipeline:
    """
    Six stages and their options.
    """
    def __new__(cls, /, stages: SupportsGetItem[int, Stage], config: Any) -> Pipeline:
        """
        A pipeline of these stages. The configuration says what the other stages and the options
        are.
        """
    def staging(self, /) -> Path | None:
        """
        The folder that the names in a manifest are relative to.
        """
    def start_choose(self, /, call: Any, cx: Context, media: Any, transcript: Any) -> Work:
        """
        The step `choose`.
        """
    def start_fetch(self, /, call: Any, cx: Context, uri: Any) -> Work:
        """
        The step `fetch`.
        """
    def start_listen(self, /, call: Any, cx: Context, media: Any) -> Work:
        """
        The step `listen`.
        """
    def start_plan(self, /, call: Any, cx: Context, known: SupportsLenAndGetItem[Any]) -> Work:
        """
        The step `plan`; `known` holds the media, the transcript, the candidate and the tracks.
        """
    def start_plan_all(self, /, call: Any, cx: Context, uri: Any) -> Work:
        """
        Plans clips of a video.
        """
    def start_plan_whole(self, /, call: Any, cx: Context, uri: Any, picture: Any) -> Work:
        """
        Plans a whole video as one clip.
        """
    def start_publish(self, /, call: Any, cx: Context, post: Any) -> Work:
        """
        The step `publish`, to the pipeline's one target.
        """
    def start_publish_to(self, /, call: Any, cx: Context, target: Any, post: Any) -> Work:
        """
        The step `publish`, to one of the pipeline's targets.
        """
    def start_render(self, /, call: Any, cx: Context, plan: Any) -> Work:
        """
        The step `render`.
        """
    def start_render_all(self, /, call: Any, cx: Context, ranks: SupportsGetItem[int, SupportsIndex], plans: SupportsGetItem[int, Any]) -> Work:
        """
        Renders plans, each with its rank, and publishes the clips.
        """
    def start_render_post(self, /, call: Any, cx: Context, rank: SupportsIndex, plan: Any) -> Work:
        """
        The step `render`, answering the clip's post.
        """
    def start_run(self, /, call: Any, cx: Context, uri: Any) -> Work:
        """
        Makes clips of a video and publishes them.
        """
    def start_targets(self, /, call: Any, cx: Context) -> Work:
        """
        Where the pipeline publishes.
        """
    def start_track(self, /, call: Any, cx: Context, media: Any, span: Any) -> Work:
        """
        The step `track`.
        """
    def start_transcribe(self, /, call: Any, cx: Context, media: Any) -> Work:
        """
        The step `transcribe`.
        """

@final
class Stage:
    """
    A stage: built in, a Python object, or either inside layers.
    """
    @staticmethod
    def built_in(name: str, options: Any) -> Stage:
        """
        A built-in stage without a model, by the name of its type, with its options.
        """
    @staticmethod
    def host(object: Any, kind: Any) -> Stage:
        """
        A Python object as a stage of a kind.
        """
    def layer(self, /, layers: Any) -> Stage:
        """
        The stage inside layers. The first layer is the innermost.
        """
    def or_(self, /, other: Stage) -> Stage:
        """
        The stage, with another one as its fallback.
        """
    @staticmethod
    def publisher(config: Any) -> Stage:
        """
        The publisher that a configuration describes.
        """
    def start(self, /, call: Any, cx: Context, input: Any) -> Work:
        """
        Calls the stage with its input.
        """
    @staticmethod
    def start_built_in(call: Any, cx: Context, name: str, options: Any) -> Work:
        """
        Opens a built-in stage that has a model, by the name of its type, with its options.
        """
    @staticmethod
    def start_config(call: Any, cx: Context, kind: Any, config: Any) -> Work:
        """
        Builds the stage of a kind that a pipeline's configuration describes. A model may be
        downloaded.
        """

@final
class Work:
    """
    Work that runs.
    """
    def cancel(self, /) -> None:
        """
        Asks it to stop; it ends within a second.
        """

def caption_style(given: Any) -> Any:
    """
    A caption style: a preset by its name, or a style described relative to one.
    """

def contact_sheet(call: Any, cx: Context, plan: Any, to: str | PathLike[str]) -> Work:
    """
    Draws a plan as a contact sheet into a PNG file.
    """

def default_models() -> tuple[str, str, str]:
    """
    The identifiers of the default models: face detector, voice detector, speech recognition.
    """

def doctor() -> Any:
    """
    What of the things that clipkit can use is on this machine, and what each lack costs.
    """

def edit(plan: Any, ops: Any, transcript: Any | None = None, speech: Any | None = None) -> tuple[Any, Any]:
    """
    Applies operations to a plan. Returns the plan and what changed.
    """

def exception(report: Any) -> Any:
    """
    The exception that a report describes.
    """

def export(call: Any, cx: Context, plans: SupportsGetItem[int, Any], format: str, options: Any, to: str | PathLike[str] | None = None) -> Work:
    """
    Writes plans in a format. Returns the text, or nothing where it went to a file.
    """

def fetch_model(call: Any, cx: Context, id_or_path: str, cache: str | PathLike[str] | None = None) -> Work:
    """
    Resolves a model's identifier, downloading the model if it is missing, or a path.
    """

def find_model(id: str, cache: str | PathLike[str] | None = None) -> Path | None:
    """
    The local path of a model. `None` where it is not downloaded.
    """

def find_speech(cache: str | PathLike[str] | None = None) -> Path | None:
    """
    The local folder of a speech model. `None` where there is none.
    """

def models() -> list[tuple[str, str, str, int]]:
    """
    The known models: identifier, description, licence, size in bytes.
    """

def plan_json(plan: Any) -> str:
    """
    A plan as JSON, as every part of clipkit writes it. It is not validated: an unfinished plan can be
    saved.
    """

def preview(call: Any, cx: Context, plan: Any, to: str | PathLike[str]) -> Work:
    """
    Writes a preview of a plan: a draft or a sheet of frames.
    """

def run_command(arguments: SupportsGetItem[int, str]) -> int:
    """
    Runs the `clipkit` command. The first argument is the program's name; returns the exit code.
    """

def set_onnx_library(path: str | PathLike[str]) -> None:
    """
    Sets the ONNX Runtime library: its file, or the folder that holds it.
    """

def shut_down() -> None:
    """
    Cancels running calls and detaches all threads of this module from the interpreter, which ends.
    """

def version() -> str:
    """
    The version of the crate.
    """
