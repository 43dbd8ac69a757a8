import { z } from 'zod';
import { recipeSchema } from './schema.js';

type Schema = z.core.JSONSchema.BaseSchema;

const EXTENDS = 'File name of another recipe, relative to this one, whose options this one changes.';

/** The recipe as JSON Schema (draft 7, which editors read), with the descriptions of all options. schema/recipe.json is
 *  this; a recipe names it in its first line, so that an editor completes options and marks mistakes. A recipe that
 *  extends another may leave out whatever that one has, even what chooses between options. */
export function recipeJsonSchema() {
  const { $schema, definitions, ...whole } = z.toJSONSchema(recipeSchema, {
    io: 'input',
    target: 'draft-7',
    reused: 'ref',
    override: ({ jsonSchema }) => {
      describe(jsonSchema);
    },
  });
  const parts = Object.entries(definitions as Readonly<Record<string, Schema>>);
  return {
    $schema,
    title: 'Recipe of tfjs-finetune',
    if: { required: ['extends'] },
    then: loosened({ ...whole, oneOf: (whole.oneOf as Schema[]).map(extending) }) as Schema,
    else: whole as Schema,
    definitions: Object.fromEntries([
      ...parts,
      ...parts.map(([name, schema]) => [`extending-${name}`, loosened(schema)] as const),
    ]),
  };
}

/** The documentation's own fields become those of JSON Schema. */
function describe(schema: Schema): void {
  const { example, when, description } = schema as { example?: unknown; when?: string; description?: string };
  delete schema['example'];
  delete schema['when'];
  delete schema['expects'];
  if (example !== undefined) schema['examples'] = [example];
  if (when !== undefined && description !== undefined) schema['description'] = `${description} ${when}`;
}

const extending = ({ properties, ...rest }: Schema): Schema => ({
  ...rest,
  properties: { extends: { type: 'string', description: EXTENDS }, ...properties },
});

/** A schema with nothing required. */
function loosened(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(loosened);
  if (typeof schema !== 'object' || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([key, value]) => !(key === 'required' && Array.isArray(value)))
      .map(([key, value]): [string, unknown] => {
        if (key === '$ref') return [key, (value as string).replace('#/definitions/', '#/definitions/extending-')];
        return [key === 'oneOf' ? 'anyOf' : key, loosened(value)];
      }),
  );
}
