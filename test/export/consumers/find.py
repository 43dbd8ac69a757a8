"""Finds objects with an exported model as programs that use these libraries do.

    find.py CONSUMER MODEL_FOLDER PHOTO...

prints a list for each photo of [class, score, left, top, right, bottom], in pixels of the input. Photos have its size.
"""
import json
import sys

import cv2
import numpy as np

CONSUMER, FOLDER, *PHOTOS = sys.argv[1:]
CARD = json.load(open(FOLDER + '/model-card.json'))
SELECTION = CARD['description']['selection']
LEAST, IOU = 0.3, SELECTION['nmsThreshold']
SIZE = CARD['input']['shape']


def rgb(photo):
    return cv2.cvtColor(cv2.imread(photo), cv2.COLOR_BGR2RGB)


def blob(photo, scale=1.0):
    return cv2.dnn.blobFromImage(cv2.imread(photo), scale, (SIZE[3], SIZE[2]), swapRB=True)


def suppressed(boxes, scores):
    """boxes [R, 4] by their corners, scores [R, K]: what NMSBoxes keeps in each class."""
    found = []
    for k in range(scores.shape[1]):
        sides = [[x1, y1, x2 - x1, y2 - y1] for x1, y1, x2, y2 in boxes.tolist()]
        for row in np.array(cv2.dnn.NMSBoxes(sides, scores[:, k].tolist(), LEAST, IOU)).ravel():
            found.append([k, scores[row, k], *boxes[row]])
    return found


def open_onnxruntime():
    """A model with --nms in returns detections."""
    import onnxruntime

    session = onnxruntime.InferenceSession(FOLDER + '/model.onnx')

    def find(photo):
        feeds = {'image': rgb(photo)[None].astype('float32')}
        boxes, scores, classes, count = session.run(['boxes', 'scores', 'classes', 'count'], feeds)
        return [[classes[0, i], scores[0, i], *boxes[0, i]] for i in range(round(float(count[0])))]

    return find


def open_opencv():
    net = cv2.dnn.readNetFromONNX(FOLDER + '/model.onnx')

    def find(photo):
        net.setInput(blob(photo))
        boxes, scores = net.forward(['boxes', 'scores'])
        return suppressed(boxes[0], scores[0])

    return find


def open_openvino():
    import openvino

    model = openvino.Core().compile_model(FOLDER + '/model.onnx', 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})

    def find(photo):
        found = model(blob(photo))
        return suppressed(found['boxes'][0], found['scores'][0])

    return find


def open_ultralytics():
    """What ultralytics does with the output of a YOLOv8: non_max_suppression of its utils/nms.py, with one label for a box."""
    import onnxruntime

    session = onnxruntime.InferenceSession(FOLDER + '/model.onnx')

    def find(photo):
        (output,) = session.run(['output0'], {'images': blob(photo, 1 / 255)})
        rows = output[0].T
        rows = rows[rows[:, 4:].max(1) > LEAST]
        centre, half = rows[:, :2], rows[:, 2:4] / 2
        boxes = np.concatenate([centre - half, centre + half], 1)
        best = rows[:, 4:].argmax(1)
        scores = np.where(np.arange(rows.shape[1] - 4) == best[:, None], rows[:, 4:], 0)
        return suppressed(boxes, scores)

    return find


def open_frigate_onnx():
    """frigate/detectors/plugins/onnx.py for model_type: yolonas, with input_dtype: float_denorm."""
    import onnxruntime

    session = onnxruntime.InferenceSession(FOLDER + '/model.onnx')
    name = session.get_inputs()[0].name

    def find(photo):
        (rows,) = session.run(None, {name: blob(photo)})
        found = []
        for _, x1, y1, x2, y2, score, k in rows[:20]:
            if k < 0:
                break
            found.append([k, score, x1, y1, x2, y2])
        return found

    return find


def open_litert():
    """frigate/detectors/plugins/cpu_tfl.py: the outputs by their order."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(FOLDER + '/model.tflite')
    interpreter.allocate_tensors()
    height, width = SIZE[1:3]

    def find(photo):
        interpreter.set_tensor(interpreter.get_input_details()[0]['index'], rgb(photo)[None])
        interpreter.invoke()
        boxes, classes, scores, count = (interpreter.get_tensor(one['index']) for one in interpreter.get_output_details())
        sides = boxes[0] * [height, width, height, width]
        return [
            [classes[0, i], scores[0, i], *sides[i][[1, 0, 3, 2]]] for i in range(min(20, round(float(count[0]))))
        ]

    return find


find = globals()['open_' + CONSUMER]()
print(json.dumps([[[float(x) for x in one] for one in find(photo) if one[1] >= LEAST] for photo in PHOTOS]))
