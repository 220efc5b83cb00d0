# Writes atss.json: the assignment of ATSS (Zhang et al. 2020, algorithm 1) by plain torch, on random objects.
# usage: python3 atss.py > atss.json
import json, torch
from torchvision.ops import box_iou
g = torch.Generator().manual_seed(3)
cases = []
for per_cell, k in ((1, 9), (3, 9), (1, 4)):
    levels, starts = [], [0]
    for stride in (8, 16, 32):
        n = 160 // stride
        for y in range(n):
            for x in range(n):
                for r in [1, .5, 2][:per_cell]:
                    w, h = 4 * stride * r ** -.5, 4 * stride * r ** .5
                    levels.append([x * stride - w / 2, y * stride - h / 2, x * stride + w / 2, y * stride + h / 2])
        starts.append(len(levels))
    a = torch.tensor(levels)
    xy = torch.rand(7, 2, generator=g) * 110
    gt = torch.cat([xy, xy + 6 + torch.rand(7, 2, generator=g) * 60], 1)
    iou, ac, gc = box_iou(a, gt), (a[:, :2] + a[:, 2:]) / 2, (gt[:, :2] + gt[:, 2:]) / 2
    dist = ((ac[:, None].double() - gc[None].double()) ** 2).sum(2)
    best, who = torch.zeros(len(a)), torch.full((len(a),), -1)
    for j in range(len(gt)):
        c = torch.cat([s + torch.sort(dist[s:e, j], stable=True)[1][:k * per_cell] for s, e in zip(starts, starts[1:])])
        v = iou[c, j]
        t = v.double().mean() + v.double().std()
        inside = torch.stack([ac[c, 0] - gt[j, 0], ac[c, 1] - gt[j, 1], gt[j, 2] - ac[c, 0], gt[j, 3] - ac[c, 1]]).min(0)[0] > .01
        for i in c[(v >= t) & inside].tolist():
            if iou[i, j] > best[i]: best[i], who[i] = iou[i, j], j
    pos = (who >= 0).nonzero().flatten()
    cases.append(dict(per_cell=per_cell, k=k, starts=starts, anchors=a.tolist(), gt=gt.tolist(), positive=[[int(i), int(who[i])] for i in pos]))
print(json.dumps(cases))
