import { NAMES, type SmallImage } from '../smallSet.js';
import { corners, idOf, imagesOf, json, placePictures, shares, tool, type Tool } from './shared.js';

/** The XML of CVAT for images; with subsets, as a project exports them. */
const cvatXml = (images: readonly SmallImage[], subsets: boolean): string => {
  const labels = NAMES.map(
    (name) => `<label><name>${name}</name><color>#fa3253</color><attributes></attributes></label>`,
  );
  const shape = ({ name, box: [x, y, w, h] }: SmallImage['boxes'][number], i: number): string =>
    i % 2 === 0
      ? `    <box label="${name}" source="manual" occluded="0" xtl="${x}.00" ytl="${y}.00" xbr="${x + w}.00" ybr="${y + h}.00" z_order="0">\n      <attribute name="sure">yes</attribute>\n    </box>\n`
      : `    <polygon label="${name}" source="manual" occluded="0" points="${x}.00,${y}.00;${x + w}.00,${y}.00;${x + w}.00,${y + h}.00;${x}.00,${y + h}.00" z_order="0">\n    </polygon>\n`;
  const entries = images.map(
    (image, id) =>
      `  <image id="${id}" name="${image.stem}.jpg"${subsets ? ` subset="${image.part === 'val' ? 'Validation' : 'Train'}"` : ''} width="${image.width}" height="${image.height}">\n${image.boxes.map(shape).join('')}  </image>\n`,
  );
  const kind = subsets ? 'project' : 'task';
  return `<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta><${kind}><id>7</id><name>blood</name><labels>${labels.join('')}</labels></${kind}></meta>\n${entries.join('')}</annotations>\n`;
};

/** The XML of CVAT for video: a track for each object, which leaves after one frame. */
const cvatVideo = (images: readonly SmallImage[]): string => {
  const tracks = images.flatMap(({ boxes }, frame) =>
    boxes.map(({ name, box: [x, y, w, h] }, id) => {
      const shape = (at: number, outside: number): string =>
        `    <box frame="${at}" keyframe="1" outside="${outside}" occluded="0" xtl="${x}.00" ytl="${y}.00" xbr="${x + w}.00" ybr="${y + h}.00" z_order="0">\n    </box>\n`;
      return `  <track id="${100 * frame + id}" label="${name}" source="manual">\n${shape(frame, 0)}${shape(frame + 1, 1)}  </track>\n`;
    }),
  );
  const labels = NAMES.map((name) => `<label><name>${name}</name></label>`).join('');
  return `<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta><task><size>${images.length}</size><mode>interpolation</mode><labels>${labels}</labels></task></meta>\n${tracks.join('')}</annotations>\n`;
};

const lines = (values: readonly unknown[]): string => values.map((value) => `${JSON.stringify(value)}\n`).join('');

export const cloudsTools: Readonly<Record<string, Tool>> = {
  'CVAT for images': tool(
    'cvat',
    async (place, images) => {
      await placePictures(place, images, ({ stem }) => `images/${stem}.jpg`);
      place('annotations.xml', cvatXml(images, false));
    },
    ['train'],
  ),
  'CVAT for video': tool(
    'cvat',
    async (place, images) => {
      const frames = new Map(
        images.map((image, frame) => [image, `images/frame_${String(frame).padStart(6, '0')}.jpg`]),
      );
      await placePictures(place, images, (image) => frames.get(image)!);
      place('annotations.xml', cvatVideo(images));
    },
    ['train'],
  ),
  'CVAT project': tool('cvat', async (place, images) => {
    await placePictures(
      place,
      images,
      ({ part, stem }) => `images/${part === 'val' ? 'Validation' : 'Train'}/${stem}.jpg`,
    );
    place('annotations.xml', cvatXml(images, true));
  }),
  Supervisely: tool('supervisely', async (place, images) => {
    await placePictures(place, images, ({ part, stem }) => `${part}/img/${stem}.jpg`);
    place(
      'meta.json',
      json({ classes: NAMES.map((title) => ({ title, shape: 'rectangle', color: '#5a8' })), tags: [] }),
    );
    for (const { part, stem, width, height, boxes } of images) {
      const objects = boxes.map((box, i) => ({
        id: i,
        classTitle: box.name,
        geometryType: i % 2 === 0 ? 'rectangle' : 'polygon',
        tags: [],
        points: { exterior: i % 2 === 0 ? [corners(box)[0], corners(box)[2]] : corners(box), interior: [] },
      }));
      place(`${part}/ann/${stem}.jpg.json`, json({ description: '', tags: [], size: { height, width }, objects }));
    }
  }),
  'Vertex AI': tool('cloud', async (place, images) => {
    await placePictures(place, images, ({ stem }) => `photos/${stem}.jpg`);
    const values = images.map((image) => ({
      imageGcsUri: `gs://bucket/photos/${image.stem}.jpg`,
      boundingBoxAnnotations: image.boxes.map((box) => {
        const [xMin, yMin, xMax, yMax] = shares(image, box);
        return { displayName: box.name, xMin, yMin, xMax, yMax };
      }),
      dataItemResourceLabels: { 'aiplatform.googleapis.com/ml_use': image.part === 'val' ? 'validation' : 'training' },
    }));
    place('import.jsonl', lines(values));
  }),
  'SageMaker Ground Truth': tool('cloud', async (place, images) => {
    await placePictures(place, images, ({ stem }) => `images/${stem}.jpg`);
    const classMap = Object.fromEntries(NAMES.map((name, i) => [String(i), name]));
    for (const part of ['train', 'val']) {
      const values = imagesOf(images, part).map(({ stem, width, height, boxes }) => ({
        'source-ref': `s3://bucket/images/${stem}.jpg`,
        'cells-job': {
          image_size: [{ width, height, depth: 3 }],
          annotations: boxes.map(({ name, box: [left, top, w, h] }) => ({
            class_id: idOf(name),
            ...{ top, left, height: h, width: w },
          })),
        },
        'cells-job-metadata': {
          objects: boxes.map(() => ({ confidence: 0 })),
          'class-map': classMap,
          type: 'groundtruth/object-detection',
          'human-annotated': 'yes',
        },
      }));
      place(`manifests/${part}/output.manifest`, lines(values));
    }
  }),
};
