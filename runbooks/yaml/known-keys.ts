import { z } from 'zod';

/** Keys the schema allows in the map at `path`; for a union, those of the alternative that shares most keys with `value`. */
export function knownKeys(schema: z.core.$ZodType, path: readonly PropertyKey[], value: unknown): string[] {
  let here: z.core.$ZodType | undefined = schema;
  let data = value;
  for (const part of path) {
    here = here && childSchema(pickAlternative(unwrap(here), data), part);
    data = childValue(data, part);
  }
  const found = here && pickAlternative(unwrap(here), data);
  return found instanceof z.core.$ZodObject ? Object.keys(found._zod.def.shape) : [];
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.core.$ZodOptional || schema instanceof z.core.$ZodDefault)
    return unwrap(schema._zod.def.innerType);
  return schema;
}

function childSchema(schema: z.core.$ZodType, part: PropertyKey): z.core.$ZodType | undefined {
  if (schema instanceof z.core.$ZodObject) return schema._zod.def.shape[String(part)];
  if (schema instanceof z.core.$ZodArray) return schema._zod.def.element;
  if (schema instanceof z.core.$ZodRecord) return schema._zod.def.valueType;
  return undefined;
}

export function childValue(value: unknown, part: PropertyKey): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined;
}

function pickAlternative(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  if (!(schema instanceof z.core.$ZodUnion)) return schema;
  const options = schema._zod.def.options.map(unwrap);
  if (typeof value !== 'object' || value === null) return options[0] ?? schema;
  const keys = Object.keys(value);
  const score = (option: z.core.$ZodType): number => {
    if (!(option instanceof z.core.$ZodObject)) return -1;
    const shape = option._zod.def.shape;
    const shared = keys.filter((key) => key in shape).length;
    const literals = keys.filter((key) => {
      const field = shape[key];
      return field instanceof z.core.$ZodLiteral && field._zod.def.values.includes(childValue(value, key) as never);
    });
    return shared + 100 * literals.length;
  };
  return options.reduce((best, option) => (score(option) > score(best) ? option : best));
}
