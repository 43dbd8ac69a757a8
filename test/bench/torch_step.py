"""PyTorch's side of step.mjs: MobileNetV2-SSDLite as src/models builds it (tf_ flavour, symmetric padding), its loss and SGD.

Says `ready`, then answers every line `N` with the milliseconds of each of N repetitions. Arguments: mode (full | frozen | infer), variant
(plain | channels_last | compile | onnx), batch, size.
"""
import sys, time, warnings
import torch, torch.nn as nn, torch.nn.functional as F
from torch_net import CLASSES, Backbone, Rest

warnings.filterwarnings("ignore")
torch.manual_seed(1)
mode, variant, batch, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])


def fold(module):
    """Conv-BatchNorm pairs become one convolution, by hand: what a careful person does for a frozen prefix."""
    for child in module.modules():
        if isinstance(child, nn.Sequential) and len(child) > 1 and isinstance(child[1], nn.BatchNorm2d):
            child[0], child[1] = torch.nn.utils.fusion.fuse_conv_bn_eval(child[0].eval(), child[1].eval()), nn.Identity()
    return module


def loss_of(boxes, logits, labels, offsets):
    positive = labels > 0
    matches = positive.sum().clamp(min=1)
    box = F.smooth_l1_loss(boxes[positive], offsets[positive], reduction="sum")
    target = F.one_hot(labels.clamp(min=0), CLASSES + 1)[..., 1:].float()
    p = logits.sigmoid()
    ce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    wrong = p + target - 2 * p * target
    focal = (0.25 * target + 0.75 * (1 - target)) * wrong**2 * ce
    return (box + (focal.sum(-1) * (labels >= 0)).sum()) / matches


backbone, rest = Backbone(), Rest()
image = torch.rand(batch, 3, size, size) * 255
layout = torch.contiguous_format if variant == "plain" else torch.channels_last
backbone, rest, image = backbone.to(memory_format=layout), rest.to(memory_format=layout), image.contiguous(memory_format=layout)
with torch.no_grad():
    anchors = rest.eval()(*backbone.eval()(image[:1]))[0].shape[1]
labels = torch.zeros(batch, anchors, dtype=torch.long)
labels[:, ::200] = torch.arange(len(labels[0, ::200])) % CLASSES + 1
offsets = torch.rand(batch, anchors, 4)

if mode == "infer":
    fold(backbone.eval())
    fold(rest.eval())
    net = lambda x: rest(*backbone(x))
    if variant == "compile":
        net = torch.compile(net)
    if variant == "onnx":
        import io, onnxruntime, os, tempfile

        class Whole(nn.Module):
            def __init__(self):
                super().__init__()
                self.backbone, self.rest = backbone, rest

            def forward(self, x):
                return self.rest(*self.backbone(x))

        path = os.path.join(tempfile.mkdtemp(), "net.onnx")
        torch.onnx.export(Whole().eval().to(memory_format=torch.contiguous_format), image.contiguous(), path, dynamo=False)
        session, fed = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]), image.contiguous().numpy()
        name = session.get_inputs()[0].name

    def step():
        if variant == "onnx":
            session.run(None, {name: fed})
        else:
            with torch.inference_mode():
                net(image)

else:
    frozen = mode == "frozen"
    if frozen:
        backbone = fold(backbone.eval())
        for p in backbone.parameters():
            p.requires_grad_(False)
    else:
        backbone.train()
    rest.train()
    trained = [p for m in ([rest] if frozen else [backbone, rest]) for p in m.parameters()]
    optimizer = torch.optim.SGD(trained, lr=1e-3, momentum=0.9, nesterov=True, weight_decay=4e-5)

    def forward(x, labels, offsets):
        if frozen:
            with torch.no_grad():
                features = backbone(x)
        else:
            features = backbone(x)
        return loss_of(*rest(*features), labels, offsets)

    if variant == "compile":
        forward = torch.compile(forward)

    def step():
        optimizer.zero_grad(set_to_none=True)
        forward(image, labels, offsets).backward()
        nn.utils.clip_grad_norm_(trained, 10)
        optimizer.step()


step(), step()
print("ready", flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        t = time.perf_counter()
        step()
        times.append(round((time.perf_counter() - t) * 1e3, 2))
    print(" ".join(map(str, times)), flush=True)
