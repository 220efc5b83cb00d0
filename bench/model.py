"""The network that every program runs: torchvision's RetinaNet with 80 classes and 9 anchors, weights from a seed.

    model.py resnet50 FOLDER   writes FOLDER/resnet50.pth

Batch norms get the statistics of noise, so that signals keep their size through the layers as in a trained network."""
import json
import resource
import struct
import sys
import time

import numpy
import torch
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.ops.feature_pyramid_network import LastLevelP6P7
from torchvision.ops.misc import FrozenBatchNorm2d

CLASSES, ANCHORS = 80, 9


def build(arch, frozen=False, trainable=5):
    norm = FrozenBatchNorm2d if frozen else torch.nn.BatchNorm2d
    body = resnet_fpn_backbone(backbone_name=arch, weights=None, norm_layer=norm, trainable_layers=trainable,
                               extra_blocks=LastLevelP6P7(256, 256), returned_layers=[2, 3, 4])
    return RetinaNet(body, num_classes=CLASSES)


def load(arch, folder, **options):
    m = build(arch, **options)
    state = torch.load(f"{folder}/{arch}.pth")
    if options.get("frozen"):
        state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    m.load_state_dict(state)
    return m.eval()


class Raw(torch.nn.Module):
    """From pictures [N,3,H,W] to logits [N,anchors,80] and deltas [N,anchors,4]."""

    def __init__(self, m):
        super().__init__()
        self.backbone, self.head = m.backbone, m.head

    def forward(self, x):
        out = self.head(list(self.backbone(x).values()))
        return out["cls_logits"], out["bbox_regression"]


def picture(n, h, w):
    """Noise [N,3,H,W], as a normalised picture."""
    return torch.randn(n, 3, h, w, generator=torch.Generator().manual_seed(1))


def clock(run, warmup, repeat):
    for _ in range(warmup):
        run()
    seconds = []
    for _ in range(repeat):
        begin = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - begin)
    return seconds


def report(**fields):
    """Prints the measurement as one line of JSON."""
    fields["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(fields), flush=True)


def save_tensors(path, tensors):
    """Writes float32 arrays as safetensors: a length, a JSON header, the data."""
    header, at = {}, 0
    for name, a in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(a.shape), "data_offsets": [at, at + a.nbytes]}
        at += a.nbytes
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for a in tensors.values():
            f.write(numpy.ascontiguousarray(a, "<f4").tobytes())


def load_tensors(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    header.pop("__metadata__", None)
    return {name: numpy.frombuffer(data[e["data_offsets"][0]:e["data_offsets"][1]], "<f4").reshape(e["shape"]) for name, e in header.items()}


def calibrate(m):
    norms = [x for x in m.modules() if isinstance(x, torch.nn.BatchNorm2d)]
    for x in norms:
        x.reset_running_stats()
        x.momentum = None  # the mean over all batches
    m.train()
    with torch.no_grad():
        for _ in range(3):
            m.backbone(torch.randn(2, 3, 128, 128))


if __name__ == "__main__":
    arch, folder = sys.argv[1:]
    torch.manual_seed(0)
    m = build(arch)
    calibrate(m)
    torch.save(m.state_dict(), f"{folder}/{arch}.pth")
