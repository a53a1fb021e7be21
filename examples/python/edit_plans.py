"""Plans clips, changes the plans, renders them: edit_plans.py VIDEO FOLDER"""

from __future__ import annotations

import asyncio
import json
import pathlib
import sys

import clipkit


async def main(video: str, out: pathlib.Path) -> None:
    # A draft has a quarter of the pixels and takes a quarter of the time.
    draft = clipkit.FfmpegRenderer.vertical(540, 960)
    pipeline = clipkit.Pipeline(renderer=draft, publisher=clipkit.Folder(out), clips=2, captions="karaoke")
    planned = await pipeline.plan_all(video)
    for ranked in planned.plans:
        # As objects ...
        plan = ranked.plan
        plan.title = f"{ranked.rank}: {plan.title}"
        plan.output.crf = 23
        if plan.captions is not None:
            plan.captions.style = clipkit.caption_style({"like": "pop", "highlight": "#ff5a36"})
        await clipkit.contact_sheet_async(plan, out.with_name(f"{out.name}-{ranked.rank}.png"))
    made = await pipeline.render_all(planned)

    # ... and as dicts, read from the plan files.
    path = made.clips[0].plan_path
    assert path is not None
    again = json.loads(path.read_text(encoding="utf-8"))
    again["title"] = "The first one, larger"
    again["output"]["crf"] = 18
    for clip in [*made.clips, *await pipeline.render_all([again])]:
        print(clip.path, clip.title)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], pathlib.Path(sys.argv[2])))
