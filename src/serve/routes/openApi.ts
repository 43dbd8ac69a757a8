import { MOST_IMAGES } from '../readRequest.js';

/** The shapes of requests and answers, for the OpenAPI page: nothing is checked by them. */
const object = (properties: object, required = Object.keys(properties)) => ({ type: 'object', properties, required });
const list = (items: object) => ({ type: 'array', items });
const [text, number, integer, truth] = ['string', 'number', 'integer', 'boolean'].map((type) => ({ type })) as [
  object,
  object,
  object,
  object,
];
const file = { type: 'string', format: 'binary' };

const error = object({ error: object({ code: text, message: text, fix: text }, ['code', 'message']) });
const found = {
  oneOf: [
    object({ category: text, categoryId: integer, score: number, box: list(number) }),
    object({ score: number, polygon: list(list(number)) }),
    object({ category: text, categoryId: integer, probability: number }),
  ],
};
const result = object({ file: text, width: integer, height: integer, predictions: list(found) }, [
  'width',
  'height',
  'predictions',
]);
const image = { oneOf: [object({ image: text }), object({ file: text })] };

const refusals = Object.fromEntries(
  Object.entries({
    400: 'The request is wrong.',
    401: 'The token is missing or wrong.',
    403: 'The request comes from a page of another server.',
    413: 'The body or the image is too large.',
    415: 'The body has a type that is not read here.',
    422: 'The image cannot be decoded.',
    429: 'The address has sent too many requests.',
    503: 'The server is busy, or stops: try again.',
  }).map(([status, description]) => [status, { description, content: { 'application/json': { schema: error } } }]),
);

const json = (schema: object, description: string) => ({ description, content: { 'application/json': { schema } } });

export const predictSchema = {
  summary: 'Finds objects, words or the class in an image',
  description: `The image is the body, a file of a form, or base64 in JSON. Several images (${MOST_IMAGES} at most) give a list of results; one that cannot be read has an error in its place.`,
  consumes: ['image/jpeg', 'application/octet-stream', 'multipart/form-data', 'application/json'],
  querystring: object({ threshold: { ...number, description: 'Least score; it only raises that of the server.' } }, []),
  body: {
    content: {
      'image/*': { schema: file },
      'multipart/form-data': { schema: object({ image: file }) },
      'application/json': { schema: { oneOf: [...image.oneOf, object({ images: list(image) })] } },
    },
  },
  response: {
    200: json({ oneOf: [result, list({ oneOf: [result, error] })] }, 'What was found, best first.'),
    ...refusals,
  },
};

const form = object({ image: file, min_confidence: number, api_key: text }, ['image']);
const formBody = { content: { 'multipart/form-data': { schema: form } } };
const corners = { label: text, confidence: number, y_min: integer, x_min: integer, y_max: integer, x_max: integer };

export const detectionSchema = {
  summary: 'Finds objects, in the form of DeepStack',
  consumes: ['multipart/form-data'],
  body: formBody,
  response: { 200: json(object({ success: truth, predictions: list(object(corners)) }), 'The objects.') },
};
export const sceneSchema = {
  summary: 'Names the class of an image, in the form of DeepStack',
  consumes: ['multipart/form-data'],
  body: formBody,
  response: { 200: json(object({ success: truth, label: text, confidence: number }), 'The class.') },
};
export const healthSchema = {
  summary: 'Tells which model answers',
  response: {
    200: json(
      object({
        status: text,
        task: text,
        classes: list(text),
        sha256: text,
        scoreThreshold: number,
        input: list(integer),
      }),
      'The model.',
    ),
  },
};
export const metricsSchema = {
  summary: 'Numbers for Prometheus',
  response: { 200: { description: 'Prometheus text.', content: { 'text/plain': { schema: text } } } },
};
