# Writes mobilenet.json: samples of the feature maps of MobileNetV2 (torchvision 0.14, width 0.25) and of a MobileNetV1
# (width 0.25, leaky) with weights and a picture that follow a formula. usage: python3 mobilenet.py > mobilenet.json
import json, math, torch, torch.nn as nn, torchvision

def wave(n, k): return torch.sin(torch.arange(n, dtype=torch.float64) * (.7 + .001 * k) + 1.3 * k)

def fill(net):
    names = [n for n in net.state_dict() if not n.endswith('num_batches_tracked')]
    state = net.state_dict()
    for k, n in enumerate(names):
        t = state[n]
        w = wave(t.numel(), k).reshape(t.shape)
        if t.dim() == 4: w = w * math.sqrt(6 / (t.shape[1] * t.shape[2] * t.shape[3]))
        elif n.endswith('running_var'): w = 1 + .5 * w * w
        elif n.endswith('running_mean') or n.endswith('bias'): w = .1 * w
        else: w = 1 + .1 * w
        t.copy_(w)
    return net.eval()

def samples(x):
    x = x[0].permute(1, 2, 0).contiguous().flatten()  # H, W, C
    return dict(size=x.numel(), norm=float(x.double().norm()), values=x[::max(1, x.numel() // 50)][:50].tolist())

def conv_bn(i, o, s): return nn.Sequential(nn.Conv2d(i, o, 3, s, 1, bias=False), nn.BatchNorm2d(o), nn.LeakyReLU(.1))
def conv_dw(i, o, s): return nn.Sequential(nn.Conv2d(i, i, 3, s, 1, groups=i, bias=False), nn.BatchNorm2d(i), nn.LeakyReLU(.1),
                                           nn.Conv2d(i, o, 1, bias=False), nn.BatchNorm2d(o), nn.LeakyReLU(.1))
class V1(nn.Module):
    def __init__(self):
        super().__init__()
        self.stage1 = nn.Sequential(conv_bn(3, 8, 2), conv_dw(8, 16, 1), conv_dw(16, 32, 2), conv_dw(32, 32, 1), conv_dw(32, 64, 2), conv_dw(64, 64, 1))
        self.stage2 = nn.Sequential(conv_dw(64, 128, 2), *[conv_dw(128, 128, 1) for _ in range(5)])
        self.stage3 = nn.Sequential(conv_dw(128, 256, 2), conv_dw(256, 256, 1))

with torch.no_grad():
    x = wave(64 * 96 * 3, 5).reshape(1, 64, 96, 3).permute(0, 3, 1, 2).float()
    v2 = torchvision.models.mobilenet_v2(width_mult=.25); del v2.classifier
    fill(v2); out = {'mobilenet_v2': []}; y = x
    for i, f in enumerate(v2.features):
        y = f(y)
        if i in (3, 6, 13, 18): out['mobilenet_v2'].append(samples(y))
    v1 = fill(V1()); y = x
    for f in v1.stage1[:4]: y = f(y)
    maps = [y]
    for f in v1.stage1[4:]: y = f(y)
    maps += [y, v1.stage2(y), v1.stage3(v1.stage2(y))]
    out['mobilenet_v1'] = [samples(m) for m in maps]
print(json.dumps(out))
