"""The network that every program runs: torchvision's RetinaNet with 80 classes and 9 anchors."""
import torch
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.ops.feature_pyramid_network import LastLevelP6P7
from torchvision.ops.misc import FrozenBatchNorm2d

CLASSES = 80


def build(arch, frozen=False, trainable=5):
    norm = FrozenBatchNorm2d if frozen else torch.nn.BatchNorm2d
    body = resnet_fpn_backbone(backbone_name=arch, weights=None, norm_layer=norm, trainable_layers=trainable,
                               extra_blocks=LastLevelP6P7(256, 256), returned_layers=[2, 3, 4])
    return RetinaNet(body, num_classes=CLASSES)


def load(arch, folder, frozen=False, trainable=5):
    m = build(arch, frozen, trainable)
    state = torch.load(f"{folder}/{arch}.pth")
    if frozen:  # frozen norms do not count batches
        state = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    m.load_state_dict(state)
    return m.eval()


class Raw(torch.nn.Module):
    """From pictures [N,3,H,W] to logits [N,anchors,80] and deltas [N,anchors,4]."""

    def __init__(self, m):
        super().__init__()
        self.backbone, self.head = m.backbone, m.head

    def forward(self, x):
        out = self.head(list(self.backbone(x).values()))
        return out["cls_logits"], out["bbox_regression"]
