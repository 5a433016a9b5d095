import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runCli } from '../../cli/run-cli';
import { projectDir } from '../../local/paths';
import { fakeCli } from '../cli/support/fake-cli';
import { stockTemporal } from '../doors/support/stock-temporal';
import { Night } from '../e2e/support/night';
import { Stage } from '../e2e/support/stage';
import { authority, files, signedBy, tlsFront, type Front } from './support/tls-front';

jest.setTimeout(300_000);

const API_KEY = 'key-of-this-test';

let stage: Stage;
/** Demands an API key; demands a client certificate. */
let [keyed, mutual]: (Front | undefined)[] = [];
let paths: Record<'ca' | 'otherCa' | 'clientCert' | 'clientKey' | 'strangerCert' | 'strangerKey' | 'profiles', string>;

beforeAll(async () => {
  stage = await Stage.open('connection');
  await stage.freshDatabases(50);
  const [ca, otherCa] = await Promise.all([authority('our authority'), authority('another authority')]);
  const [server, client, stranger] = await Promise.all([
    signedBy(ca, 'localhost'),
    signedBy(ca, 'a client'),
    signedBy(otherCa, 'a stranger'),
  ]);
  const to = stage.env['TEMPORAL_ADDRESS'] ?? '';
  keyed = await tlsFront({ to, server, apiKey: API_KEY });
  mutual = await tlsFront({ to, server, clientCa: ca.cert });
  const texts = { ca: ca.cert, otherCa: otherCa.cert, clientCert: client.cert, clientKey: client.key };
  const all = files({ ...texts, strangerCert: stranger.cert, strangerKey: stranger.key });
  const profiles = `[profile.night]
address = "${mutual.address}"
namespace = "default"
[profile.night.tls]
server_ca_cert_path = "${all.ca}"
client_cert_path = "${all.clientCert}"
client_key_path = "${all.clientKey}"

[profile.cloud]
address = "${keyed.address}"
api_key = "${API_KEY}"
tls = { server_ca_cert_path = "${all.ca}" }
`;
  paths = { ...all, ...files({ profiles }) };
});
afterAll(async () => {
  await Promise.all([keyed?.close(), mutual?.close()]);
  await stage.close();
});

const withProfile = (name: string): Record<string, string> => ({
  TEMPORAL_CONFIG_FILE: paths.profiles,
  TEMPORAL_PROFILE: name,
  TEMPORAL_ADDRESS: '',
  TEMPORAL_NAMESPACE: '',
});
const keyedBy = (more: Record<string, string>): Record<string, string> => ({
  TEMPORAL_ADDRESS: keyed?.address ?? '',
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: paths.ca,
  ...more,
});
const mutualBy = (more: Record<string, string>): Record<string, string> => ({
  TEMPORAL_ADDRESS: mutual?.address ?? '',
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: paths.ca,
  ...more,
});

/** What the command says when it looks for a run. */
async function look(env: Record<string, string>): Promise<{ exitCode: number; said: string }> {
  const cli = fakeCli(Object.fromEntries(Object.entries({ ...stage.env, ...env }).filter(([, value]) => value !== '')));
  const exitCode = await runCli(['list'], cli);
  const doctor = fakeCli(cli.env.all);
  await runCli(['doctor'], doctor);
  return { exitCode, said: `${doctor.stdout}${doctor.stderr}` };
}

/** What a worker says before it gives up. */
async function workerSays(env: Record<string, string>): Promise<string> {
  const all = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...stage.env, ...env };
  try {
    await promisify(execFile)(process.execPath, [join(projectDir(), 'dist', 'workers', 'main.js')], {
      env: all,
      timeout: 60_000,
    });
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
  throw new Error('the worker ended as if all were well');
}

const REACHED = /ok\s+Temporal\s+server \S+ at localhost:\d+, namespace default/;

describe('the settings of the stock command', () => {
  it.each([
    ['an API key and the authority, by variables', () => keyedBy({ TEMPORAL_API_KEY: API_KEY })],
    ['an API key, by a profile', () => withProfile('cloud')],
    ['a client certificate, by a profile', () => withProfile('night')],
    [
      'a client certificate, by variables',
      () =>
        mutualBy({ TEMPORAL_TLS_CLIENT_CERT_PATH: paths.clientCert, TEMPORAL_TLS_CLIENT_KEY_PATH: paths.clientKey }),
    ],
  ])('reach a server by TLS with %s', async (_, env) => {
    expect((await look(env())).said).toMatch(REACHED);
  });

  it('play a whole night: command and workers by TLS, client certificate and profile', async () => {
    const before = mutual?.calls() ?? 0;
    const env = withProfile('night');
    await stage.startWorkers({ ...env, TEMPORAL_ADDRESS: mutual?.address ?? '', BREAK_DIR: stage.dir });
    const night = new Night(stage, `tls-${Date.now().toString(36)}`);
    await night.start();
    expect((await night.play(120_000))?.outcome).toBe('live');
    expect((mutual?.calls() ?? 0) - before).toBeGreaterThan(100);
    const stock = await stockTemporal(mutual?.address ?? '', [
      ...['workflow', 'describe', '--workflow-id', night.workflowId],
      ...['--tls-ca-path', paths.ca, '--tls-cert-path', paths.clientCert, '--tls-key-path', paths.clientKey],
    ]);
    expect(stock.text).toMatch(/COMPLETED/i);
    await stage.stopChildren();
  });
});

describe('a way to the server that is barred', () => {
  const CASES: [string, () => Record<string, string>, RegExp][] = [
    [
      'another authority',
      () => mutualBy({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: paths.otherCa }),
      /no TLS connection to localhost:\d+ \([A-Z_]+\)\s*→ its certificate is not of an authority this client trusts: set TEMPORAL_TLS_SERVER_CA_CERT_PATH/,
    ],
    [
      'no API key',
      () => keyedBy({}),
      /at localhost:\d+ does not let this client in: it asks for other credentials\s*→ set TEMPORAL_API_KEY/,
    ],
    [
      'a wrong API key',
      () => keyedBy({ TEMPORAL_API_KEY: 'of yesterday' }),
      /→ TEMPORAL_API_KEY.* is not the key it knows/,
    ],
    [
      'no client certificate',
      () => mutualBy({}),
      /→ it may want a client certificate: set TEMPORAL_TLS_CLIENT_CERT_PATH/,
    ],
    [
      'the certificate of a stranger',
      () =>
        mutualBy({
          TEMPORAL_TLS_CLIENT_CERT_PATH: paths.strangerCert,
          TEMPORAL_TLS_CLIENT_KEY_PATH: paths.strangerKey,
        }),
      /→ it does not accept this client certificate/,
    ],
    [
      'a certificate without its key',
      () => mutualBy({ TEMPORAL_TLS_CLIENT_CERT_PATH: paths.clientCert }),
      /a client certificate goes with its key, and only the certificate is set\s*→ set both/,
    ],
    [
      'a name the certificate does not have',
      () => ({ ...mutualBy({}), TEMPORAL_TLS_SERVER_NAME: 'elsewhere.example' }),
      /ERR_TLS_CERT_ALTNAME_INVALID\)\s*→ its certificate is for another name/,
    ],
    [
      'no TLS on our side',
      () => ({ TEMPORAL_ADDRESS: mutual?.address ?? '' }),
      /speaks TLS only.*\s*→ set TEMPORAL_TLS=true/,
    ],
    [
      'TLS on our side alone',
      () => ({ TEMPORAL_TLS_SERVER_CA_CERT_PATH: paths.ca }),
      /no TLS connection to 127\.0\.0\.1:\d+ \(\S+\)\s*→ it does not speak TLS/,
    ],
    [
      'a profile there is not',
      () => withProfile('moon'),
      /settings for Temporal cannot be read: .*moon.*\s*→ mend TEMPORAL_PROFILE/,
    ],
  ];

  it.each(CASES)('is told by the command with its remedy: %s', async (_, env, says) => {
    expect((await look(env())).said.replace(/ {2,}/g, ' ')).toMatch(says);
  });

  it.each(CASES)('is told by the worker with its remedy: %s', async (_, env, says) => {
    expect(await workerSays(env())).toMatch(says);
  });
});
