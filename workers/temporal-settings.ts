import type { TLSConfig } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { KEYS_VARIABLE, KeysError, readKeys } from './codec/keys';
import { payloadCodec } from './codec/payload-codec';

/** How every process of the project reaches Temporal. */
export interface TemporalSettings {
  /** host:port */
  address: string;
  namespace: string;
  /** Null: a plain connection. */
  tls: TLSConfig | true | null;
  /** Ids of the keys payloads are encrypted with, the first; none: they are not. */
  keyIds: string[];
  /** For clients and workers alike. */
  dataConverter: DataConverter;
  /** For `Connection.connect` and `NativeConnection.connect` alike. */
  connection: { address: string; tls?: TLSConfig | boolean; apiKey?: string; metadata?: Record<string, string> };
}

/** The settings cannot be used; says what to mend. */
export class TemporalSettingsError extends Error {
  override name = 'TemporalSettingsError';
  constructor(
    message: string,
    readonly remedy = 'mend TEMPORAL_PROFILE, the TEMPORAL_TLS_* variables, or the configuration file they name',
  ) {
    super(message);
  }
}

const DEFAULT_ADDRESS = '127.0.0.1:7233';
const FAILURE_CONVERTER = require.resolve('./codec/failure-converter');

/**
 * Reads them as the stock `temporal` command does: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*,
 * TEMPORAL_GRPC_META_*, and the profile TEMPORAL_PROFILE of the configuration file. An API key alone turns TLS on, as there.
 * The keys of the payload codec come from CUTOVER_PAYLOAD_KEYS_FILE. Throws a TemporalSettingsError when a file or a profile is not there. Loads the package that reads them late: the command
 * starts faster without.
 */
export async function loadTemporalSettings(env: Record<string, string | undefined>): Promise<TemporalSettings> {
  const set = Object.entries(env).filter((entry): entry is [string, string] => !!entry[1]);
  const { loadClientConfigProfile, toClientOptions } = await import('@temporalio/envconfig');
  const { profile, options } = told(() => {
    const read = loadClientConfigProfile({ overrideEnvVars: Object.fromEntries(set) });
    return { profile: read, options: toClientOptions(read) };
  });
  const { clientCert, clientKey } = profile.tls ?? {};
  if (!clientCert !== !clientKey)
    throw new TemporalSettingsError(
      `the settings for Temporal cannot be used: a client certificate goes with its key, and only the ${clientCert ? 'certificate' : 'key'} is set`,
      'set both: TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH, or client_cert_path and client_key_path in the profile',
    );
  const keys = told(() => readKeys(env[KEYS_VARIABLE]));
  const { address = DEFAULT_ADDRESS, tls, apiKey, metadata } = options.connectionOptions;
  return {
    address,
    namespace: options.namespace ?? 'default',
    tls: tls ? tls : null,
    keyIds: keys.map(({ id }) => id),
    dataConverter: {
      payloadCodecs: [payloadCodec(keys)],
      ...(keys.length === 0 ? {} : { failureConverterPath: FAILURE_CONVERTER }),
    },
    connection: {
      address,
      ...(tls === undefined || tls === null ? {} : { tls }),
      ...(apiKey === undefined ? {} : { apiKey }),
      ...(metadata === undefined ? {} : { metadata: metadata as Record<string, string> }),
    },
  };
}

function told<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof KeysError) throw new TemporalSettingsError(error.message, error.remedy);
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new TemporalSettingsError(`the settings for Temporal cannot be read: ${reason}`);
  }
}
