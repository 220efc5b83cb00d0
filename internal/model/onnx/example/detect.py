#!/usr/bin/env python3
"""Detects objects with the ONNX model beside this file.

    pip install onnxruntime numpy pillow
    python3 THIS_FILE IMAGE [ANNOTATED_IMAGE]

Prints one line per object, best first: class, score, x1, y1, x2, y2 in pixels of the image, separated by tabs.
"""
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageDraw, ImageOps

MODEL = Path(__file__).with_name({{json .Model}})
CLASSES = {{json .Classes}}
SCORES = np.float32({{json .Scores}})  # the lowest score to report, by class
{{- if .Boxes}}
NMS_IOU = {{json .NMS}}  # above it, two boxes are of one object
MAX_DETECTIONS = {{.Max}}
{{- end}}
{{- if not .Preprocess}}
SHORT_SIDE, LONG_SIDE = {{.Short}}, {{.Long}}  # of an image on the canvas, in pixels; the long side is a bound
{{- if .H}}
CANVAS = {{.H}}, {{.W}}  # height, width
{{- else}}
MULTIPLE = {{.Multiple}}  # of the canvas's sides
{{- end}}
MEAN, STD = np.float32({{json .Mean}}), np.float32({{json .Std}})


def resized(height, width):
    """Returns the height and width of an image on the canvas. The scale is a float32, as in training."""

    def scale(side, have):
        return np.float32(1) / np.float32(have) * np.float32(side)

    scales = [scale(SHORT_SIDE, min(height, width)), scale(LONG_SIDE, max(height, width))]
    {{- if .H}}
    scales += [scale(CANVAS[0], height), scale(CANVAS[1], width)]
    {{- end}}
    s = float(min(scales))
    return max(int(height * s), 1), max(int(width * s), 1)


def neighbours(to, have):
    """Returns, for each of `to` pixels, the two nearest of `have` pixels and the weight of the second."""
    ratio = float(np.float32(have) / np.float32(to))
    x = np.maximum((np.arange(to) + 0.5) * ratio - 0.5, 0)
    first = np.minimum(x.astype(int), have - 1)
    return first, np.minimum(first + 1, have - 1), np.minimum(x - first, 1).astype(np.float32)


def prepare(pixels):
    """Scales pixels [h, w, 3] bilinearly, normalises them and puts them at the top left of a canvas of zeros.

    Returns the canvas [1, 3, H, W] and the image's height and width on it.
    """
    height, width = resized(*pixels.shape[:2])
    a, b, t = neighbours(height, pixels.shape[0])
    top = pixels[a].astype(np.float32)
    rows = top + t[:, None, None] * (pixels[b] - top)
    a, b, t = neighbours(width, pixels.shape[1])
    picture = rows[:, a] + t[:, None] * (rows[:, b] - rows[:, a])
    {{- if .H}}
    canvas = np.zeros((*CANVAS, 3), np.float32)
    {{- else}}
    canvas = np.zeros((-(-height // MULTIPLE) * MULTIPLE, -(-width // MULTIPLE) * MULTIPLE, 3), np.float32)
    {{- end}}
    canvas[:height, :width] = (picture / 255 - MEAN) / STD
    return canvas.transpose(2, 0, 1)[None], height, width
{{- end}}
{{- if .Boxes}}


def nms(boxes, scores, labels):
    """Returns the indices of the boxes that remain, best first: the best of those that overlap{{if not .Agnostic}}, in each class{{end}}."""
    order = np.argsort(-scores, kind="stable")
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    keep = []
    while len(order) and len(keep) < MAX_DETECTIONS:
        best, order = order[0], order[1:]
        keep.append(best)
        low = np.maximum(boxes[best, :2], boxes[order, :2])
        high = np.minimum(boxes[best, 2:], boxes[order, 2:])
        both = np.prod(np.maximum(high - low, 0), axis=1)
        iou = both / (area[best] + area[order] - both)
        order = order[{{if .Agnostic}}iou <= NMS_IOU{{else}}(iou <= NMS_IOU) | (labels[order] != labels[best]){{end}}]
    return keep
{{- end}}


def detect(session, picture):
    """Returns the boxes [n, 4] in pixels of an RGB image, their scores [n] and their classes [n] as indices of CLASSES."""
    pixels = np.asarray(picture)
    {{- if .Preprocess}}
    inputs = {"pictures": np.ascontiguousarray(pixels)[None]}
    {{- else}}
    canvas, height, width = prepare(pixels)
    inputs = {"images": np.ascontiguousarray(canvas)}
    {{- end}}
    {{- if .Boxes}}
    boxes, scores = (v[0] for v in session.run(["boxes", "scores"], inputs))
    rows, labels = np.nonzero(scores >= SCORES)
    boxes, scores = boxes[rows], scores[rows, labels]
    {{- else}}
    boxes, scores, labels = session.run(["boxes", "scores", "labels"], inputs)
    {{- end}}
    {{- if not .Preprocess}}
    boxes = boxes.clip(0, [width, height, width, height]) * ([picture.width / width, picture.height / height] * 2)
    {{- end}}
    keep = {{if not .Boxes}}(scores >= SCORES[labels]) & {{end}}(boxes[:, 2:] > boxes[:, :2]).all(axis=1)
    boxes, scores, labels = boxes[keep], scores[keep], labels[keep]
    {{- if .Boxes}}
    keep = nms(boxes, scores, labels)
    return boxes[keep], scores[keep], labels[keep]
    {{- else}}
    return boxes, scores, labels
    {{- end}}


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    picture = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGB")
    session = onnxruntime.InferenceSession(str(MODEL), providers=["CPUExecutionProvider"])
    annotated = picture.copy()
    draw = ImageDraw.Draw(annotated)
    for box, score, label in zip(*detect(session, picture)):
        print(CLASSES[label], f"{score:.4f}", *(f"{v:.2f}" for v in box), sep="\t")
        draw.rectangle([float(v) for v in box], outline="red", width=2)
        draw.text((float(box[0]) + 4, float(box[1]) + 2), f"{CLASSES[label]} {score:.2f}".encode("latin-1", "replace").decode("latin-1"), fill="red")
    if len(sys.argv) == 3:
        annotated.save(sys.argv[2])


if __name__ == "__main__":
    main()
