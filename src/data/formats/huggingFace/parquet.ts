import { stat } from 'node:fs/promises';
import type { FileMetaData, SchemaTree, parquetSchema } from 'hyparquet';
import { FinetuneError } from '../../../errors.js';
import { openParquetThread, type ParquetRow } from './parquetThread.js';

/** Names of the columns of a parquet file, its number of rows, and its `huggingface` metadata, which has the names of
 *  classes. Throws E_LABEL_FILE or E_LABEL_SYNTAX. */
export async function openParquet(file: string) {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetSchema } = await import('hyparquet');
  const fail = (error: unknown): never => {
    const isPlain = error instanceof Error && error.name === 'Error' && !error.message.includes('undefined');
    const why = isPlain ? error.message : 'its contents contradict each other, as in a file that is damaged';
    const message = `not a parquet file that can be read: ${why}`;
    throw new FinetuneError({ code: 'E_LABEL_SYNTAX', message, where: { file } }, { cause: error });
  };
  const entry = await stat(file).catch(() => undefined);
  if (!entry?.isFile()) throw new FinetuneError({ code: 'E_LABEL_FILE', message: 'no such file', where: { file } });
  const buffer = await asyncBufferFromFile(file);
  const metadata = await parquetMetadataAsync(buffer).catch(fail);
  await checkColumns(metadata, parquetSchema).catch(fail);
  const { schema, num_rows: rows, key_value_metadata: pairs = [] } = metadata;
  const [root] = schema;
  const columns: string[] = [];
  for (let at = 1; columns.length < (root?.num_children ?? 0) && at < schema.length; at = after(schema, at))
    columns.push(schema[at]!.name);
  return {
    columns,
    rows: Number(rows),
    about: pairs.find(({ key }) => key === 'huggingface')?.value,
    /** Gives all rows, some at a time; all columns, or some. Throws E_LABEL_SYNTAX. */
    async *read(atOnce: number, some: readonly string[] = columns): AsyncGenerator<readonly ParquetRow[]> {
      const thread = await openParquetThread(file, entry.size).catch(fail);
      try {
        for (let start = 0; start < rows; start += atOnce)
          yield await thread.read(start, Math.min(start + atOnce, Number(rows)), some).catch(fail);
      } finally {
        await thread.close();
      }
    },
  };
}

/** Throws if a column chunk belongs to no leaf of the schema, or to the leaf of another one: hyparquet would read some
 *  columns in promises that nobody awaits, and one that fails would end the process. */
async function checkColumns(metadata: FileMetaData, treeOf: typeof parquetSchema): Promise<void> {
  const tree = await Promise.resolve(metadata).then(treeOf);
  for (const { columns } of metadata.row_groups) {
    const paths = columns.map(({ meta_data: about }) => about?.path_in_schema ?? []);
    for (const path of paths) {
      let node: SchemaTree | undefined = tree;
      for (const name of path) node = node?.children.find(({ element }) => element.name === name);
      if (!node || path.length === 0 || node.children.length > 0)
        throw new Error(`the schema has no column ${path.join('.')}`);
    }
    if (new Set(paths.map((path) => path.join('\n'))).size < paths.length)
      throw new Error('a column stands twice in it');
  }
}

/** The place of the next element of a parquet schema at the same level: each is followed by its children. */
function after(schema: readonly { readonly num_children?: number | undefined }[], at: number): number {
  let next = at + 1;
  for (let left = schema[at]?.num_children ?? 0; left > 0 && next < schema.length; left--) next = after(schema, next);
  return next;
}
