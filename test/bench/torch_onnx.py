"""Writes PyTorch's own ONNX export of a net for infer.mjs. Arguments: net (ssdlite, or a name of timm), batch, size, file."""
import sys, warnings
import torch, torch.nn as nn

warnings.filterwarnings("ignore")
name, batch, size, path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
torch.manual_seed(1)


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        from torch_net import Backbone, Rest

        self.backbone, self.rest = Backbone(), Rest()

    def forward(self, x):
        return self.rest(*self.backbone(x))


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        from import_timm import timm

        self.net = timm.create_model(name)

    def forward(self, x):
        return self.net((x - 127.5) / 127.5)


net = (Detector() if name == "ssdlite" else Classifier()).eval()
torch.onnx.export(net, torch.rand(batch, 3, size, size) * 255, path, dynamo=False, input_names=["image"])
