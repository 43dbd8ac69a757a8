"""PyTorch's side of bccd.mjs: finetunes the same SSD-lite from the same weights, on the same images, with the same augmentation, matching,
loss, schedule and weight decay, keeps the epoch with the best AP on `val` and scores it on `test` with pycocotools.

Arguments: check | time | train, directory of bccd_start.mjs, memory format (plain | channels_last; not for time). Prints a line of JSON.
"""
import contextlib, io, json, math, sys, time

begun = time.perf_counter()
import numpy as np, torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from safetensors.torch import load_file
from torch.utils.data import DataLoader
from bccd_data import Part, decode
from bccd_net import SsdLite, multi_box_loss

torch.set_num_threads(2)
WORKERS = 2
mode, directory = sys.argv[1:3]
start = json.load(open(f"{directory}/start.json"))
settings, schedule, evaluate = start["train"], start["schedule"], start["evaluate"]
batch, names = settings["batch"], [category["name"] for category in start["categories"]]
anchors = np.array(start["anchors"], np.float32).reshape(-1, 4)


def open_model(variant):
    model = SsdLite(len(names) + 1, start["anchorsPerCell"], **start["batchNorm"])
    known = {name for name in model.state_dict() if not name.endswith("num_batches_tracked")}
    weights = load_file(f"{directory}/start.safetensors")
    assert known == weights.keys(), known ^ weights.keys()
    model.load_state_dict(weights, strict=False)
    layout = torch.contiguous_format if variant == "plain" else torch.channels_last
    model = model.to(memory_format=layout)
    decays = set(start["decays"])
    groups = [{"params": [p for name, p in model.named_parameters() if (name in decays) == flag], "weight_decay": decay} for flag, decay in [(True, settings["optimizer"]["weightDecay"]), (False, 0)]]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=settings["optimizer"]["momentum"], nesterov=settings["optimizer"]["nesterov"])
    return model, optimizer, layout


def step(model, optimizer, lr, image, labels, offsets):
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.zero_grad(set_to_none=True)
    loss = multi_box_loss(*model(image), labels, offsets, settings["hardNegatives"])
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), settings["clipNorm"])
    optimizer.step()
    return loss.item()


def learning_rate(done):
    """A linear rise, then a half cosine to 0."""
    peak, warmup, total = schedule["peak"], schedule["warmupSteps"], schedule["totalSteps"]
    if done < warmup:
        return peak * (done + 1) / warmup
    return peak / 2 * (1 + math.cos(math.pi * (done - warmup) / max(total - warmup, 1)))


def score(model, layout, part, loader):
    """COCO's AP and AP50."""
    rows, detections, (height, width) = start["parts"][part], [], start["size"]
    model.eval()
    with torch.inference_mode():
        for i, (image, _, _) in enumerate(loader):
            offsets, logits = model(image.float().contiguous(memory_format=layout))
            for j, (own, scores) in enumerate(zip(offsets.numpy(), logits.softmax(2)[..., 1:].numpy())):
                number = i * batch + j
                sx, sy = rows[number]["width"] / width, rows[number]["height"] / height
                for k, confidence, x1, y1, x2, y2 in decode(own, scores, anchors, start["size"], evaluate):
                    box = [x1 * sx, y1 * sy, (x2 - x1) * sx, (y2 - y1) * sy]
                    detections.append({"image_id": number, "category_id": start["categories"][k]["id"], "bbox": [float(v) for v in box], "score": float(confidence)})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = start["truth"][part]
        truth.createIndex()
        result = COCOeval(truth, truth.loadRes(detections), "bbox")
        result.evaluate(), result.accumulate(), result.summarize()
    return float(result.stats[0]), float(result.stats[1])


def check():
    """Largest differences from what ours has: outputs, losses of three steps (relative), targets of images as they are; labels that
    differ; mean difference of the pixels, which two libraries resize."""
    given = load_file(f"{directory}/check.safetensors")
    model, optimizer, layout = open_model(sys.argv[3])
    pixels = lambda name: given[f"image.{name}"].permute(0, 3, 1, 2).contiguous(memory_format=layout)
    with torch.no_grad():
        boxes, logits = model.eval()(pixels("val"))
    part = Part(start["parts"]["val"], start, augment=False)
    image, labels, offsets = [torch.from_numpy(np.stack(arrays)) for arrays in zip(*[part[0, i] for i in range(batch)])]
    model.train()
    losses = [step(model, optimizer, schedule["peak"], pixels(k), given[f"labels.{k}"].long(), given[f"offsets.{k}"]) for k in range(3)]
    far = lambda a, b: (a - b).abs().max().item()
    return {
        "boxes": far(boxes, given["boxes"]),
        "logits": far(logits, given["logits"]),
        "losses": far(torch.tensor(losses) / given["losses"], torch.ones(3)),
        "labels": (labels != given["labels.val"]).sum().item(),
        "offsets": far(offsets, given["offsets.val"]),
        "pixels": (image - pixels("val")).abs().mean().item(),
    }


def time_formats():
    """Milliseconds of a step, plain and channels_last in turns."""
    opened = {variant: open_model(variant) for variant in ["plain", "channels_last"]}
    part = Part(start["parts"]["train"], start, augment=True)
    image, labels, offsets = [torch.from_numpy(np.stack(arrays)) for arrays in zip(*[part[0, i] for i in range(batch)])]
    times = {variant: [] for variant in opened}
    for round in range(5):
        for variant, (model, optimizer, layout) in opened.items():
            model.train()
            fed = image.float().contiguous(memory_format=layout)
            t = time.perf_counter()
            step(model, optimizer, 1e-3, fed, labels, offsets)
            times[variant].append((time.perf_counter() - t) * 1e3)
    return {variant: sorted(all[1:])[len(all[1:]) // 2] for variant, all in times.items()}


def train():
    torch.manual_seed(start["seed"])
    model, optimizer, layout = open_model(sys.argv[3])
    rng, count, per_epoch = np.random.default_rng(start["seed"]), len(start["parts"]["train"]), schedule["stepsPerEpoch"]
    plan = []
    for epoch in range(settings["epochs"]):
        order = rng.permutation(count)
        plan += [[(epoch, int(i)) for i in order[k * batch : (k + 1) * batch]] for k in range(per_epoch)]
    loading = {"num_workers": WORKERS, "persistent_workers": True}
    batches = iter(DataLoader(Part(start["parts"]["train"], start, True), batch_sampler=plan, **loading))
    pairs = lambda part: [[(0, i) for i in range(len(start["parts"][part]))][k : k + batch] for k in range(0, len(start["parts"][part]), batch)]
    open_part = lambda part: DataLoader(Part(start["parts"][part], start, False), batch_sampler=pairs(part), **loading)
    val, best, done, spent = open_part("val"), (-1, 0, None), 0, {"train": 0, "evaluate": 0}
    for epoch in range(settings["epochs"]):
        t, losses = time.perf_counter(), []
        model.train()
        for _ in range(per_epoch):
            image, labels, offsets = next(batches)
            losses.append(step(model, optimizer, learning_rate(done), image.float().contiguous(memory_format=layout), labels, offsets))
            done += 1
        spent["train"] += time.perf_counter() - t
        t = time.perf_counter()
        ap, ap50 = score(model, layout, "val", val)
        if ap > best[0]:
            best = ap, epoch + 1, {name: value.clone() for name, value in model.state_dict().items()}
        spent["evaluate"] += time.perf_counter() - t
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}, val AP {ap:.3f}, AP50 {ap50:.3f}", file=sys.stderr, flush=True)
    model.load_state_dict(best[2])
    ap, ap50 = score(model, layout, "test", open_part("test"))
    return {"AP": ap, "AP50": ap50, "epoch": best[1], **spent, "seconds": time.perf_counter() - begun}


print(json.dumps({"check": check, "time": time_formats, "train": train}[mode]()), flush=True)
