"""Asks a server that speaks to DeepStack, with the clients of pip.

    ask.py PORT TOKEN TASK LEAST_CONFIDENCE PHOTO

prints as JSON what each client reads, by its name: objects are [label, confidence, x_min, y_min, x_max, y_max], and a
scene is [label, confidence]. `refused` has what the clients say about a wrong token.
"""
import json
import sys

import requests
from deepstack import core
from deepstack_sdk import Detection, SceneRecognition, ServerConfig

PORT, TOKEN, TASK, LEAST, PHOTO = sys.argv[1:]
LEAST = float(LEAST)
URL = f'http://127.0.0.1:{PORT}'
with open(PHOTO, 'rb') as file:
    PHOTO_BYTES = file.read()


def row(found):
    return [found['label'], found['confidence'], found['x_min'], found['y_min'], found['x_max'], found['y_max']]


def deepstack_python(token):
    where = {'ip': '127.0.0.1', 'port': PORT, 'api_key': token, 'min_confidence': LEAST}
    if TASK == 'classification':
        found = core.DeepstackScene(**where).recognize(PHOTO_BYTES)
        return [found['label'], found['confidence']]
    objects = core.DeepstackObject(**where).detect(PHOTO_BYTES)
    assert core.DeepstackObject(**where, custom_model='mine').detect(PHOTO_BYTES) == objects
    return [row(found) for found in objects]


def deepstack_sdk(token):
    config = ServerConfig(URL, api_key=token)
    if TASK == 'classification':
        found = SceneRecognition(config).recognizeScene(PHOTO)
        return [found.label, found.confidence]
    objects = Detection(config).detectObject(PHOTO, min_confidence=LEAST)
    assert len(Detection(config, name='mine').detectObject(PHOTO_BYTES, min_confidence=LEAST)) == len(objects)
    return [row(vars(found)) for found in objects]


def camera_box(token):
    """Reads the answer as a recorder of cameras does: a JPEG in a form, at most 20 objects, boxes without a least
    confidence."""
    answer = requests.post(
        f'{URL}/v1/vision/detection', data={'api_key': token}, files={'image': PHOTO_BYTES}, timeout=5
    ).json()
    return [row(found) for found in answer['predictions'][:20]]


def refusal(ask):
    try:
        ask('another token')
    except Exception as error:
        return str(error)


clients = [deepstack_python, deepstack_sdk] + ([camera_box] if TASK == 'detection' else [])
read = {client.__name__: client(TOKEN) for client in clients}
print(json.dumps({**read, 'refused': [refusal(client) for client in clients[:2]]}))
