"""The peers' side of coco.mjs: one evaluation, one line of JSON. Arguments: peer, annotations, results."""

import json
import resource
import sys

peer, annotations, results = sys.argv[1:]
if peer == "pycocotools":
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
elif peer == "faster-coco-eval":
    from faster_coco_eval import COCO, COCOeval_faster as COCOeval
else:
    from hotcoco import COCO, COCOeval

gt = COCO(annotations)
run = COCOeval(gt, gt.loadRes(results), iouType="bbox") if peer == "faster-coco-eval" else COCOeval(gt, gt.loadRes(results), "bbox")
run.evaluate()
run.accumulate()
run.summarize()
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"stats": [float(s) for s in run.stats], "peakMB": usage.ru_maxrss / 1024, "cpu": usage.ru_utime + usage.ru_stime}))
