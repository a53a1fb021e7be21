# Written by maturin from the compiled module (.ci/python types): do not edit.

import clipkit._types
from _typeshed import SupportsGetItem
from os import PathLike
from pathlib import Path
import typing
from typing import Any, SupportsFloat, SupportsIndex, final

__all__ = ["Context", "Frame", "Frames", "Pipeline", "Stage", "Work", "caption_style", "contact_sheet", "default_models", "fetch_model", "find_model", "find_speech", "models", "run_command", "set_onnx_library", "shut_down", "version"]

@final
class Context:
    """
    What a stage is given besides its input: cancellation, progress, warnings, scratch space.
    """
    def __new__(cls, /, on_event: typing.Callable[[clipkit._types.Event], object] | None = None, *, scratch_in: str | PathLike[str] | None = None, max_cost: SupportsFloat | SupportsIndex | None = None) -> Context:
        """
        A context; `on_event` is called with each event, on a thread of clipkit's, and must return soon. Temporary files go into the folder `scratch_in`, paid services
        may cost up to `max_cost` US dollars.
        """
    def budget_left(self, /) -> float | None:
        """
        What may still be spent, in US dollars; none where there is no budget.
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
        Raises `Cancelled` if someone asked to stop. Long loops call it once a turn.
        """
    def child(self, /) -> Context:
        """
        The same context, cancelled by itself, for a call's work.
        """
    @property
    def clip(self, /) -> int | None:
        """
        The clip it speaks for, from 1 in order of rank.
        """
    def progress(self, /, fraction: SupportsFloat | SupportsIndex) -> None:
        """
        Tells how far the stage is, 0 to 1.
        """
    @property
    def scratch(self, /) -> Path:
        """
        A folder for temporary files, removed when the run ends.
        """
    def spend(self, /, usage: Any) -> None:
        """
        Enters what was asked of a paid service.
        """
    @property
    def stage(self, /) -> str | None:
        """
        The stage it speaks for.
        """
    @property
    def threads(self, /) -> int:
        """
        How many threads one piece of work should use; 0 leaves it to each library.
        """
    def usage(self, /) -> list[clipkit._types.Usage]:
        """
        What was spent so far.
        """
    def waiting(self, /, seconds: SupportsFloat | SupportsIndex, reason: str) -> None:
        """
        Tells that the stage waits, for so many seconds, and why.
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
    A picture, or a part of one: red, green, blue, 0 to 255. Upright, with square pixels.
    """
    @property
    def __array_interface__(self, /) -> dict[str, Any]:
        """
        The picture for `numpy.asarray`, Pillow, PyTorch: rows, columns, colours. Read only, and it stays while somebody looks at it.
        """
    def __repr__(self, /) -> str: ...
    @property
    def at(self, /) -> float:
        """
        When it shows, in seconds of the source.
        """
    def crop(self, /, rect: Any) -> Frame:
        """
        A part of it, given as fractions of its width and height; the same memory. It has at least one pixel.
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
    The pictures of a stretch of video, in order. A thread of their own decodes them; it ends with this object.
    """
    def __iter__(self, /) -> Frames: ...
    def __new__(cls, /, cx: Context, media: Any, span: Any, options: Any) -> Frames: ...
    def __next__(self, /) -> Frame: ...

@final
class Pipeline:
    """
    Six stages and what is asked of them.
    """
    def __new__(cls, /, stages: SupportsGetItem[int, Stage], config: Any) -> Pipeline:
        """
        Stages, and a configuration for what they leave open.
        """
    def folder(self, /) -> Path | None:
        """
        The folder that a manifest's names are relative to, where the publisher has one.
        """
    def start_plan(self, /, call: Any, cx: Context, uri: Any) -> Work:
        """
        Plans clips of a video and makes none.
        """
    def start_render(self, /, call: Any, cx: Context, ranks: SupportsGetItem[int, SupportsIndex], plans: SupportsGetItem[int, Any]) -> Work:
        """
        Makes the clips that plans describe, each of its rank.
        """
    def start_run(self, /, call: Any, cx: Context, uri: Any) -> Work:
        """
        Makes clips of a video.
        """

@final
class Stage:
    """
    A stage: built in, a Python object, or either inside layers.
    """
    @staticmethod
    def built_in(name: str, options: Any, *, model: str | PathLike[str] | None = None, api_key: str | None = None) -> Stage:
        """
        A stage that the crate has, by its name there, with its options. Models are opened here.
        """
    @staticmethod
    def host(object: Any, method: str) -> Stage:
        """
        A Python object as a stage; `method` says of which kind.
        """
    def layer(self, /, layers: Any) -> Stage:
        """
        The stage inside layers, the first of them next to it.
        """
    def or_(self, /, other: Stage) -> Stage:
        """
        The stage, and another in its place where it fails.
        """
    def start(self, /, call: Any, cx: Context, input: Any) -> Work:
        """
        Does the stage's work for a call, under its context.
        """
    @staticmethod
    def start_config(call: Any, cx: Context, method: str, config: Any) -> Work:
        """
        The stage of a kind, by its method, that a pipeline's configuration describes. Built for a call, since it may download a model.
        """

@final
class Work:
    """
    Work that was started.
    """
    def cancel(self, /) -> None:
        """
        Asks it to stop; it ends within a second.
        """

def caption_style(given: Any) -> Any:
    """
    A caption style: a preset by its name, or what a description makes of one.
    """

def contact_sheet(call: Any, cx: Context, plan: Any, to: str | PathLike[str]) -> Work:
    """
    Draws a plan as a contact sheet into a PNG file.
    """

def default_models() -> tuple[str, str, str]:
    """
    The identifiers of the models that are taken where none is named: for faces, for voices, for speech.
    """

def fetch_model(call: Any, cx: Context, id_or_path: str, cache: str | PathLike[str] | None = None) -> Work:
    """
    Gets a model by its identifier, or a file of yours by its path.
    """

def find_model(id: str, cache: str | PathLike[str] | None = None) -> Path | None:
    """
    Where a model is on this machine.
    """

def find_speech(cache: str | PathLike[str] | None = None) -> Path | None:
    """
    Where a speech model's folder is on this machine.
    """

def models() -> list[tuple[str, str, str, int]]:
    """
    The models that clipkit knows: identifier, what it is, licence, size in bytes.
    """

def run_command(arguments: SupportsGetItem[int, str]) -> int:
    """
    Runs the command with these arguments, the program's name first, and answers its exit code.
    """

def set_onnx_library(path: str | PathLike[str]) -> None:
    """
    Sets the ONNX Runtime library: its file, or the folder that holds it.
    """

def shut_down() -> None:
    """
    Stops all that runs, and keeps our threads from the interpreter: it ends.
    """

def version() -> str:
    """
    The version of the crate.
    """
