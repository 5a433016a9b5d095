import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { z } from 'zod';

/** As `temporal` and the UI send it: bytes are base64, and what is empty may be left out. */
const bytes = z.string();
const body = z.object({
  payloads: z.array(z.object({ metadata: z.record(z.string(), bytes).nullish(), data: bytes.nullish() })).nullish(),
});

const MAX_BODY_BYTES = 32 * 1024 * 1024;

/**
 * Temporal's remote codec: `POST /encode` and `/decode`. Whoever reaches it reads everything: it belongs on loopback, or behind a
 * proxy that knows its users. `origins` are the UIs that may ask from a browser.
 */
export function codecApp(codec: PayloadCodec, origins: readonly string[]): Hono {
  const app = new Hono();
  app.use(cors({ origin: [...origins], allowMethods: ['POST', 'OPTIONS'] }));
  for (const way of ['encode', 'decode'] as const)
    app.post(`/${way}`, bodyLimit({ maxSize: MAX_BODY_BYTES }), async (c) => {
      const parsed = body.safeParse(await c.req.json().catch(() => null));
      if (!parsed.success)
        return c.json({ error: 'send {"payloads":[{"metadata":{…},"data":…}]}, bytes in base64' }, 400);
      try {
        const payloads = await codec[way]((parsed.data.payloads ?? []).map(fromJson));
        return c.json({ payloads: payloads.map(toJson) });
      } catch (error) {
        return c.json({ error: error instanceof Error ? error.message : 'cannot be done' }, 422);
      }
    });
  return app;
}

type Json = NonNullable<z.output<typeof body>['payloads']>[number];

const fromJson = ({ metadata, data }: Json): Payload => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value, 'base64')]),
  ),
  ...(data === undefined || data === null ? {} : { data: Buffer.from(data, 'base64') }),
});

const toJson = ({ metadata, data }: Payload): object => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
  ),
  ...(data ? { data: Buffer.from(data).toString('base64') } : {}),
});
