"""PyTorch on a GPU: gpu_torch.py train|infer eager|compile ARCH FOLDER N H W REPEAT DEVICE

torchvision's RetinaNet, channels-last, under autocast in bf16 (on the cpu in float32). A training step is from normalised pictures in
pinned memory, with frozen norms, stem and first group of blocks fixed, SGD and 5 objects a picture; inference from decoded pictures,
three quarters of the canvas, to boxes in the host's memory. compile is torch.compile of backbone and heads."""
import json
import sys
import time

import torch
from torchvision.models.detection.image_list import ImageList

import model
import tensors

kind, how, arch, folder, n, h, w, repeat, device = sys.argv[1:]
n, h, w, repeat = int(n), int(h), int(w), int(repeat)
on_gpu = device != "cpu"
if on_gpu:
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
wait = (lambda: torch.cuda.synchronize(device)) if on_gpu else (lambda: None)


class Prepared(torch.nn.Module):
    """In place of torchvision's preparation: the pictures are normalised and as large as the canvas."""

    def forward(self, images, targets=None):
        return ImageList(images, [(h, w)] * n), targets


class Widened(torch.nn.Module):
    """Heads whose outputs are float32: losses and boxes in bf16 would be coarse."""

    def __init__(self, head, run):
        super().__init__()
        self.head, self.run = head, run

    def forward(self, x):
        return {k: v.float() for k, v in self.run(x).items()}

    def compute_loss(self, *a):
        return self.head.compute_loss(*a)


def network():
    m = model.load(arch, folder, frozen=kind == "train", trainable=3).to(device, memory_format=torch.channels_last)
    run = m.head
    if how == "compile":
        if not hasattr(torch, "compile"):
            sys.exit(f"torch {torch.__version__} has no torch.compile")
        m.backbone, run = torch.compile(m.backbone), torch.compile(m.head)
    m.head = Widened(m.head, run)
    return m


def pinned(x):
    return x.pin_memory() if on_gpu else x


def autocast():
    return torch.autocast("cuda" if on_gpu else "cpu", dtype=torch.bfloat16, enabled=on_gpu)


def training():
    m, g = network().train(), torch.Generator().manual_seed(2)
    m.transform = Prepared()
    pictures = pinned(torch.randn(n, 3, h, w, generator=g).contiguous(memory_format=torch.channels_last))
    targets = []
    for _ in range(n):
        corner, size = torch.rand(5, 2, generator=g) * .6, .1 + .3 * torch.rand(5, 2, generator=g)
        boxes = torch.cat([corner, corner + size], 1) * torch.tensor([w, h, w, h])
        targets.append({"boxes": boxes.to(device), "labels": torch.randint(0, model.CLASSES, (5,), generator=g).to(device)})
    optimizer = torch.optim.SGD([p for p in m.parameters() if p.requires_grad], lr=0, momentum=.9, weight_decay=1e-4)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with autocast():
            loss = sum(m(pictures.to(device, non_blocking=True), targets).values())
        loss.backward()
        optimizer.step()
        wait()
    return step


def inference():
    m, g = network().eval(), torch.Generator().manual_seed(2)
    m.transform.min_size, m.transform.max_size = (min(h, w),), max(h, w)
    batch = m.transform.batch_images  # puts the pictures of a list into one tensor
    m.transform.batch_images = lambda *a, **k: batch(*a, **k).contiguous(memory_format=torch.channels_last)
    m.score_thresh, m.topk_candidates, m.nms_thresh, m.detections_per_img = 0, 1000, .5, 100
    pictures = [pinned(torch.randint(0, 256, (3, h * 3 // 4, w * 3 // 4), generator=g, dtype=torch.uint8)) for _ in range(n)]

    def detect():
        with torch.no_grad(), autocast():
            found = m([p.to(device, non_blocking=True).float() / 255 for p in pictures])
        return [{k: v.cpu() for k, v in f.items()} for f in found]
    return detect


def product(side=8192):
    """GFLOP/s of a product of matrices in bf16, the best of a few."""
    if not on_gpu:
        return 0
    a = torch.randn(side, side, device=device).bfloat16()
    best = 0
    for _ in range(5):
        wait()
        begin = time.perf_counter()
        for _ in range(10):
            a @ a
        wait()
        best = max(best, 10 * 2 * side ** 3 / (time.perf_counter() - begin))
    return best / 1e9


seconds, _ = tensors.clock(training() if kind == "train" else inference(), repeat)
peak = torch.cuda.max_memory_allocated(device) / 2 ** 20 if on_gpu else tensors.peak_mb()
print(json.dumps({"seconds": seconds, "peak_mb": peak, "product": product()}), flush=True)
