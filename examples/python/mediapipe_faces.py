"""A custom face tracker with MediaPipe: mediapipe_faces.py VIDEO FOLDER [MODEL]

MediaPipe is not part of clipkit: `pip install mediapipe`. Its detector finds faces, and this
tracker links them from frame to frame. Newer versions come without models: MODEL is MediaPipe's
`blaze_face_short_range.tflite`. Older versions (`pip install 'mediapipe<0.10.30'`) include it.
"""

from __future__ import annotations

import importlib
import os
import sys
import threading
from typing import Any, Callable

import clipkit


#: A face's box in a frame, and the detector's confidence.
Face = tuple[clipkit.Rect, float]


def detector(model: str | None) -> Callable[[Any], list[Face]]:
    """A function that finds the faces in a frame of rows, columns and RGB."""
    mediapipe: Any = importlib.import_module("mediapipe")
    if model is None and hasattr(mediapipe, "solutions"):
        bundled = mediapipe.solutions.face_detection.FaceDetection(model_selection=1, min_detection_confidence=0.5)

        def find_bundled(picture: Any) -> list[Face]:
            found = bundled.process(picture).detections or []
            boxes = [(face.location_data.relative_bounding_box, face.score[0]) for face in found]
            return [(clipkit.Rect(box.xmin, box.ymin, box.width, box.height), score) for box, score in boxes]

        return find_bundled
    if model is None:
        raise ImportError("this version has no model: give the file of one")
    tasks: Any = importlib.import_module("mediapipe.tasks.python")
    loaded = tasks.vision.FaceDetector.create_from_model_path(model)

    def find(picture: Any) -> list[Face]:
        height, width, _ = picture.shape
        # MediaPipe needs writable memory.
        found = loaded.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture.copy())).detections
        boxes = [(face.bounding_box, face.categories[0].score) for face in found]
        return [(clipkit.Rect(box.origin_x / width, box.origin_y / height, box.width / width, box.height / height), score) for box, score in boxes]

    return find


class MediaPipeFaces:
    """Links faces whose boxes overlap from one frame to the next."""

    def __init__(self, model: str | None = None, per_second: float = 5.0) -> None:
        self.find = detector(model)
        self.per_second = per_second
        # Clips are tracked concurrently, and a detector is not thread-safe.
        self.lock = threading.Lock()

    # A synchronous method: it computes, so clipkit calls it in a thread.
    def track(self, cx: clipkit.Context, tracking: clipkit.Tracking) -> clipkit.Tracks:
        span = tracking.span
        tracks: list[clipkit.FaceTrack] = []
        for frame in clipkit.frames(tracking.media, span, per_second=self.per_second, longest=640, context=cx):
            cx.progress((frame.at - span.start) / span.duration)
            with self.lock:
                faces = self.find(clipkit.to_numpy(frame))
            for rect, confidence in faces:
                self.follow(tracks, clipkit.FaceSample(frame.at, rect, confidence, mouth=0.0))
        return clipkit.Tracks(shots=[clipkit.Shot(span)], faces=tracks)

    def follow(self, tracks: list[clipkit.FaceTrack], sample: clipkit.FaceSample) -> None:
        recent = [track for track in tracks if sample.at - track.samples[-1].at < 3 / self.per_second]
        nearest = max(recent, key=lambda track: overlap(track.samples[-1].rect, sample.rect), default=None)
        if nearest is not None and nearest.samples[-1].at < sample.at and overlap(nearest.samples[-1].rect, sample.rect) > 0.3:
            nearest.samples.append(sample)
        else:
            tracks.append(clipkit.FaceTrack(len(tracks) + 1, [sample]))


def overlap(a: clipkit.Rect, b: clipkit.Rect) -> float:
    """Intersection over union."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    shared = max(width, 0) * max(height, 0)
    return shared / (a.width * a.height + b.width * b.height - shared)


def main() -> None:
    os.environ.setdefault("GLOG_minloglevel", "2")
    video, out, *model = sys.argv[1:]
    try:
        faces = MediaPipeFaces(model[0] if model else None)
    except ImportError as missing:
        sys.exit(f"this example needs MediaPipe and a model ({missing}): pip install 'mediapipe<0.10.30'")
    # Where MediaPipe fails, the crop follows motion.
    tracker = clipkit.stage(faces).or_(clipkit.MotionTracker())
    for clip in clipkit.clip(video, out, tracker=tracker, clips=2):
        seen = clip.read_plan().faces
        print(clip.path, f"{len(seen)} faces followed", *(warning.message for warning in clip.warnings), sep="\n  ")


if __name__ == "__main__":
    main()
