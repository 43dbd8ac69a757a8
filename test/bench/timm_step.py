"""PyTorch's side of step.mjs for a classifier: a whole training step of one of timm's networks, 1,000 classes.

Says `ready`, then answers every line `N` with the milliseconds of each of N repetitions. Arguments: model, variant
(plain | channels_last), batch, size.
"""
import sys, time, warnings
import torch, torch.nn.functional as F
from import_timm import timm

warnings.filterwarnings("ignore")
torch.manual_seed(1)
name, variant, batch, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
layout = torch.contiguous_format if variant == "plain" else torch.channels_last
model = timm.create_model(name, num_classes=1000).train().to(memory_format=layout)
image = ((torch.rand(batch, 3, size, size) - 0.45) / 0.225).contiguous(memory_format=layout)
labels = torch.arange(batch) * 7 % 1000
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, nesterov=True, weight_decay=4e-5)


def step():
    optimizer.zero_grad(set_to_none=True)
    F.cross_entropy(model(image), labels).backward()
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
