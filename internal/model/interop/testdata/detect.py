#!/usr/bin/python3
"""Runs an exported checkpoint in torchvision and writes COCO results, to compare with `retinago eval`:

  retinago export -weights best.safetensors -to torchvision -out for_torchvision.safetensors
  detect.py for_torchvision.safetensors --arch resnet18 --gt val.json --images val --out results.json ...
  retinago eval -gt val.json -dt results.json
  retinago eval -weights best.safetensors -data val.json -images val

The options are what a state dict does not tell; `retinago export` prints them. Debian's python3-torchvision has all that
it needs.
"""
import argparse, json, struct
from functools import partial
import numpy as np
import torch
import torchvision
from PIL import Image
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.retinanet import RetinaNetHead
from torchvision.ops.feature_pyramid_network import LastLevelP6P7


class Anchors(AnchorGenerator):
    """Torchvision's anchors, or those of the paper."""

    def __init__(self, sizes, real, fixed):
        self.real, self.fixed = real, fixed
        each = [[s * k for k in (1, 2 ** (1 / 3), 2 ** (2 / 3))] for s in sizes]
        super().__init__(tuple(tuple(v if real else int(v) for v in s) for s in each), ((.5, 1., 2.),) * 5)

    def generate_anchors(self, scales, aspect_ratios, dtype=torch.float32, device='cpu'):
        if not self.real:
            return super().generate_anchors(scales, aspect_ratios, dtype, device)
        s, h = torch.tensor(scales, dtype=dtype), torch.tensor(aspect_ratios, dtype=dtype).sqrt()
        ws, hs = ((1 / h)[:, None] * s).view(-1), (h[:, None] * s).view(-1)
        return torch.stack([-ws, -hs, ws, hs], 1) / 2

    def forward(self, images, maps):
        if not self.fixed:
            return super().forward(images, maps)
        self.set_cell_anchors(torch.float32, torch.device('cpu'))
        grids = self.grid_anchors([m.shape[-2:] for m in maps], [[torch.tensor(8 << l)] * 2 for l in range(len(maps))])
        return [torch.cat(grids)] * len(images.image_sizes)


def load_safetensors(path):
    with open(path, 'rb') as f:
        n = struct.unpack('<Q', f.read(8))[0]
        header = json.loads(f.read(n))
        data = f.read()
    return {k: torch.from_numpy(np.frombuffer(data, '<f4', int(np.prod(v['shape'])), v['data_offsets'][0]).reshape(v['shape']).copy())
            for k, v in header.items() if k != '__metadata__'}


a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
a.add_argument('weights')
a.add_argument('--arch', default='resnet50')
a.add_argument('--p6', default='c5', choices=('c5', 'p5'))
a.add_argument('--sizes', type=float, nargs=5, default=(32, 64, 128, 256, 512), help='of anchors, times 1, 2^1/3 and 2^2/3')
a.add_argument('--real-sizes', action='store_true', help='sizes are not truncated and rounded (model.anchors.integer_sizes is false)')
a.add_argument('--fixed-strides', action='store_true', help='anchors are 8 to 128 px apart whatever the canvas (model.anchors.canvas_strides is false)')
a.add_argument('--divisible', type=int, default=32, help='data.canvas_multiple')
a.add_argument('--min-size', type=int, default=800)
a.add_argument('--max-size', type=int, default=1333)
a.add_argument('--score', type=float, default=.05)
a.add_argument('--dets', type=int, default=100)
a.add_argument('--gt', required=True)
a.add_argument('--images', required=True)
a.add_argument('--out', required=True)
a = a.parse_args()

state = load_safetensors(a.weights)
with open(a.gt) as f:
    gt = json.load(f)
ids = sorted(c['id'] for c in gt['categories'])
width = state['backbone.fpn.inner_blocks.0.0.weight'].shape[0]
c3, c4, c5 = (state[f'backbone.fpn.inner_blocks.{i}.0.weight'].shape[1] for i in range(3))
backbone = BackboneWithFPN(getattr(torchvision.models, a.arch)(weights=None), {'layer2': '0', 'layer3': '1', 'layer4': '2'}, [c3, c4, c5], width,
                           LastLevelP6P7(c5 if a.p6 == 'c5' else width, width))
norm = partial(torch.nn.GroupNorm, 32) if 'head.classification_head.conv.0.1.weight' in state else None
m = RetinaNet(backbone, num_classes=len(ids), min_size=a.min_size, max_size=a.max_size, anchor_generator=Anchors(a.sizes, a.real_sizes, a.fixed_strides),
              head=RetinaNetHead(width, 9, len(ids), norm_layer=norm), score_thresh=a.score, detections_per_img=a.dets)
m.transform.size_divisible = a.divisible
m.load_state_dict(state)
m.eval()
found = []
with torch.no_grad():
    for im in gt['images']:
        x = torch.from_numpy(np.array(Image.open(f"{a.images}/{im['file_name']}").convert('RGB'))).permute(2, 0, 1).float() / 255
        d = m([x])[0]
        for (x1, y1, x2, y2), s, l in zip(d['boxes'].tolist(), d['scores'].tolist(), d['labels'].tolist()):
            found.append(dict(image_id=im['id'], category_id=ids[l], bbox=[x1, y1, x2 - x1, y2 - y1], score=s))
with open(a.out, 'w') as f:
    json.dump(found, f)
print(f"{len(found)} detections on {len(gt['images'])} pictures")
