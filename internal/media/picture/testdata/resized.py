"""Writes what torchvision's detection transform makes of made-up pictures, a case per line of JSON.

    python3 picture/testdata/resized.py picture/testdata/resized.jsonl
    python3 picture/testdata/resized.py /tmp/resize.jsonl --cases 300 --seed 7

torchvision 0.14.1, torch 1.13.1. Byte i of a picture [H,W,3] is bits 16-23 of i*2654435761 + seed mod 2^32.
"""

import argparse
import json
import random

import numpy
import torch
from torchvision.models.detection.transform import GeneralizedRCNNTransform

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

parser = argparse.ArgumentParser()
parser.add_argument("out")
parser.add_argument("--cases", type=int, default=8)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--samples", type=int, default=60, help="numbers kept of each case")
args = parser.parse_args()

rng = random.Random(args.seed)
# Sizes and sides that matter: one pixel, one row, one column, unscaled, the sizes of cameras.
sizes = [(1, 1, 8, 8), (1, 9, 5, 40), (9, 1, 5, 40), (64, 48, 48, 64), (33, 31, 31, 33), (640, 480, 800, 1333), (2048, 1365, 800, 1333), (427, 640, 320, 512)]
while len(sizes) < args.cases:
    short = rng.randint(8, 900)
    w, h = rng.randint(1, 1500), rng.randint(1, 1500)
    if 20 * min(w, h) > max(w, h):  # torchvision fails where a side would be 0
        sizes.append((w, h, short, rng.randint(short, 2 * short)))

with open(args.out, "w") as f:
    for n, (w, h, short, long) in enumerate(sizes):
        flip = n % 2 == 1
        i = numpy.arange(h * w * 3, dtype=numpy.uint64)
        pix = (((i * numpy.uint64(2654435761) + numpy.uint64(n)) >> numpy.uint64(16)) & numpy.uint64(255)).astype(numpy.uint8).reshape(h, w, 3)
        image = torch.from_numpy(pix).permute(2, 0, 1).float() / 255
        if flip:
            image = image.flip(-1)
        out, _ = GeneralizedRCNNTransform(short, long, MEAN, STD)([image])
        rh, rw = out.image_sizes[0]
        flat = out.tensors[0, :, :rh, :rw].permute(1, 2, 0).reshape(-1)
        at = sorted(rng.sample(range(len(flat)), min(args.samples, len(flat))))
        case = {"w": w, "h": h, "short": short, "long": long, "seed": n, "flip": flip, "rw": rw, "rh": rh, "at": at, "want": [round(float(flat[k]), 7) for k in at]}
        f.write(json.dumps(case) + "\n")
