"""MobileNetV2-SSDLite as src/models builds it (tf_ flavour, symmetric padding), in PyTorch."""
import torch, torch.nn as nn

CLASSES = 80


def bn(c):
    return nn.BatchNorm2d(c, eps=1e-3, momentum=0.03)


def unit(i, o, k=1, s=1, groups=1, act=True):
    layers = [nn.Conv2d(i, o, k, s, k // 2, groups=groups, bias=False), bn(o)]
    return nn.Sequential(*layers, *([nn.ReLU6(inplace=True)] if act else []))


class Block(nn.Module):
    def __init__(self, i, o, s, t):
        super().__init__()
        self.expand = unit(i, i * t) if t > 1 else nn.Identity()
        self.rest = nn.Sequential(unit(i * t, i * t, 3, s, i * t), unit(i * t, o, act=False))
        self.same = s == 1 and i == o

    def forward(self, x, tap=False):
        e = self.expand(x)
        y = self.rest(e)
        y = x + y if self.same else y
        return (y, e) if tap else y


class Backbone(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, i, blocks = unit(3, 32, 3, 2), 32, []
        for t, o, n, s in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]:
            for k in range(n):
                blocks.append(Block(i, o, s if k == 0 else 1, t))
                i = o
        self.blocks, self.head = nn.ModuleList(blocks), unit(320, 1280)

    def forward(self, x):
        x, tap = self.stem((x - 127.5) / 127.5), None
        for k, block in enumerate(self.blocks):
            if k == 13:
                x, tap = block(x, True)
            else:
                x = block(x)
        return tap, self.head(x)


class Rest(nn.Module):
    def __init__(self):
        super().__init__()
        widths, i = [576, 1280, 512, 256, 256, 128], 1280
        self.extras = nn.ModuleList()
        for o in widths[2:]:
            self.extras.append(nn.Sequential(unit(i, o // 2), unit(o // 2, o // 2, 3, 2, o // 2), unit(o // 2, o)))
            i = o
        anchors = [6, 6, 6, 6, 6, 6]
        head = lambda c, o: nn.Sequential(unit(c, c, 3, 1, c), nn.Conv2d(c, o, 1))
        self.box = nn.ModuleList(head(c, a * 4) for c, a in zip(widths, anchors))
        self.cls = nn.ModuleList(head(c, a * CLASSES) for c, a in zip(widths, anchors))

    def forward(self, c4, c5):
        maps, x = [c4, c5], c5
        for extra in self.extras:
            x = extra(x)
            maps.append(x)
        flat = lambda y, k: y.permute(0, 2, 3, 1).reshape(y.shape[0], -1, k)
        boxes = torch.cat([flat(h(m), 4) for h, m in zip(self.box, maps)], 1)
        return boxes, torch.cat([flat(h(m), CLASSES) for h, m in zip(self.cls, maps)], 1)
