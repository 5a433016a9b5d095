import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findTemporalBinary } from '../../../local/temporal-binary';

export interface Said {
  code: number;
  text: string;
}

/** Without the quoting of quotes that the binary's log adds. */
const plain = (text: string): string => text.replaceAll('\\', '');

/** The stock binary, as an engineer without our command has it. */
export async function stockTemporal(address: string, args: readonly string[]): Promise<Said> {
  const binary = findTemporalBinary({ env: process.env });
  if (binary === undefined) throw new Error('no temporal binary, although its server runs');
  try {
    const { stdout, stderr } = await promisify(execFile)(binary, [...args, '--address', address]);
    return { code: 0, text: plain(stdout + stderr) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number | string; stdout?: string; stderr?: string };
    return { code: typeof code === 'number' ? code : -1, text: plain(`${stdout ?? ''}${stderr ?? ''}${code}`) };
  }
}
