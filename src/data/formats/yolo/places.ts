import { readingsOf } from '../../image/readings.js';
import { partOf } from '../detect/parts.js';

/** The ways to read a folder or a list of data.yaml as a path, those that keep most of it first. Leading folders are left
 *  out, since they often are those of another computer, but never the one that names the part: ../test/images does not
 *  mean any folder that is called images. */
export function placeReadings(place: string): string[] {
  if (/^\.?[\\/]?$/.test(place)) return ['.'];
  const part = partOf(place.replaceAll('\\', '/'));
  const readings = readingsOf(place).sort((a, b) => b.kept - a.kept);
  return [...new Set(readings.map(({ path }) => path))].filter((path) => partOf(path) === part);
}
