import { basename, extname } from 'node:path';

/** How a page names an image: by its file, with the id of the annotation file if that is not a part of the file's path. */
export function imageName({ file, imageId }: { readonly file: string; readonly imageId: string | number }): string {
  const path = file.replaceAll('\\', '/').normalize();
  const id = String(imageId).normalize();
  const extension = extname(path);
  if (typeof imageId === 'string' && path.endsWith(`/${id}`)) return id;
  if (typeof imageId === 'string' && path.endsWith(`/${id}${extension}`)) return `${id}${extension}`;
  return /\.\w{2,5}$/.test(id) ? id : `${basename(path)} (id ${id})`;
}
