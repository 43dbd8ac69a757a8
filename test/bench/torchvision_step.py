"""torchvision's side of step.mjs for its detectors: a whole training step with COCO's columns, on ResNet-50 with stem, first layer and
BatchNorms frozen. Needs a torchvision with its C++ operators.

Says `ready`, then answers every line `N` with the milliseconds of each of N repetitions. Arguments: head (ssdlite | retinanet | fasterRcnn), variant
(plain | channels_last), batch, size.
"""
import sys, time, warnings
import torch
from torchvision.models import resnet50
from torchvision.models.detection import FasterRCNN, RetinaNet, ssdlite320_mobilenet_v3_large
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.ops.feature_pyramid_network import LastLevelP6P7
from torchvision.ops.misc import FrozenBatchNorm2d

warnings.filterwarnings("ignore")
torch.manual_seed(1)
head, variant, batch, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
body = resnet50(norm_layer=FrozenBatchNorm2d)
if head == "ssdlite":
    model = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=91)
elif head == "retinanet":
    backbone = _resnet_fpn_extractor(body, 3, returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7(256, 256))
    model = RetinaNet(backbone, 91, min_size=size, max_size=size)
else:
    model = FasterRCNN(_resnet_fpn_extractor(body, 3), 91, min_size=size, max_size=size)
model.train()
if variant == "channels_last":
    model = model.to(memory_format=torch.channels_last)
images = [torch.rand(3, size, size) for _ in range(batch)]
sides = [20, 32, 48, 64, 100, 160]
boxes = torch.tensor([[i * 20, i * 18, i * 20 + w, i * 18 + w] for i, w in enumerate(sides)], dtype=torch.float32)
targets = [{"boxes": boxes, "labels": torch.arange(len(sides)) * 7 + 1} for _ in range(batch)]
trained = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.SGD(trained, lr=1e-6, momentum=0.9, weight_decay=4e-5 if head == "ssdlite" else 1e-4)


def step():
    optimizer.zero_grad(set_to_none=True)
    sum(model(images, targets).values()).backward()
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
