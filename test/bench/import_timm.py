"""timm, also beside a torchvision that was built for another torch: that one lacks its C++ operators, and does not import before each
of them has been declared."""
import importlib, re
import torch

library = torch.library.Library("torchvision", "FRAGMENT")


def load():
    while True:
        try:
            return importlib.import_module("timm")
        except RuntimeError as error:
            missing = re.search(r"torchvision::(\w+) does not exist", str(error))
            if not missing:
                raise
            library.define(f"{missing[1]}(Tensor x) -> Tensor")


timm = load()
