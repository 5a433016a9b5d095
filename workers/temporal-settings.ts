import type { TLSConfig } from '@temporalio/client';

/** How every process of the project reaches Temporal. */
export interface TemporalSettings {
  /** host:port */
  address: string;
  namespace: string;
  /** Null: a plain connection. */
  tls: TLSConfig | true | null;
  /** For `Connection.connect` and `NativeConnection.connect` alike. */
  connection: { address: string; tls?: TLSConfig | boolean; apiKey?: string; metadata?: Record<string, string> };
}

/** The settings cannot be used; says what to mend. */
export class TemporalSettingsError extends Error {
  override name = 'TemporalSettingsError';
  constructor(
    reason: string,
    readonly remedy = 'mend TEMPORAL_PROFILE, the TEMPORAL_TLS_* variables, or the configuration file they name',
  ) {
    super(`the settings for Temporal cannot be read: ${reason}`);
  }
}

const DEFAULT_ADDRESS = '127.0.0.1:7233';

/**
 * Reads them as the stock `temporal` command does: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_*,
 * TEMPORAL_GRPC_META_*, and the profile TEMPORAL_PROFILE of the configuration file. An API key alone turns TLS on, as there.
 * Throws a TemporalSettingsError when a file or a profile is not there. Loads the package that reads them late: the command
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
      `a client certificate goes with its key, and only the ${clientCert ? 'certificate' : 'key'} is set`,
      'set both: TEMPORAL_TLS_CLIENT_CERT_PATH and TEMPORAL_TLS_CLIENT_KEY_PATH, or client_cert_path and client_key_path in the profile',
    );
  const { address = DEFAULT_ADDRESS, tls, apiKey, metadata } = options.connectionOptions;
  return {
    address,
    namespace: options.namespace ?? 'default',
    tls: tls ? tls : null,
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
    throw new TemporalSettingsError(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
  }
}
