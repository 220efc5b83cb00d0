# Writes torchvision.json: anchors, matches and box codes of torchvision, which the Go tests repeat.
import json, torch, torchvision
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection._utils import Matcher, BoxCoder
from torchvision.ops import box_iou

torch.manual_seed(0)
sizes = (16, 32, 64, 128, 256)
gen = AnchorGenerator(tuple((s, int(s * 2 ** (1 / 3)), int(s * 2 ** (2 / 3))) for s in sizes), ((0.5, 1.0, 2.0),) * 5)
hw = [(8, 12), (4, 6), (2, 3), (1, 2), (1, 1)]
strides = [[torch.tensor(8 << l)] * 2 for l in range(5)]
grid = torch.cat(gen.grid_anchors(hw, strides))

# Objects: random, two equal ones, aligned ones (ties between anchors), a tiny one, one around everything.
xy = torch.rand(12, 2) * torch.tensor([80., 50.])
wh = 4 + torch.rand(12, 2) ** 2 * 60
gt = torch.cat([torch.cat([xy, xy + wh], 1), torch.tensor([
    [40., 40., 72., 72.], [40., 40., 72., 72.], [12., 12., 36., 36.], [60., 60., 62., 62.], [0., 0., 96., 64.], [70., 2., 80., 64.]])])
iou = box_iou(gt, grid)
matches = {str(q): Matcher(.5, .4, allow_low_quality_matches=q)(iou.clone()).tolist() for q in (True, False)}

coder = BoxCoder((1., 1., 1., 1.))
m = Matcher(.5, .4, True)(iou.clone())
pos = torch.where(m >= 0)[0]
codes = coder.encode_single(gt[m[pos]], grid[pos])
deltas = torch.randn(64, 4) * torch.tensor([1., 1., 2., 5.])
boxes = grid[torch.randint(0, len(grid), (64,))]
decoded = coder.decode_single(deltas, boxes)

# Base anchors of all levels of RetinaNet's default generator too: its sizes are the ones that truncation changes.
default = AnchorGenerator(tuple((s, int(s * 2 ** (1 / 3)), int(s * 2 ** (2 / 3))) for s in (32, 64, 128, 256, 512)), ((0.5, 1.0, 2.0),) * 5)
# A canvas that 128 does not divide: its levels' strides are its sides over the maps'.
from torchvision.models.detection.image_list import ImageList
odd_hw = [(9, 13), (5, 7), (3, 4), (2, 2), (1, 1)]
odd = gen(ImageList(torch.zeros(1, 3, 72, 104), [(72, 104)]), [torch.zeros(1, 1, h, w) for h, w in odd_hw])[0]
json.dump({
    "torchvision": torchvision.__version__, "hw": hw, "grid": grid.tolist(), "gt": gt.tolist(), "matches": matches,
    "codes": codes.tolist(), "deltas": deltas.tolist(), "anchors": boxes.tolist(), "decoded": decoded.tolist(),
    "odd_hw": odd_hw, "odd": odd.tolist(), "base": [b.tolist() for b in default.cell_anchors],
}, open("torchvision.json", "w"), separators=(",", ":"))
