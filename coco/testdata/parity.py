#!/usr/bin/env python3
"""Cases for TestParityCases: what pycocotools gives for random, adversarial data.

    parity.py OUT.jsonl --cases N --seed S      N small cases
    parity.py OUT.jsonl --gt F --dt F           one case: these files
    RETINAGO_COCO_CASES=DIR go test -count=1 -v -run ParityCases ./coco

needs pycocotools and numpy. A line is {"ground_truth", "detections", "arrays"} or {"masks"}; "arrays" is
base64(zlib(little-endian float64 of stats [12], precision [T,R,K,A,M], scores [T,R,K,A,M], recall [T,K,A,M])).
"""
import argparse, base64, contextlib, copy, io, json, random, zlib
import numpy as np
np.float = float  # older releases of pycocotools use it, numpy 1.24 has removed it
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def evaluate(gt, dt):
    """What pycocotools gives, as "arrays"; both arguments are left as they were."""
    with contextlib.redirect_stdout(io.StringIO()):
        g = COCO()
        g.dataset = copy.deepcopy(gt)
        g.createIndex()
        if dt:
            d = g.loadRes(copy.deepcopy(dt))
        else:  # loadRes cannot take an empty list
            d = COCO()
            d.dataset = {**g.dataset, 'annotations': []}
            d.createIndex()
        e = COCOeval(g, d, 'bbox')
        e.evaluate()
        e.accumulate()
        e.summarize()
    parts = [e.stats, e.eval['precision'], e.eval['scores'], e.eval['recall']]
    flat = np.concatenate([np.asarray(p, '<f8').ravel() for p in parts])
    return base64.b64encode(zlib.compress(flat.tobytes(), 1)).decode()


def box(r, kind):
    x, y = r.choice([(r.randrange(0, 60), r.randrange(0, 60)), (r.uniform(-20, 200), r.uniform(-20, 200))])
    if kind == 'bound':  # areas at 32^2 and 96^2, and one step beside them
        w, h = r.choice([(32, 32), (16, 64), (96, 96), (48, 192), (32, 31.999999999), (32.00000000000001, 32), (96, 96.00000000001), (95.9999, 96)])
    elif kind == 'flat':
        w, h = r.choice([(0, 0), (0, 10), (10, 0)])
    elif kind == 'negative':
        w, h = r.choice([(-5, 10), (10, -5), (-20, -20)])
    elif kind == 'extreme':
        x, y = 0, 0
        w, h = r.choice([(1e-200, 1e-200), (1e-170, 1e-150), (1e200, 1e200), (1e154, 1e154), (1e5, 1e5), (1e308, 1), (5e-324, 5e-324)])
    elif kind == 'float':
        w, h = r.uniform(.1, 120), r.uniform(.1, 120)
    else:
        w, h = r.choice([10, 20, 30, 40]), r.choice([10, 20, 40, 100])
    return [x, y, w, h]


def score(r, kind):
    if kind == 'ties':
        return r.choice([.1, .5, .9])
    if kind == 'one':
        return .5
    if kind == 'odd':
        return r.choice([-1, -.5, 0, -0.0, 1e300, -1e300, 5e-324, 1, 2, 1e-12, .1 + .2, .3])
    return r.random()


def segmentation(r, b, h, w):
    """None, [], polygons, run lengths, or compressed run lengths: what a box metric must not look at."""
    kind = r.randrange(5)
    if kind == 0:
        return None
    if kind == 1:
        return []
    if kind == 2:
        x, y, bw, bh = b
        return [[x, y, x + bw, y, x + bw, y + bh, x, y + bh]]
    m = np.asfortranarray(np.random.RandomState(r.randrange(1 << 30)).rand(h, w) < r.random(), dtype=np.uint8)
    rle = mask.encode(m)
    if kind == 3:
        return {'size': [h, w], 'counts': runs(m)}
    return {'size': [h, w], 'counts': rle['counts'].decode()}


def runs(m):
    """Run lengths down the columns, zeros first."""
    flat = m.ravel(order='F')
    edges = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    return [0] + lengths if flat[0] else lengths


def case(r):
    """Ground truth and detections of one case; most traits are drawn once for all of it."""
    K, I = r.choice([1, 1, 2, 3, 5]), r.choice([1, 1, 2, 3, 6])
    cats = r.sample(range(0, 200), K)
    images = [{'id': i, 'width': 24, 'height': 16, 'file_name': f'{i}.jpg'} for i in r.sample(range(0, 1000), I)]
    kinds = r.choice([['grid'], ['float'], ['bound'], ['grid', 'flat'], ['grid', 'negative'], ['grid', 'float', 'bound', 'flat', 'negative'],
                      ['extreme'], ['extreme', 'grid']])
    crowd, ignore = r.choice([0, 0, .3, .6]), r.choice([0, .3])
    objects, dets = r.choice([0, 1, 3, 8, 20]), r.choice([0, 1, 3, 10, 30])
    if r.random() < .08:
        dets = 250  # more than 100 of a class and image
    scores = r.choice(['ties', 'one', 'odd', 'random'])
    empty = r.choice(cats) if r.random() < .3 else None
    anns, dt, boxes = [], [], []
    ids = r.sample(range(0 if r.random() < .3 else 1, 10000), I * objects)
    for im in images:
        here = []
        for _ in range(r.randrange(objects + 1) if r.random() < .8 else 0):
            b = box(r, r.choice(kinds))
            if here and r.random() < .2:
                b = list(r.choice(here))
            here.append(b)
            c = r.choice(cats)
            if c == empty:
                continue
            area = r.choice([b[2] * b[3], b[2] * b[3] * .7, 1024, 9216, 1023.9999999999999, 9216.000000000002, 0, -3, 1e10, 1e11])
            a = {'id': ids.pop(), 'image_id': im['id'], 'category_id': c, 'bbox': b, 'area': area if np.isfinite(area) else 1e300,
                 'iscrowd': int(r.random() < crowd)}
            if r.random() < ignore:
                a['ignore'] = r.randrange(2)
            s = segmentation(r, b, im['height'], im['width'])
            if s is not None and all(np.isfinite(v) for v in b):
                a['segmentation'] = s
            anns.append(a)
        boxes = here
        for _ in range(r.randrange(dets + 1) if dets < 250 else dets):
            b = box(r, r.choice(kinds))
            if boxes and r.random() < .6:
                b = [v + r.choice([0, 0, 0, 1, -1, r.uniform(-3, 3)]) if abs(v) < 1e4 else v for v in r.choice(boxes)]
            elif dt and r.random() < .2:
                b = list(r.choice(dt)['bbox'])
            dt.append({'image_id': im['id'], 'category_id': r.choice(cats) if r.random() > .03 else 777, 'bbox': b, 'score': score(r, scores)})
    r.shuffle(anns)
    r.shuffle(dt)
    r.shuffle(images)
    return {'images': images, 'annotations': anns, 'categories': [{'id': c, 'name': f'c{c}'} for c in cats]}, dt


def masks(r):
    out = []
    for _ in range(20):
        h, w = r.choice([(1, 1), (1, 50), (50, 1), (r.randrange(1, 90), r.randrange(1, 90)), (300, 200)])
        if r.random() < .5:
            m = np.random.RandomState(r.randrange(1 << 30)).rand(h, w) < r.choice([0, .001, .1, .5, .999, 1])
        else:  # long runs
            m = np.zeros((h, w), bool)
            y, x = r.randrange(h), r.randrange(w)
            m[y:y + r.randrange(1, h + 1), x:x + r.randrange(1, w + 1)] = True
        m = np.asfortranarray(m, dtype=np.uint8)
        rle = mask.encode(m)
        out.append({'segmentation': {'size': [h, w], 'counts': rle['counts'].decode()}, 'runs': runs(m), 'area': int(mask.area(rle)),
                    'bbox': [float(v) for v in mask.toBbox(rle)]})
    return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument('out')
    p.add_argument('--cases', type=int, default=500)
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--gt')
    p.add_argument('--dt')
    a = p.parse_args()
    np.seterr(all='ignore')
    r = random.Random(a.seed)
    with open(a.out, 'w') as f:
        def emit(gt, dt):
            print(json.dumps({'ground_truth': gt, 'detections': dt, 'arrays': evaluate(gt, dt)}), file=f)
        if a.gt:
            emit(json.load(open(a.gt)), json.load(open(a.dt)))
            return
        for _ in range(a.cases):
            emit(*case(r))
        print(json.dumps({'masks': masks(r)}), file=f)


main()
