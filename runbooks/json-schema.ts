import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { conversionSchema } from './schema/conversion';
import { planSchema } from './schema/plan';
import { runbookSchema } from './schema/runbook';

const TITLES = {
  runbook: 'What happens in a cutover, and in which order',
  conversion: 'How the rows of the source become those of the target, and come back',
  plan: 'Who, when and in which waves',
} as const;

/** File name → text of the JSON Schema of what people write (defaults need not be written). */
export function jsonSchemas(): Record<string, string> {
  const schemas = { runbook: runbookSchema, conversion: conversionSchema, plan: planSchema };
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const body = z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' });
      const title = TITLES[name as keyof typeof TITLES];
      return [`${name}.schema.json`, `${JSON.stringify({ ...body, title }, null, 2)}\n`];
    }),
  );
}

/** Where the published schemas live, from the project's folder. */
export const SCHEMA_FOLDER = path.join('runbooks', 'schema', 'json');

if (require.main === module) {
  mkdirSync(SCHEMA_FOLDER, { recursive: true });
  for (const [name, text] of Object.entries(jsonSchemas())) {
    writeFileSync(path.join(SCHEMA_FOLDER, name), text);
    process.stdout.write(`${path.join(SCHEMA_FOLDER, name)}\n`);
  }
}
