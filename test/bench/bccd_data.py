"""Images, augmentation, targets and detections of bccd_peer.py, as src/data and src/tasks make them."""
import cv2, numpy as np
from PIL import Image
from torch.utils.data import Dataset

cv2.setNumThreads(1)  # the workers are the threads
MATCH_IOU, CENTRE, SIZE, LARGEST_LOG_SIZE = 0.5, 10, 5, np.log(1000 / 16)


def corners(anchors):
    return np.concatenate([anchors[:, :2] - anchors[:, 2:] / 2, anchors[:, :2] + anchors[:, 2:] / 2], 1)


def ious(a, b):
    """[N, 4], [M, 4] → [N, M], in double precision as in geometry/box.ts: equal anchors stay equal, and the first one wins."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    side = lambda k: (np.minimum(a[:, None, k + 2], b[None, :, k + 2]) - np.maximum(a[:, None, k], b[None, :, k])).clip(0)
    overlap = side(0) * side(1)
    area = lambda x: (x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1])
    return overlap / (area(a)[:, None] + area(b)[None] - overlap)


def encode(anchors, boxes, classes):
    """labels [A] and offsets [A, 4]: an anchor takes the box it overlaps most if by 0.5, and each box its best anchor."""
    labels, offsets = np.zeros(len(anchors), np.int64), np.zeros((len(anchors), 4), np.float32)
    if len(boxes) == 0:
        return labels, offsets
    overlap = ious(corners(anchors), boxes)
    match = np.where(overlap.max(1) >= MATCH_IOU, overlap.argmax(1), -1)
    for box, anchor in enumerate(overlap.argmax(0)):
        match[anchor] = box
    rows = np.flatnonzero(match >= 0)
    truth, own = boxes[match[rows]], anchors[rows]
    labels[rows] = classes[match[rows]] + 1
    offsets[rows, :2] = ((truth[:, :2] + truth[:, 2:]) / 2 - own[:, :2]) / own[:, 2:] * CENTRE
    offsets[rows, 2:] = np.log((truth[:, 2:] - truth[:, :2]) / own[:, 2:]) * SIZE
    return labels, offsets


def distort(pixels, rng):
    """SSD's photometric distortion with the ranges of src/data/photometric.ts, in its order."""
    maybe = lambda low, high: rng.uniform(low, high) if rng.random() < 0.5 else None
    brightness, contrast = maybe(-32, 32) or 0, maybe(0.5, 1.5) or 1
    first, saturation, hue = rng.random() < 0.5, maybe(0.5, 1.5), maybe(-18, 18)
    level = np.clip(np.arange(256) + brightness, 0, 255)
    byte = lambda x: np.clip(np.rint(x), 0, 255).astype(np.uint8)
    if saturation is None and hue is None:
        return cv2.LUT(pixels, byte(level * contrast))
    hsv = cv2.cvtColor(cv2.LUT(pixels, byte(level * (contrast if first else 1))).astype(np.float32), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + (hue or 0)) % 360
    hsv[..., 1] = np.minimum(hsv[..., 1] * (saturation or 1), 1)
    changed = byte(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB))
    return changed if first else cv2.LUT(changed, byte(np.arange(256) * contrast))


class Part(Dataset):
    """Items by (epoch, row): pixels uint8 [3, H, W], labels, offsets. Without `augment` as they are."""

    def __init__(self, rows, start, augment):
        self.rows, self.size, self.seed, self.augment = rows, start["size"], start["seed"], augment and start["augment"]
        self.anchors = np.array(start["anchors"], np.float32).reshape(-1, 4)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, item):
        epoch, index = item
        row, (height, width) = self.rows[index], self.size
        with Image.open(row["file"]) as image:
            pixels = np.asarray(image.convert("RGB").resize((width, height), Image.BILINEAR))
        boxes = np.array(row["boxes"], np.float32).reshape(-1, 4) * np.float32([width / row["width"], height / row["height"]] * 2)
        if self.augment:
            rng = np.random.default_rng([self.seed, epoch, index])
            if self.augment["photometric"]:
                pixels = distort(pixels, rng)
            if rng.random() < self.augment["flip"]:
                pixels, boxes = pixels[:, ::-1], np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)
        labels, offsets = encode(self.anchors, boxes, np.array(row["classes"], np.int64))
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)), labels, offsets


def decode(offsets, scores, anchors, size, evaluate):
    """Boxes of one image: offsets [A, 4], scores [A, classes] → [(class, score, x1, y1, x2, y2)], the best of all classes after NMS in each."""
    centre = offsets[:, :2] / CENTRE * anchors[:, 2:] + anchors[:, :2]
    sides = np.exp(np.minimum(offsets[:, 2:] / SIZE, LARGEST_LOG_SIZE)) * anchors[:, 2:]
    boxes = np.clip(corners(np.concatenate([centre, sides], 1)), 0, np.array([size[1], size[0]] * 2))
    found = []
    for k in range(scores.shape[1]):
        rows = np.flatnonzero(scores[:, k] > evaluate["scoreThreshold"])
        rows = rows[np.argsort(-scores[rows, k], kind="stable")][: evaluate["candidates"]]
        with np.errstate(invalid="ignore"):
            overlap = ious(boxes[rows], boxes[rows]) > evaluate["nmsThreshold"]
        alive, kept = np.ones(len(rows), bool), []
        while len(kept) < evaluate["maxDetections"] and alive.any():
            best = alive.argmax()
            kept.append(best)
            alive &= ~overlap[best]
            alive[best] = False
        found += [(k, scores[rows[i], k], *boxes[rows[i]]) for i in kept]
    return sorted(found, key=lambda one: -one[1])[: evaluate["maxDetections"]]
