"""What torchvision does around the network, from a JPEG to boxes: around_torch.py ARCH FOLDER H W REPEAT THREADS

Decoding, scaling and normalising before it, decoding of boxes and NMS after it; the network runs once, unmeasured."""
import sys
import time

import torch
from torchvision.io import read_image

import model
import tensors

arch, folder, h, w, repeat, threads = sys.argv[1:]
torch.set_num_threads(int(threads))
m = model.load(arch, folder)
m.transform.min_size, m.transform.max_size = (int(h),), int(w)


def before():
    x = read_image(f"{folder}/{h}x{w}/picture.jpg").float() / 255
    return tuple(x.shape[-2:]), m.transform([x])[0]


def after(size, images, maps, logits, deltas):
    anchors = m.anchor_generator(images, maps)
    counts = [9 * f.shape[2] * f.shape[3] for f in maps]
    outputs = {"cls_logits": logits.split(counts, 1), "bbox_regression": deltas.split(counts, 1)}
    found = m.postprocess_detections(outputs, [a.split(counts) for a in anchors], images.image_sizes)
    return m.transform.postprocess(found, images.image_sizes, [size])


with torch.no_grad():
    size, images = before()
    maps = list(m.backbone(images.tensors).values())
    out = m.head(maps)
    seconds = []
    for i in range(2 + int(repeat)):
        begin = time.perf_counter()
        size, images = before()
        after(size, images, maps, out["cls_logits"], out["bbox_regression"])
        if i >= 2:
            seconds.append(time.perf_counter() - begin)
tensors.report(seconds, tensors.peak_mb())
