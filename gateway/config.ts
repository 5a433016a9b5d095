import { z } from 'zod';

const url = z
  .string({ error: 'is missing; set it to a PostgreSQL URL such as postgres://user@127.0.0.1:5432/control' })
  .regex(/^postgres(ql)?:\/\//, 'must be a PostgreSQL URL such as postgres://user@127.0.0.1:5432/control');

const PORT = 'must be a port number, 0 to 65535; 0 takes a free one';
const TIMEOUT = 'must be a number of milliseconds, 100 or more';

const environment = z.object({
  CONTROL_URL: url,
  SOURCE_URL: url,
  TARGET_URL: url,
  CUTOVER: z
    .string({ error: 'is missing; set it to the id of the cutover to serve' })
    .min(1, 'must be the id of a cutover'),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: z.coerce.number(PORT).int(PORT).min(0, PORT).max(65_535, PORT).default(0),
  FORWARD_TIMEOUT_MS: z.coerce.number(TIMEOUT).int(TIMEOUT).min(100, TIMEOUT).default(2_000),
});

export interface GatewayConfig {
  controlUrl: string;
  sourceUrl: string;
  targetUrl: string;
  cutover: string;
  host: string;
  /** 0 takes a free port; the ready line says which. */
  port: number;
  forwardTimeoutMs: number;
}

/** Reads the environment. Throws an Error that names every variable that is missing or wrong, without its value. */
export function readConfig(env: Record<string, string | undefined>): GatewayConfig {
  const parsed = environment.safeParse(env);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')} ${issue.message}`);
    throw new Error(`The gateway cannot start:\n${lines.join('\n')}`);
  }
  const { data } = parsed;
  return {
    controlUrl: data.CONTROL_URL,
    sourceUrl: data.SOURCE_URL,
    targetUrl: data.TARGET_URL,
    cutover: data.CUTOVER,
    host: data.HOST,
    port: data.PORT,
    forwardTimeoutMs: data.FORWARD_TIMEOUT_MS,
  };
}
