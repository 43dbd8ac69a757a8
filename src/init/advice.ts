import { cut } from '../errors.js';
import type { Listing } from '../data/formats/detect/listing.js';
import { FOREIGN_EXTENSION } from '../data/image/imageFiles.js';

/** What to do with a folder in which no labels were recognised, by what it has instead of them. */
export async function adviceOn(listing: Listing): Promise<string> {
  const { files, images } = listing;
  const first = (ending: RegExp): string | undefined => files.find((file) => ending.test(file));
  const archive = first(/\.(?:zip|7z|rar|tgz|tar\.(?:gz|bz2|xz))$/i);
  if (archive !== undefined) return `unpack ${archive}, and name the folder that comes out of it`;
  const records = first(/\.(?:tfrecords?|record|mdb|h5|hdf5)$/i);
  if (records !== undefined) return `${records} is a database of another program: export the data from it as COCO`;
  const foreign = first(FOREIGN_EXTENSION);
  if (foreign !== undefined && images.length === 0)
    return `images like ${foreign} cannot be read: save them as JPEG or PNG`;
  const texts = files.filter((file) => /\.txt$/i.test(file)).slice(0, MOST_TEXTS);
  const contents = await Promise.all(texts.map((text) => listing.sample(text)));
  if (texts.length > 1 && contents.filter((text) => text.trim() === '').length >= texts.length - 1)
    return 'the text files are empty, so that no image has a label: label some objects, and export again';
  const table = first(/\.(?:csv|tsv)$/i);
  const [head = ''] = table === undefined ? [] : (await listing.sample(table)).split(/\r\n|[\n\r]/);
  if (head.trim() !== '')
    return `${table!} begins with "${cut(head.trim(), 100)}": call the column of the images filename, that of the classes class, and those of the boxes xmin, ymin, xmax, ymax`;
  const masks = first(/(?:^|\/)(?:masks?|segmentations?|gtFine|SegmentationClass)\//i);
  if (masks !== undefined)
    return `${masks} seems to be a mask or an outline of a segmentation, which is not read: export boxes, for example as COCO`;
  if (files.length > 0 && images.length === files.length)
    return 'there are photos alone: draw boxes with a tool such as Label Studio, CVAT or labelme and save them here, or put the photos of each class into a folder of its own';
  return 'put the images of each class into a folder of its own, or bring annotations in one of the layouts of docs/data.md';
}

/** Text files that are looked at. */
const MOST_TEXTS = 50;
