#!/usr/bin/python3
"""What surrounds the network, against torchvision and pycocotools, in turns on one machine.

    OMP_NUM_THREADS=2 python3 bench/post.py [--rounds N] [--coco DIR] [focal assign decode nms metric]

runs peer, retinago, peer, retinago ... on made-up data of equal size and prints the least seconds of each and their
ratio, and the same of the processor's seconds, which tell more where others use the machine (OMP_NUM_THREADS=1 then: a
thread of torch that waits for another counts too). It needs torch and torchvision, Go, and for "metric" pycocotools and a folder with coco_gt.json and coco_dt.json.
"""
import argparse, contextlib, io, os, resource, subprocess, sys, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def focal():
    import torch
    from torchvision.ops import sigmoid_focal_loss
    x, t = torch.randn(2, 120087, 80, requires_grad=True), torch.zeros(2, 120087, 80)
    t[:, ::1000, 3] = 1

    def run():
        x.grad = None
        sigmoid_focal_loss(x, t, alpha=.25, gamma=2, reduction='sum').backward()
    return run


def boxes(n, seed, size=1333.):
    import torch
    g = torch.Generator().manual_seed(seed)
    c, wh = torch.rand(n, 2, generator=g) * size, torch.exp(torch.rand(n, 2, generator=g) * 3 + 2.5)
    return torch.cat([c - wh / 2, c + wh / 2], 1).clamp(0, size)


def assign():
    from torchvision.models.detection._utils import Matcher
    from torchvision.ops import box_iou
    m, anchors, objects = Matcher(.5, .4, allow_low_quality_matches=True), boxes(120087, 1), boxes(20, 2)
    return lambda: m(box_iou(objects, anchors))


def decode():
    import torch
    from torchvision.models.detection import retinanet_resnet50_fpn
    from torchvision.models.detection.image_list import ImageList
    m, g = retinanet_resnet50_fpn(weights=None, weights_backbone=None, num_classes=80).eval(), torch.Generator().manual_seed(0)
    maps = [torch.zeros(1, 256, h, w) for h, w in ((100, 168), (50, 84), (25, 42), (13, 21), (7, 11))]
    anchors = m.anchor_generator(ImageList(torch.zeros(1, 3, 800, 1344), [(800, 1344)]), maps)
    n = [9 * f.shape[2] * f.shape[3] for f in maps]
    logits = torch.randn(1, sum(n), 80, generator=g) * 1.2 - 5
    deltas = torch.randn(1, sum(n), 4, generator=g) * .3
    outputs = dict(cls_logits=list(logits.split(n, 1)), bbox_regression=list(deltas.split(n, 1)))
    levels = [list(a.split(n)) for a in anchors]

    def run():
        with torch.no_grad():
            m.postprocess_detections(outputs, levels, [(800, 1344)])
    return run


def clustered(n=100000):
    import torch
    g = torch.Generator().manual_seed(5)
    objects, labels = boxes(n // 20, 3), torch.randint(0, 80, (n // 20,), generator=g)
    i = torch.randint(0, len(objects), (n,), generator=g)
    b = objects[i] + torch.randn(n, 4, generator=g) * .1 * (objects[i, 2:] - objects[i, :2]).repeat(1, 2)
    b = torch.cat([torch.minimum(b[:, :2], b[:, 2:]), torch.maximum(b[:, :2], b[:, 2:])], 1).clamp(0, 1333)
    return b, torch.rand(n, generator=g), labels[i]


def nms_one():
    from torchvision.ops import nms
    b, s, _ = clustered()
    return lambda: nms(b, s, .5)


def nms_classes():
    from torchvision.ops import batched_nms
    b, s, labels = clustered()
    return lambda: batched_nms(b, s, labels, .5)


def metric(folder):
    import numpy
    numpy.float = float  # older releases of pycocotools use it
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def run():
        with contextlib.redirect_stdout(io.StringIO()):
            g = COCO(folder + '/coco_gt.json')
            e = COCOeval(g, g.loadRes(folder + '/coco_dt.json'), 'bbox')
            e.evaluate()
            e.accumulate()
            e.summarize()
    return run


# name: what, the peer, its and our runs in a round, package, benchmark
PIECES = {
    'focal': [('focal loss, forward and backward', focal, 3, 40, 'engine/cpu', 'Focal/forward_and_backward$')],
    'assign': [('assignment', assign, 10, 100, 'anchors', 'Assign/IoU/120087x20$')],
    'decode': [('decoding', decode, 5, 50, 'detector', 'Decode/6.*$')],
    'nms': [('NMS of one class', nms_one, 1, 10, 'nms', 'Greedy/100000$'), ('NMS of 80 classes', nms_classes, 5, 30, 'nms', 'ClassWise/100000$')],
    'metric': [('COCO metric', metric, 1, 4, 'coco', 'Metric/load_and_evaluate$')],
}


def bench(binary, package, name, n, env):
    """Seconds of an iteration, the mean of n, and the processor's seconds of the process."""
    used = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    before = used()
    text = subprocess.run([binary, '-test.run', '^$', '-test.bench', name, '-test.benchtime', f'{n}x'],
                          cwd=os.path.join(ROOT, package), env=env, check=True, capture_output=True, text=True).stdout
    return min(float(line.split()[2]) * 1e-9 for line in text.splitlines() if 'ns/op' in line), used() - before


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--rounds', type=int, default=3)
    p.add_argument('--coco')
    p.add_argument('pieces', nargs='*', default=['focal', 'assign', 'decode', 'nms'])
    a = p.parse_args()
    if unknown := set(a.pieces) - set(PIECES):
        sys.exit(f'no piece {", ".join(unknown)}; there are {", ".join(PIECES)}')
    env = dict(os.environ)
    if 'metric' in a.pieces:
        if not a.coco:
            sys.exit('metric needs --coco DIR, a folder with coco_gt.json and coco_dt.json')
        env['RETINAGO_COCO_BENCH'] = os.path.abspath(a.coco)
    for what, peer, times, n, package, name in (q for k in a.pieces for q in PIECES[k]):
        with tempfile.TemporaryDirectory() as d:
            binary = d + '/bench.test'
            subprocess.run(['go', 'test', '-c', '-o', binary, './' + package], cwd=ROOT, check=True)
            run = peer(env['RETINAGO_COCO_BENCH']) if peer is metric else peer()
            theirs, ours, cpu = [], [], []
            for _ in range(a.rounds):
                for _ in range(times):
                    t, c = time.perf_counter(), time.process_time()
                    run()
                    theirs.append((time.perf_counter() - t, time.process_time() - c))
                few, many = bench(binary, package, name, 1, env), bench(binary, package, name, n + 1, env)
                ours.append(min(few[0], many[0]))
                cpu.append((many[1] - few[1]) / n)
        wall, spent = (min(v) for v in zip(*theirs))
        print(f'{what}: peer {wall:.4f} s, retinago {min(ours):.4f} s, ratio {min(ours) / wall:.3f}; '
              f"processor's {spent:.4f} s, {min(cpu):.4f} s, ratio {min(cpu) / spent:.3f}", flush=True)


main()
