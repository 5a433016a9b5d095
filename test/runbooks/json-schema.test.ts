import { readFileSync } from 'node:fs';
import path from 'node:path';
import { jsonSchemas, SCHEMA_FOLDER } from '../../runbooks/json-schema';

describe('the published JSON Schemas', () => {
  it.each(Object.entries(jsonSchemas()))(
    '%s is what the code accepts (else: npm run build && node dist/runbooks/json-schema.js)',
    (name, text) => {
      const published = readFileSync(path.join(__dirname, '../..', SCHEMA_FOLDER, name), 'utf8');
      expect(published).toBe(text);
    },
  );

  it('describe what people write: a default need not be given', () => {
    const runbook = JSON.parse(jsonSchemas()['runbook.schema.json'] ?? '') as {
      required: string[];
      additionalProperties: boolean;
    };
    expect(runbook.required).not.toContain('windows');
    expect(runbook.required).toContain('perWave');
    expect(runbook.additionalProperties).toBe(false);
  });
});
