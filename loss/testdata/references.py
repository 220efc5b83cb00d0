# Writes references.json: losses and gradients of torchvision.ops (0.14) on random inputs, in float64.
# usage: python3 references.py > references.json
import json, torch, torchvision.ops as ops
g = torch.Generator().manual_seed(7)
out = {}
x = (torch.randn(24, 5, generator=g) * 4).double().requires_grad_()
labels = torch.randint(-1, 5, (24,), generator=g)
y = torch.zeros(24, 5).double()
for i, l in enumerate(labels.tolist()):
    if l >= 0: y[i, l] = 1
out['logits'], out['labels'] = x.detach().flatten().tolist(), labels.tolist()
def grad(l, v):
    v.grad = None; l.backward(); return dict(loss=float(l), grad=v.grad.flatten().tolist())
for a, c in ((.25, 2), (-1, 0), (.75, .5), (.5, 5)):
    out[f'focal {a} {c}'] = grad(ops.sigmoid_focal_loss(x, y, a, c, 'sum'), x)
s = torch.where(labels < 0, torch.tensor(4), labels)
out['softmax'] = grad(torch.nn.functional.cross_entropy(x, s, reduction='sum'), x)
xy = torch.rand(40, 2, generator=g) * 60
p = torch.cat([xy, xy + 1 + torch.rand(40, 2, generator=g) * 50], 1).double()
q = p + torch.randn(40, 4, generator=g) * torch.tensor([6.] * 20 + [60.] * 20)[:, None]
q = torch.cat([torch.minimum(q[:, :2], q[:, 2:] - 1), q[:, 2:]], 1).double()
p = torch.cat([p, q[:2]]); q = torch.cat([q, q[:2]])  # two pairs are equal
p = p.float().double().requires_grad_(); q = q.float().double()
out['pred'], out['target'] = p.detach().flatten().tolist(), q.flatten().tolist()
out['giou'] = grad(ops.generalized_box_iou_loss(p, q, 'sum'), p)
out['diou'] = grad(ops.distance_box_iou_loss(p, q, 'sum'), p)
out['ciou'] = grad(ops.complete_box_iou_loss(p, q, 'sum'), p)
out['l1'] = grad(torch.nn.functional.l1_loss(p, q, reduction='sum'), p)
out['smoothl1'] = grad(torch.nn.functional.smooth_l1_loss(p, q, beta=.5, reduction='sum'), p)
print(json.dumps(out))
