"""PyTorch, training steps: train_torch.py ARCH FOLDER N SIDE REPEAT THREADS

torchvision's RetinaNet as `retinago bench speed -mode train` has it: frozen norms, stem and first group of blocks fixed,
channels-last, SGD, 5 objects a picture."""
import sys

import torch

import model
import tensors

arch, folder, n, side, repeat, threads = sys.argv[1:]
n, side = int(n), int(side)
torch.set_num_threads(int(threads))
m = model.load(arch, folder, frozen=True, trainable=3).to(memory_format=torch.channels_last).train()
m.transform.min_size, m.transform.max_size = (side,), side
batch = m.transform.batch_images  # puts the pictures of a list into one tensor
m.transform.batch_images = lambda *a, **k: batch(*a, **k).contiguous(memory_format=torch.channels_last)

g = torch.Generator().manual_seed(2)
pictures = [torch.rand(3, side, side, generator=g) for _ in range(n)]
targets = []
for _ in range(n):
    corner = torch.rand(5, 2, generator=g) * side * .6
    size = (.1 + .3 * torch.rand(5, 2, generator=g)) * side
    targets.append({"boxes": torch.cat([corner, corner + size], 1), "labels": torch.randint(0, model.CLASSES, (5,), generator=g)})
optimizer = torch.optim.SGD([p for p in m.parameters() if p.requires_grad], lr=0, momentum=.9, weight_decay=1e-4)


def step():
    optimizer.zero_grad(set_to_none=True)
    sum(m(pictures, targets).values()).backward()
    optimizer.step()


seconds, _ = tensors.clock(step, int(repeat))
tensors.report(seconds, tensors.peak_mb())
