"""A face tracker of your own, with MediaPipe: mediapipe_faces.py VIDEO FOLDER

MediaPipe is no part of clipkit: `pip install mediapipe`. Its detector finds faces, this follows them from frame to frame.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

import clipkit


class MediaPipeFaces:
    """Follows faces by how much their boxes overlap from one look to the next."""

    def __init__(self, per_second: float = 5.0) -> None:
        self.per_second = per_second
        self.solutions: Any = importlib.import_module("mediapipe").solutions

    # Not asynchronous: it computes, so it runs in a thread of clipkit's.
    def track(self, cx: clipkit.Context, tracking: clipkit.Tracking) -> clipkit.Tracks:
        span, tracks = tracking.span, list[clipkit.FaceTrack]()
        with self.solutions.face_detection.FaceDetection(model_selection=1, min_detection_confidence=0.5) as detector:
            for frame in clipkit.frames(tracking.media, span, per_second=self.per_second, longest=640, context=cx):
                cx.progress((frame.at - span.start) / span.duration)
                for found in detector.process(clipkit.to_numpy(frame)).detections or []:
                    box = found.location_data.relative_bounding_box
                    rect = clipkit.Rect(box.xmin, box.ymin, box.width, box.height)
                    sample = clipkit.FaceSample(frame.at, rect, confidence=found.score[0], mouth=0.0)
                    self.follow(tracks, sample)
        return clipkit.Tracks(shots=[clipkit.Shot(span)], faces=tracks)

    def follow(self, tracks: list[clipkit.FaceTrack], sample: clipkit.FaceSample) -> None:
        recent = [track for track in tracks if sample.at - track.samples[-1].at < 3 / self.per_second]
        nearest = max(recent, key=lambda track: overlap(track.samples[-1].rect, sample.rect), default=None)
        if nearest is not None and nearest.samples[-1].at < sample.at and overlap(nearest.samples[-1].rect, sample.rect) > 0.3:
            nearest.samples.append(sample)
        else:
            tracks.append(clipkit.FaceTrack(len(tracks) + 1, [sample]))


def overlap(a: clipkit.Rect, b: clipkit.Rect) -> float:
    """The area shared, divided by the area of both together."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    shared = max(width, 0) * max(height, 0)
    return shared / (a.width * a.height + b.width * b.height - shared)


def main() -> None:
    os.environ.setdefault("GLOG_minloglevel", "2")
    try:
        faces = MediaPipeFaces()
    except ImportError as missing:
        sys.exit(f"this example needs MediaPipe, which is not installed here ({missing}): pip install mediapipe")
    video, out = sys.argv[1:]
    # Where MediaPipe fails, what moves is followed.
    tracker = clipkit.stage(faces).or_(clipkit.MotionTracker())
    for clip in clipkit.clip(video, out, tracker=tracker, clips=2):
        seen = clip.read_plan().faces
        print(clip.path, f"{len(seen)} faces followed", *(warning.message for warning in clip.warnings), sep="\n  ")


if __name__ == "__main__":
    main()
