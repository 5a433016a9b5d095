import type { MessageAnswer } from '../../engine/state';
import type { UpdateInput, UpdateName } from '../../workflows/messages';
import { print, type Cli, type OutputFormat } from '../cli';
import { withControlIfThere, withTemporal } from '../connect';
import { EXIT, refused } from '../exit';
import { findCutover } from '../find-cutover';
import { readStatus, type RunShown, type StatusShown } from '../run-status';
import { sendUpdate } from './send';

/** One message, and where it goes; several for what concerns every run of the cutover. */
export interface Delivery {
  to: RunShown;
  name: UpdateName;
  input: UpdateInput<UpdateName>;
}

export interface Sent {
  workflowId: string;
  wave: number | null;
  message: UpdateName;
  answer: MessageAnswer;
}

/**
 * Reads the cutover's status, lets `plan` say which messages go where, sends them in order and prints the answers. Any
 * refusal makes the exit code 3.
 */
export async function deliver(
  cli: Cli,
  id: string,
  output: OutputFormat,
  plan: (status: StatusShown) => Delivery[],
): Promise<void> {
  const sent = await withTemporal(cli, (temporal) =>
    withControlIfThere(cli, async (control) => {
      const found = await findCutover(id, control, temporal);
      const status = await readStatus(found, temporal, control);
      const deliveries = plan(status);
      if (deliveries.length === 0)
        throw refused(`no run of ${found.cutover} can take this: it is ${status.status}`, 'see: cutover status');
      const answers: Sent[] = [];
      for (const { to, name, input } of deliveries) {
        const answer = await sendUpdate(temporal, to.workflowId, name, input, cli.stop);
        answers.push({ workflowId: to.workflowId, wave: to.wave, message: name, answer });
      }
      return answers;
    }),
  );
  print(cli, output, { accepted: sent.every(({ answer }) => answer.accepted), answers: sent }, ({ answers }) =>
    answers.map(line).join('\n'),
  );
  if (sent.some(({ answer }) => !answer.accepted)) cli.exitCode = EXIT.refused;
}

function line({ wave, answer }: Sent): string {
  const where = wave === null ? '' : `wave ${wave}: `;
  if (!answer.accepted) return `${where}refused: ${answer.reason}`;
  return `${where}accepted${answer.note ? ` (${answer.note})` : ''}`;
}
