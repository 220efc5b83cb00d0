#!/usr/bin/python3
"""What torchvision's RetinaNet computes, for the tests that $RETINAGO_TORCHVISION turns on.

  reference.py make OUT [--arch resnet18|resnet50] [--v2] [--classes 80] [--sides 800 1333] [--pictures FILE...]
      of seeded weights: weights.pth, weights.safetensors; of two made-up pictures every stage, losses and gradients, in float32 and float64
      (files *_f64); of small ones the gradients in float64; of the pictures the detections.
  reference.py pictures OUT [--sides 800 1333] --pictures FILE...
      the detections alone.
  reference.py trained OUT --weights FILE [--arch resnet18|resnet50] [--v2] [--classes 80] [--sides 800 1333] --pictures FILE...
      weights.pth of what `retinago weights export -to torchvision` wrote, and the detections.
  reference.py units OUT
      gradients in float64 with the units active, and the pixels pooled, that were in retinago: reads
      units_TAG.safetensors, which the test writes, and writes grads_TAG_units.safetensors.

Debian's python3-torchvision has all that it needs. Set OMP_NUM_THREADS to the number of cores.
"""
import argparse, json, os, struct
import numpy as np
import torch, torchvision
from functools import partial
from PIL import Image
from torch.nn import functional as F
from torchvision.models.detection import RetinaNet, retinanet
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

TAGS = {'evalbn': False, 'bntrain': True}  # whether norms take the batch's statistics
SIZES = [(160, 224), (200, 150)]
SMALL, SMALL_SIZE = 4, (64, 96)  # so few units that in float32 and float64 often the same are active


def build(arch, v2, classes, min_size, max_size):
    backbone = resnet_fpn_backbone(backbone_name=arch, weights=None, norm_layer=torch.nn.BatchNorm2d, trainable_layers=5,
                                   returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7((2048 if arch == 'resnet50' else 512) if v2 else 256, 256))
    options = dict(num_classes=classes, min_size=min_size, max_size=max_size)
    if v2:
        anchors = retinanet._default_anchorgen()
        head = retinanet.RetinaNetHead(256, anchors.num_anchors_per_location()[0], classes, norm_layer=partial(torch.nn.GroupNorm, 32))
        head.regression_head._loss_type = 'giou'
        options.update(anchor_generator=anchors, head=head)
    return RetinaNet(backbone, **options)


def picture(g, h, w):
    """A smooth random field with noise, in [0,1]."""
    x = sum(F.interpolate(torch.randn(1, 3, k, k, generator=g), size=(h, w), mode='bilinear', align_corners=False) * s for k, s in ((2, .25), (6, .18), (20, .1)))[0]
    return (.45 + x + .04 * torch.randn(3, h, w, generator=g)).clamp(0, 1)


@torch.no_grad()
def seed(m, g, pictures):
    """Weights whose signals neither die nor grow on the pictures, and whose heads find a few hundred objects in each. The
    largest logits are near 4, as those of trained detectors: their rounding errors are a score's."""
    rn = lambda *s: torch.randn(*s, generator=g)
    last = 'bn3' if hasattr(m.backbone.body.layer1[0], 'bn3') else 'bn2'
    for name, p in m.named_modules():
        if isinstance(p, torch.nn.BatchNorm2d):
            p.weight.copy_((1 + .2 * rn(*p.weight.shape)) * (.4 if name.endswith(last) else 1))
            p.bias.copy_(.1 * rn(*p.bias.shape))
            p.reset_running_stats()
            p.momentum = None
        elif isinstance(p, torch.nn.GroupNorm):
            p.weight.copy_(1 + .2 * rn(*p.weight.shape))
            p.bias.copy_(.1 * rn(*p.bias.shape))
        elif isinstance(p, torch.nn.Conv2d):
            p.weight.copy_(rn(*p.weight.shape) * (2 / (p.weight[0].numel())) ** .5)
            if p.bias is not None:
                p.bias.copy_(.05 * rn(*p.bias.shape))
    m.train()
    m.transform.training = False
    batches = [m.transform(pictures[i:i + 2])[0].tensors for i in range(0, len(pictures), 2)]
    for x in batches:
        m.backbone(x)
    for p in m.modules():
        if isinstance(p, torch.nn.BatchNorm2d):
            p.momentum = .1
    m.eval()
    heads = [m.head(list(m.backbone(x).values())) for x in batches]
    for conv, name, mean, std in ((m.head.classification_head.cls_logits, 'cls_logits', -4, .5), (m.head.regression_head.bbox_reg, 'bbox_regression', 0, .25)):
        values = torch.cat([h[name].flatten() for h in heads])
        s = std / values.std()
        conv.weight.mul_(s)
        conv.bias.mul_(s).add_(mean - values.mean() * s)


def objects(g, classes, sizes):
    out = []
    for h, w in sizes:
        xy = torch.rand(5, 2, generator=g) * torch.tensor([w * .6, h * .6])
        wh = (.1 + .4 * torch.rand(5, 2, generator=g)) * torch.tensor([w, h])
        out.append(dict(boxes=torch.cat([xy, torch.minimum(xy + wh, torch.tensor([float(w), float(h)]))], 1), labels=torch.randint(0, classes, (5,), generator=g)))
    return out


def save_safetensors(path, tensors):
    header, at = {}, 0
    for k, v in tensors.items():
        n = v.numel() * v.element_size()
        header[k] = dict(dtype={torch.float32: 'F32', torch.float64: 'F64', torch.int64: 'I64'}[v.dtype], shape=list(v.shape), data_offsets=[at, at + n])
        at += n
    text = json.dumps(header).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(text)) + text)
        for v in tensors.values():
            f.write(np.ascontiguousarray(v.detach().numpy()).tobytes())


def load_safetensors(path):
    with open(path, 'rb') as f:
        n = struct.unpack('<Q', f.read(8))[0]
        header = json.loads(f.read(n))
        data = f.read()
    return {k: torch.from_numpy(np.frombuffer(data, '<f4', int(np.prod(v['shape'])), v['data_offsets'][0]).reshape(v['shape']).copy())
            for k, v in header.items() if k != '__metadata__'}


def load(path):
    return torch.from_numpy(np.array(Image.open(path).convert('RGB'))).permute(2, 0, 1).float() / 255


class Case:
    """One model with its pictures and objects, in one precision."""

    def __init__(self, out, args, dtype, sizes=SIZES, sides=(192, 256), number=None):
        self.out, self.suffix = out, '_f64' if dtype == torch.float64 else ''
        self.model = build(args['arch'], args['v2'], args['classes'], *sides)
        self.model.load_state_dict(torch.load(out + '/weights.pth'))
        self.model.to(dtype)
        self.model.transform.training = False
        g = torch.Generator().manual_seed(number or args['number'])
        self.images = [picture(g, *s).to(dtype) for s in sizes]
        self.targets = [dict(boxes=t['boxes'].to(dtype), labels=t['labels']) for t in objects(g, args['classes'], sizes)]

    def save(self, name, t):
        np.save(f'{self.out}/{name}{self.suffix}.npy', np.ascontiguousarray(t.detach().numpy()))

    def forward(self):
        m = self.model
        images, targets = m.transform(self.images, [{k: v.clone() for k, v in t.items()} for t in self.targets])
        body = m.backbone.body(images.tensors)
        levels = list(m.backbone.fpn(body).values())
        return images, targets, body, levels, m.head(levels)

    @torch.no_grad()
    def stages(self):
        self.model.eval()
        images, targets, body, levels, head = self.forward()
        self.save('batch', images.tensors)
        for name, v in zip(('C3', 'C4', 'C5', 'P3', 'P4', 'P5', 'P6', 'P7'), [*body.values(), *levels]):
            self.save(name, v)
        self.save('cls_logits', head['cls_logits'])
        self.save('bbox_regression', head['bbox_regression'])
        self.save('anchors', self.model.anchor_generator(images, levels)[0])
        for i, (image, t) in enumerate(zip(self.images, targets)):
            self.save(f'image{i}', image)
            self.save(f'gt{i}_boxes_resized', t['boxes'])
            self.save(f'gt{i}_labels', t['labels'])
        for i, d in enumerate(self.model(self.images)):
            for k, v in d.items():
                self.save(f'det{i}_{k}', v)
        return [list(s) for s in images.image_sizes]

    def kinks(self, tag):
        """How far the gradient by the head's outputs jumps where these change as by rounding. A predicted edge that meets its
        object's has none, and nobody can be within a tolerance of it."""
        m = self.model
        m.train(TAGS[tag])
        images, targets, _, levels, head = self.forward()
        anchors = m.anchor_generator(images, levels)
        g, grads = torch.Generator().manual_seed(1), []
        for noise in (0, 1e-5, 1e-5, 1e-5):
            near = [(v + noise * v.abs().max() * torch.randn(v.shape, generator=g)).detach().requires_grad_() for v in head.values()]
            losses = m.compute_loss(targets, dict(zip(head, near)), anchors)
            grads.append(torch.autograd.grad(sum(losses.values()), near))
        return max(float((n - v).norm() / v.norm()) for near in grads[1:] for n, v in zip(near, grads[0]))

    def gradients(self, tag):
        m = self.model
        m.load_state_dict(torch.load(self.out + '/weights.pth'))
        m.train(TAGS[tag])
        m.zero_grad()
        images, targets, _, levels, head = self.forward()
        losses = m.compute_loss(targets, head, m.anchor_generator(images, levels))
        sum(losses.values()).backward()
        return {k: float(v) for k, v in losses.items()}, {n: p.grad for n, p in m.named_parameters() if p.grad is not None}


def make(out, args, sides, pictures):
    os.makedirs(out, exist_ok=True)
    torch.manual_seed(0)
    g = torch.Generator().manual_seed(7)
    m = build(args['arch'], args['v2'], args['classes'], 480, 800)
    seed(m, g, [load(p) for p in pictures] or [picture(g, 192, 256) for _ in range(24)])
    torch.save(m.state_dict(), out + '/weights.pth')
    save_safetensors(out + '/weights.safetensors', m.state_dict())
    for args['number'] in range(11, 31):
        jumps = [Case(out, args, torch.float64).kinks(tag) for tag in TAGS]
        print(f'pictures {args["number"]}: the gradient jumps by {max(jumps):.1g}', flush=True)
        if max(jumps) < 1e-3:
            break
    else:
        raise SystemExit('no pictures without a jump were found')
    meta = dict(args, torch=torch.__version__, torchvision=torchvision.__version__)
    for dtype in (torch.float32, torch.float64):
        case = Case(out, args, dtype)
        meta['image_sizes_resized'] = case.stages()
        for tag in TAGS:
            meta['losses_' + tag], grads = case.gradients(tag)
            save_safetensors(f'{out}/grads_{tag}{case.suffix}.safetensors', grads)
        with open(f'{out}/meta{case.suffix}.json', 'w') as f:
            json.dump(meta, f, indent=1)
    for i in range(SMALL):
        case = Case(out, args, torch.float64, [SMALL_SIZE], SMALL_SIZE, 100 + i)
        images, targets = case.model.transform(case.images, case.targets)
        losses, grads = case.gradients('evalbn')
        save_safetensors(f'{out}/small{i}_f64.safetensors', dict(
            grads, batch=images.tensors, boxes=targets[0]['boxes'], labels=targets[0]['labels'].double(),
            losses=torch.tensor([losses['classification'], losses['bbox_regression']], dtype=torch.float64)))
    detect(out, args, sides, pictures)


@torch.no_grad()
def detect(out, args, sides, paths):
    """Detections of real pictures."""
    m = build(args['arch'], args['v2'], args['classes'], *sides).eval()
    m.load_state_dict(torch.load(out + '/weights.pth'))
    found = []
    for p in paths:
        d = m([load(p)])[0]
        found.append(dict(file=os.path.abspath(p), boxes=d['boxes'].tolist(), scores=d['scores'].tolist(), labels=d['labels'].tolist()))
        print(p, len(d['scores']), flush=True)
    with open(out + '/pictures.json', 'w') as f:
        json.dump(dict(sides=sides, pictures=found), f)


def trained(out, args, weights, sides, pictures):
    os.makedirs(out, exist_ok=True)
    model = load_safetensors(weights)
    torch.save(model, out + '/weights.pth')
    save_safetensors(out + '/weights.safetensors', model)
    with open(out + '/meta.json', 'w') as f:
        json.dump(args, f, indent=1)
    detect(out, args, sides, pictures)


def units(out):
    args = json.load(open(out + '/meta.json'))
    for tag in TAGS:
        active = load_safetensors(f'{out}/units_{tag}.safetensors')
        case = Case(out, args, torch.float64)
        last = [None]
        for name, p in case.model.named_modules():
            if isinstance(p, torch.nn.Conv2d):
                p.register_forward_hook(lambda *_, name=name: last.__setitem__(0, name))

        def relu(x, inplace=False):
            # A block's last ReLU follows the shortcut, which runs last where it is a convolution.
            conv = last[0].replace('downsample.0', 'conv3' if args['arch'] == 'resnet50' else 'conv2')
            mask = active.pop(f'{conv}.weight {x.shape[2]}x{x.shape[3]}').permute(0, 3, 1, 2).to(x.dtype)
            flipped[0] += int(((x > 0) != (mask > 0)).sum())
            flipped[1] += mask.numel()
            return x * mask

        def pool(x, *_, **__):
            n, c, h, w = x.shape
            at = active.pop('pool').permute(0, 3, 1, 2).long()
            windows = F.unfold(F.pad(x, (1, 1, 1, 1)), 3, stride=2).view(n, c, 9, -1)
            return windows.gather(2, at.reshape(n, c, 1, -1)).view(at.shape)

        flipped, keep = [0, 0], (F.relu, F.max_pool2d)
        F.relu, F.max_pool2d = relu, pool  # torch.nn's modules call them too
        _, grads = case.gradients(tag)
        F.relu, F.max_pool2d = keep
        assert not active, f'not used: {list(active)}'
        print(f'{tag}: {flipped[0]} of {flipped[1]} units are active in one and not in the other')
        save_safetensors(f'{out}/grads_{tag}_units.safetensors', grads)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('verb', choices=('make', 'pictures', 'trained', 'units'))
    a.add_argument('out')
    a.add_argument('--weights', help="safetensors with torchvision's names")
    a.add_argument('--arch', default='resnet50', choices=('resnet18', 'resnet50'))
    a.add_argument('--v2', action='store_true')
    a.add_argument('--classes', type=int, default=80)
    a.add_argument('--sides', type=int, nargs=2, default=[800, 1333], help='short and longest side of the pictures in the network')
    a.add_argument('--pictures', nargs='*', default=[])
    a = a.parse_args()
    if a.verb == 'units':
        units(a.out)
    elif a.verb == 'pictures':
        with open(a.out + '/meta.json') as f:
            detect(a.out, json.load(f), a.sides, a.pictures)
    else:
        args = dict(arch=a.arch, v2=a.v2, classes=a.classes)
        if a.verb == 'trained':
            trained(a.out, args, a.weights, a.sides, a.pictures)
        else:
            make(a.out, args, a.sides, a.pictures)


main()
