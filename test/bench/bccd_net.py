"""SSDLite-MobileNetV2 as src/models builds it (TensorFlow's flavour), in PyTorch, with our names of the parameters; its loss."""
import torch, torch.nn as nn, torch.nn.functional as F

EXTRAS = [512, 256, 256, 128]
TABLE = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


class SameConv(nn.Conv2d):
    """TensorFlow's `same` padding: an odd pixel goes right and below. Where it is even, the convolution pads by itself."""

    def forward(self, x):
        (k, _), (stride, _) = self.kernel_size, self.stride
        around = [max((-(-side // stride) - 1) * stride + k - side, 0) for side in x.shape[2:]]
        if any(total % 2 for total in around):
            (top, left) = [total // 2 for total in around]
            x, around = F.pad(x, (left, around[1] - left, top, around[0] - top)), [0, 0]
        return F.conv2d(x, self.weight, self.bias, self.stride, [total // 2 for total in around], 1, self.groups)


class Builder:
    """BatchNorms of one epsilon and momentum."""

    def __init__(self, epsilon, momentum):
        self.bn = lambda c: nn.BatchNorm2d(c, eps=epsilon, momentum=momentum)

    def depthwise(self, c, stride=1):
        return SameConv(c, c, 3, stride, groups=c, bias=False)


class Separable(nn.Module):
    """Depthwise, then 1×1 without an activation."""

    def __init__(self, at, i, o):
        super().__init__()
        self.conv_dw, self.bn1 = at.depthwise(i), at.bn(i)
        self.conv_pw, self.bn2 = SameConv(i, o, 1, bias=False), at.bn(o)

    def forward(self, x):
        return self.bn2(self.conv_pw(F.relu6(self.bn1(self.conv_dw(x)), inplace=True))), None


class Inverted(nn.Module):
    """Returns also what its expansion gave. `extra`: an extra level, with an activation behind it."""

    def __init__(self, at, i, middle, o, stride, extra=False):
        super().__init__()
        self.conv_pw, self.bn1 = SameConv(i, middle, 1, bias=False), at.bn(middle)
        self.conv_dw, self.bn2 = at.depthwise(middle, stride), at.bn(middle)
        self.conv_pwl, self.bn3 = SameConv(middle, o, 1, bias=False), at.bn(o)
        self.same, self.extra = stride == 1 and i == o, extra

    def forward(self, x):
        expanded = F.relu6(self.bn1(self.conv_pw(x)), inplace=True)
        y = self.bn3(self.conv_pwl(F.relu6(self.bn2(self.conv_dw(expanded)), inplace=True)))
        if self.extra:
            return F.relu6(y, inplace=True)
        return (x + y if self.same else y), expanded


class Backbone(nn.Module):
    def __init__(self, at):
        super().__init__()
        self.conv_stem, self.bn1 = SameConv(3, 32, 3, 2, bias=False), at.bn(32)
        self.blocks, i = nn.ModuleList(), 32
        for t, o, repeats, first in TABLE:
            stage = nn.ModuleList()
            for k in range(repeats):
                stage.append(Separable(at, i, o) if t == 1 else Inverted(at, i, i * t, o, first if k == 0 else 1))
                i = o
            self.blocks.append(stage)
        self.conv_head, self.bn2 = SameConv(i, 1280, 1, bias=False), at.bn(1280)

    def forward(self, image):
        x = F.relu6(self.bn1(self.conv_stem(image / 127.5 - 1)), inplace=True)
        for k, stage in enumerate(self.blocks):
            for j, block in enumerate(stage):
                x, expanded = block(x)
                if (k, j) == (5, 0):
                    tap = expanded
        return [tap, F.relu6(self.bn2(self.conv_head(x)), inplace=True)]


class Predictor(nn.Module):
    def __init__(self, at, c, o):
        super().__init__()
        self.conv_dw, self.bn, self.predict = at.depthwise(c), at.bn(c), nn.Conv2d(c, o, 1)

    def forward(self, x):
        return self.predict(F.relu6(self.bn(self.conv_dw(x)), inplace=True))


class SsdLite(nn.Module):
    """image [N, 3, H, W], RGB 0…255 → boxes [N, A, 4], logits [N, A, columns]; columns: background first."""

    def __init__(self, columns, anchors_per_cell, epsilon, momentum):
        super().__init__()
        at = Builder(epsilon, momentum)
        self.backbone, widths = Backbone(at), [576, 1280, *EXTRAS]
        extras = nn.ModuleList(Inverted(at, i, o // 2, o, 2, extra=True) for i, o in zip(widths[1:], EXTRAS))
        self.neck = nn.ModuleDict({"extras": extras})
        head = lambda k: nn.ModuleList(Predictor(at, c, a * k) for c, a in zip(widths, anchors_per_cell))
        self.head, self.columns = nn.ModuleDict({"box": head(4), "class": head(columns)}), columns

    def forward(self, image):
        maps = self.backbone(image)
        for extra in self.neck["extras"]:
            maps.append(extra(maps[-1]))
        flat = lambda y, k: y.permute(0, 2, 3, 1).reshape(y.shape[0], -1, k)
        return [torch.cat([flat(p(m), k) for p, m in zip(self.head[kind], maps)], 1) for kind, k in [("box", 4), ("class", self.columns)]]


def multi_box_loss(boxes, logits, labels, offsets, hard_negatives):
    """Liu et al. 2016: smooth L1 of the matched anchors, softmax of these and of the hardest others of each image. labels [N, A]: 0 is background."""
    positive = labels > 0
    matches = positive.sum().clamp(min=1)
    box = F.smooth_l1_loss(boxes[positive], offsets[positive], reduction="sum")
    entropy = F.cross_entropy(logits.flatten(0, 1), labels.clamp(min=0).flatten(), reduction="none").view(labels.shape)
    with torch.no_grad():
        order = entropy.masked_fill(labels != 0, -1).argsort(1, descending=True)
        ranks = torch.empty_like(order).scatter_(1, order, torch.arange(order.shape[1]).expand_as(order))
        chosen = positive | ((ranks < hard_negatives * positive.sum(1, keepdim=True)) & (labels == 0))
    return (box + entropy[chosen].sum()) / matches
