"""What the programs run on.

    prepare.py weights ARCH FOLDER         ARCH.pth: seeded weights, batch norms with the statistics of noise
    prepare.py pictures ARCH FOLDER N H W  N_HxW.safetensors: the pictures, as images [N,H,W,3] and nchw [N,3,H,W];
                                           ARCH_N_HxW.safetensors: what PyTorch makes of them, logits and deltas
    prepare.py jpeg FOLDER H W             picture.jpg"""
import os
import sys

import numpy
import torch

import model
import tensors


def calibrate(m):
    """Gives batch norms statistics with which signals keep their size through the layers, as trained ones do."""
    norms = [x for x in m.modules() if isinstance(x, torch.nn.BatchNorm2d)]
    for x in norms:
        x.reset_running_stats()
        x.momentum = None  # the mean over all batches
    m.train()
    with torch.no_grad():
        for _ in range(3):
            m.backbone(torch.randn(2, 3, 128, 128))


def weights(arch, folder):
    torch.manual_seed(0)
    m = model.build(arch)
    calibrate(m)
    torch.save(m.state_dict(), f"{folder}/{arch}.pth")


def pictures(arch, folder, n, h, w):
    x = torch.randn(int(n), 3, int(h), int(w), generator=torch.Generator().manual_seed(1))
    tensors.save(f"{folder}/{n}_{h}x{w}.safetensors", {"images": x.permute(0, 2, 3, 1).contiguous().numpy(), "nchw": x.numpy()})
    with torch.no_grad():
        logits, deltas = model.Raw(model.load(arch, folder))(x)
    tensors.save(f"{folder}/{arch}_{n}_{h}x{w}.safetensors", {"logits": logits.numpy(), "deltas": deltas.numpy()})


def jpeg(folder, h, w):
    import cv2
    os.makedirs(folder, exist_ok=True)
    coarse = numpy.random.default_rng(0).integers(0, 255, (30, 30, 3), dtype=numpy.uint8)
    cv2.imwrite(f"{folder}/picture.jpg", cv2.resize(coarse, (int(w), int(h)), interpolation=cv2.INTER_CUBIC))


{"weights": weights, "pictures": pictures, "jpeg": jpeg}[sys.argv[1]](*sys.argv[2:])
