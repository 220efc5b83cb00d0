# Writes torchvision.json: boxes with what torchvision.ops.nms keeps of them.
import json, torch
from torchvision.ops import nms

torch.manual_seed(0)
xy = torch.rand(300, 2) * 100
boxes = torch.cat([xy, xy + 3 + torch.rand(300, 2) * 60], 1)
boxes[200:250] = boxes[:50]          # copies
boxes[250:260, 2] = boxes[250:260, 0]  # without area
boxes[260:280] = (boxes[260:280] / 10).round() * 10  # IoUs that are simple fractions
scores = (torch.rand(300) * 50).round() / 50  # ties; torchvision's sort is stable
json.dump({"boxes": boxes.tolist(), "scores": scores.tolist(),
           "keep": {str(t): nms(boxes, scores, t).tolist() for t in (0.1, 0.25, 0.5, 0.75)}},
          open("torchvision.json", "w"), separators=(",", ":"))
