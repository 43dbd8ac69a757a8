"""PyTorch's side of step.mjs for scene text: CRAFT, and CRAFT-lite on MobileNetV2, their loss and SGD as src/ builds them.

Says `ready`, then answers every line `N` with the milliseconds of each of N repetitions. Arguments: head (craft | craft-lite), mode (full | infer),
variant (plain | channels_last), batch, height, width.
"""
import pathlib, sys, time
import torch, torch.nn as nn, torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "fixtures" / "text"))
from craft_model import Craft

torch.manual_seed(1)
head, mode, variant = sys.argv[1:4]
batch, height, width = (int(value) for value in sys.argv[4:7])


def unit(i, o, k=1, s=1, groups=1, act=nn.ReLU6):
    layers = [nn.Conv2d(i, o, k, s, k // 2, groups=groups, bias=False), nn.BatchNorm2d(o, eps=1e-3, momentum=0.03)]
    return nn.Sequential(*layers, *([act(inplace=True)] if act else []))


class Block(nn.Module):
    def __init__(self, i, o, s, t):
        super().__init__()
        expand = [unit(i, i * t)] if t > 1 else []
        self.body = nn.Sequential(*expand, unit(i * t, i * t, 3, s, i * t), unit(i * t, o, act=None))
        self.same = s == 1 and i == o

    def forward(self, x):
        return x + self.body(x) if self.same else self.body(x)


class CraftLite(nn.Module):
    """src/models/text/craftLite.ts on MobileNetV2 1.0."""

    def __init__(self):
        super().__init__()
        self.stem, i, stages = unit(3, 32, 3, 2), 32, [[], [], [], [], []]
        level = 0
        for t, o, n, s in [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]:
            level += s == 2
            for k in range(n):
                stages[level].append(Block(i, o, s if k == 0 else 1, t))
                i = o
        self.stages = nn.ModuleList(nn.Sequential(*blocks) for blocks in stages)
        self.last, self.top = unit(320, 1280), unit(1280, 128, act=nn.ReLU)
        self.down, self.mix, self.out, i = nn.ModuleList(), nn.ModuleList(), nn.ModuleList(), 128
        for o, tap in [(96, 96), (64, 32), (32, 24), (24, 16)]:
            self.down.append(unit(i, o, act=nn.ReLU))
            self.mix.append(unit(o + tap, o, act=nn.ReLU))
            self.out.append(unit(o, o, 3, act=nn.ReLU))
            i = o
        self.hidden, self.scores = unit(24, 24, 3, act=nn.ReLU), nn.Conv2d(24, 2, 1)

    def forward(self, x):
        taps, x = [], self.stem(x)
        for stage in self.stages:
            x = stage(x)
            taps.append(x)
        y = self.top(self.last(x))
        for down, mix, out, tap in zip(self.down, self.mix, self.out, taps[3::-1]):
            y = F.interpolate(down(y), size=tap.shape[2:], mode="bilinear", align_corners=False)
            y = out(mix(torch.cat([y, tap], 1)))
        return self.scores(self.hidden(y)).permute(0, 2, 3, 1)


def fold(module):
    """Every BatchNorm behind a convolution becomes part of it, as a careful person does for inference."""
    for child in module.modules():
        if not isinstance(child, nn.Sequential):
            continue
        names = list(child._modules)
        for a, b in zip(names, names[1:]):
            if isinstance(child._modules[a], nn.Conv2d) and isinstance(child._modules[b], nn.BatchNorm2d):
                child._modules[a] = nn.utils.fusion.fuse_conv_bn_eval(child._modules[a], child._modules[b])
                child._modules[b] = nn.Identity()
    return module


def map_loss(prediction, target, weight):
    total = 0
    for squares, one in zip((prediction - target) ** 2 * weight, target):
        positive = one > 0.1
        negative = squares[~positive]
        count = min(negative.numel(), max(500, 3 * int(positive.sum())))
        total = total + squares[positive].mean() + negative.topk(count).values.mean()
    return total / len(target)


net = Craft() if head == "craft" else CraftLite()
layout = torch.contiguous_format if variant == "plain" else torch.channels_last
image = torch.rand(batch, 3, height, width).contiguous(memory_format=layout)
net = net.to(memory_format=layout)
if mode == "infer":
    net = fold(net.eval())

    def step():
        with torch.inference_mode():
            net(image)

else:
    net.train()
    target = torch.rand(batch, height // 2, width // 2, 2) ** 8
    weight = torch.ones(batch, height // 2, width // 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9, nesterov=True, weight_decay=4e-5)

    def step():
        optimizer.zero_grad(set_to_none=True)
        maps = net(image)
        sum(map_loss(maps[..., i], target[..., i], weight) for i in (0, 1)).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 10)
        optimizer.step()


step(), step()
print("ready", flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        start = time.perf_counter()
        step()
        times.append(f"{(time.perf_counter() - start) * 1000:.2f}")
    print(" ".join(times), flush=True)
