"""Cases for TestParityCases: what torchvision keeps of random and adversarial boxes.

    parity.py OUT.bin --cases N --seed S [--most BOXES]     N cases of up to BOXES boxes (2000)
    parity.py OUT.bin --npz FILE                            one case: arrays b, s, l as components.py saves them
    RETINAGO_NMS_CASES=DIR go test -count=1 -v -run ParityCases ./nms

needs torch, torchvision and numpy. A case, little-endian: int32 n, float32 threshold, float32 boxes [n,4] and scores [n],
int32 classes [n], int32 kept by nms, their indices, int32 kept class by class, their indices.
"""
import argparse
import numpy as np, torch
from torchvision.ops import nms
from torchvision.ops.boxes import _batched_nms_vanilla


def boxes(r, n, kind):
    c = r.uniform(-20, 1000, (n, 2))
    wh = np.exp(r.uniform(1, 5.5, (n, 2)))
    if kind == 'clustered':
        i = r.integers(0, max(1, n // 20), n)
        c, wh = c[i] + r.normal(0, .1, (n, 2)) * wh[i], wh[i] * np.exp(r.normal(0, .1, (n, 2)))
    if kind == 'wild':
        wh = np.exp(r.uniform(-6, 9, (n, 2)))
    if kind == 'nested':
        c, wh = np.full((n, 2), 500.), r.uniform(0, 500, (n, 1)) * np.ones((1, 2)) * r.choice([1, 1, 2], (n, 2))
    b = np.concatenate([c - wh / 2, c + wh / 2], 1)
    if kind == 'whole':  # overlaps that are simple fractions, and many copies
        b = np.round(r.uniform(0, 12, (n, 4)))
        b[:, 2:] = b[:, :2] + np.round(r.uniform(0, 8, (n, 2)))
    if kind == 'flat':
        b[::3, 2] = b[::3, 0]
        b[1::5, 3] = b[1::5, 1]
    if kind == 'turned':  # corners in any order
        b[::3] = b[::3][:, [2, 1, 0, 3]]
        b[::7] = b[::7][:, [2, 3, 0, 1]]
    if kind == 'far':
        b = b * r.choice([1e-30, 1, 1e15, 3e18, 1e30], (n, 1)) + r.choice([0, 0, 1e6], (n, 1))
    if kind == 'same':
        b[:] = b[0]
    return b.astype('<f4')


def case(b, s, l, t):
    t = np.float32(t)
    args = torch.from_numpy(b), torch.from_numpy(s)
    keep = nms(*args, float(t)).numpy()
    wise = np.sort(_batched_nms_vanilla(*args, torch.from_numpy(l), float(t)).numpy())
    wise = wise[np.argsort(-s[wise], kind='stable')]  # torchvision leaves the order of equal scores to chance here
    parts = [np.int32(len(b)), t, b, s, l.astype('<i4'), np.int32(len(keep)), keep.astype('<i4'), np.int32(len(wise)), wise.astype('<i4')]
    return b''.join(np.asarray(p).tobytes() for p in parts)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('out')
    p.add_argument('--cases', type=int, default=0)
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--most', type=int, default=2000)
    p.add_argument('--npz')
    a = p.parse_args()
    with open(a.out, 'wb') as f:
        if a.npz:
            d = np.load(a.npz)
            f.write(case(d['b'].astype('<f4'), d['s'].astype('<f4'), d['l'].astype('int64'), .5))
        for i in range(a.cases):
            r = np.random.default_rng([a.seed, i])
            n = int(np.exp(r.uniform(0, np.log(a.most))))
            b = boxes(r, n, r.choice(['random', 'clustered', 'wild', 'nested', 'whole', 'flat', 'turned', 'far', 'same']))
            s = r.uniform(0, 1, n)
            if r.random() < .5:  # ties, zeros of both signs, what lies outside of [0, 1]
                s = r.choice([-np.inf, -1, -0., 0., .25, .5, np.inf, 7], n)
            f.write(case(b, s.astype('<f4'), r.integers(0, r.choice([1, 3, 80]), n), r.choice([0, .1, .25, 1 / 3, .5, .6, .75, .95, 1])))


main()
