"""Notebook output: a clip's video beside the contact sheet of its plan."""

from __future__ import annotations

import base64
import html
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Optional

if TYPE_CHECKING:
    from ._made import ClipPlan, Manifest, ManifestClip

#: Larger files are linked instead of being put into the notebook.
LARGEST = 32 << 20


def of_clip(clip: ManifestClip) -> Dict[str, Any]:
    """A clip: its video, its plan's sheet, its title."""
    return {"text/plain": repr(clip), "text/html": _clip(clip)}


def of_manifest(manifest: Manifest) -> Dict[str, Any]:
    """All clips of a run."""
    return {"text/plain": repr(manifest), "text/html": "".join(_clip(clip) for clip in manifest.clips)}


def of_plan(plan: ClipPlan) -> Dict[str, Any]:
    """A plan: its sheet, where its source is at hand."""
    sheet = _sheet(plan)
    shown: Dict[str, Any] = {"text/plain": repr(plan)}
    if sheet is not None:
        shown["image/png"] = base64.b64encode(sheet).decode()
    return shown


def _clip(clip: ManifestClip) -> str:
    said = [
        f"<b>{html.escape(clip.title)}</b>",
        f"{clip.span.start:.1f} to {clip.span.end:.1f} s, score {clip.score.total:.0f}",
        html.escape(clip.reason),
        *(f"&#9888; {html.escape(warning.message)}" for warning in clip.warnings),
    ]
    shown = [_video(clip), f"<div>{'<br>'.join(said)}</div>"]
    try:
        sheet = _sheet(clip.read_plan())
    except (OSError, ValueError, TypeError):
        sheet = None
    if sheet is not None:
        shown.insert(1, f'<img style="max-height:480px" alt="plan" src="data:image/png;base64,{base64.b64encode(sheet).decode()}">')
    return f'<div style="display:flex;gap:1em;align-items:flex-start">{"".join(shown)}</div>'


def _video(clip: ManifestClip) -> str:
    path = clip.path
    if not isinstance(path, Path):
        return f'<a href="{html.escape(path)}">{html.escape(path)}</a>'
    try:
        if path.stat().st_size <= LARGEST:
            source = f"data:video/mp4;base64,{base64.b64encode(path.read_bytes()).decode()}"
        else:
            source = html.escape(path.resolve().as_uri())
    except OSError:
        return html.escape(f"{path} is gone")
    return f'<video controls style="max-height:480px" src="{source}"></video>'


def _sheet(plan: ClipPlan) -> Optional[bytes]:
    from ._errors import ClipkitError
    from ._tools import contact_sheet

    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder) / "sheet.png"
        try:
            contact_sheet(plan, to)
            return to.read_bytes()
        except (ClipkitError, OSError):
            # The source is gone; the rest can be shown.
            return None
