import {
  ApplicationFailure,
  CancellationScope,
  currentUpdateInfo,
  defineSignal,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import type { Context } from '../engine/context';
import { applyMessage, receiveMessage, type RunMessage } from '../engine/messages';
import { notice } from '../engine/notice';
import type { MessageAnswer } from '../engine/state';
import { viewOf, type RunView, type ShownView } from '../engine/view';
import { currentDetails } from './current-details';
import {
  gatesQuery,
  MESSAGE_DESCRIPTIONS,
  parseMessage,
  runbookQuery,
  SIGNALS,
  statusQuery,
  timelineQuery,
  updates,
  type UpdateName,
} from './messages';
import { StepLog } from './step-log';
import { showing } from './views';

const keys = {
  phase: defineSearchAttributeKey('CutoverPhase', SearchAttributeType.KEYWORD),
  gate: defineSearchAttributeKey('CutoverGate', SearchAttributeType.KEYWORD),
  status: defineSearchAttributeKey('CutoverStatus', SearchAttributeType.KEYWORD),
  wave: defineSearchAttributeKey('CutoverWave', SearchAttributeType.KEYWORD),
};

/** The outside of a run: messages in, queries, current details and search attributes out. */
export class RunShell {
  private context: Context | null = null;
  /** Messages that came before the documents were read. */
  private early: (() => void)[] = [];
  private shown = '';
  private readonly steps = new StepLog();
  /** Rejects when the workflow is cancelled from outside; taken where the shell is made: in the root scope. */
  private readonly cancelRequested: Promise<never> = CancellationScope.current().cancelRequested;

  /** Hears every published view. */
  onView: (view: RunView) => void = () => undefined;

  constructor() {
    for (const name of Object.keys(updates) as UpdateName[]) {
      setHandler(updates[name], (input) => this.update(name, input), {
        validator: (input) => void parse(name, input),
        description: MESSAGE_DESCRIPTIONS[name],
      });
    }
    for (const [signal, name] of Object.entries(SIGNALS)) {
      setHandler(defineSignal<[unknown]>(signal), (input) => this.signal(name, input), {
        description: MESSAGE_DESCRIPTIONS[name],
      });
    }
    showing(() => this.shownView());
    setHandler(statusQuery, () => (this.context ? viewOf(this.context) : null), {
      description: 'the whole run as data',
    });
    setHandler(timelineQuery, () => (this.context ? viewOf(this.context).steps : []), {
      description: 'steps, planned and actual',
    });
    setHandler(gatesQuery, () => (this.context ? viewOf(this.context).gates : []), {
      description: 'gates with evidence and votes',
    });
    setHandler(
      runbookQuery,
      () =>
        this.context && {
          runbookHash: this.context.run.runbookHash,
          planHash: this.context.run.planHash,
          runbook: this.context.run.runbook.runbook,
          version: this.context.run.runbook.version,
        },
      { description: 'which documents this run executes' },
    );
  }

  /** From here messages reach the state; those that came earlier are applied first. */
  attach(context: Context): void {
    this.context = context;
    for (const apply of this.early.splice(0)) apply();
    void this.cancelRequested.catch(() => this.cancelAsRollback());
    this.publish();
  }

  private shownView(): ShownView | null {
    if (!this.context) return null;
    const { cutover, wave } = this.context.state;
    return { cutover, wave, kind: 'run', body: JSON.stringify(viewOf(this.context)) };
  }

  /** In words, what this run waits for: its phase, and who or what is first in line. */
  waiting(): string {
    if (!this.context) return '';
    const { phase, waitsFor } = viewOf(this.context);
    return [phase ?? 'the end', waitsFor[0]].filter((part) => part !== undefined).join(' · ');
  }

  publish(): void {
    if (!this.context) return;
    const view = viewOf(this.context);
    setCurrentDetails(currentDetails(view));
    this.steps.see(view);
    // A gate that was open when the run turned back waits for nobody any more.
    const over = view.outcome !== null || view.status === 'rolling-back' || view.status === 'stopped';
    const open = over ? undefined : view.gates.find((gate) => gate.status === 'open' || gate.status === 'held');
    const attributes = { phase: view.phase ?? 'ended', gate: open?.id ?? 'none', status: view.outcome ?? view.status };
    const shown = JSON.stringify(attributes);
    if (shown !== this.shown) {
      this.shown = shown;
      upsertSearchAttributes([
        { key: keys.phase, value: attributes.phase },
        { key: keys.gate, value: attributes.gate },
        { key: keys.status, value: attributes.status },
        { key: keys.wave, value: view.wave === null ? 'all' : String(view.wave) },
      ]);
    }
    this.onView(view);
  }

  private update(name: UpdateName, input: unknown): MessageAnswer | Promise<MessageAnswer> {
    const message = { ...parse(name, input) };
    message.id ??= currentUpdateInfo()?.id;
    if (this.context) return this.take(message);
    return new Promise((resolve) => this.early.push(() => resolve(this.take(message))));
  }

  /** At once, unless something must be read first. */
  private take(message: RunMessage): MessageAnswer | Promise<MessageAnswer> {
    const { context } = this;
    if (!context || message.kind !== 'amend') return this.apply(message);
    return receiveMessage(context, message).then(({ answer, ledger }) => {
      context.state.ledgerPending.push(...ledger);
      this.publish();
      return answer;
    });
  }

  private signal(name: UpdateName, input: unknown): void {
    const apply = (): void => {
      try {
        this.apply(parseMessage(name, input));
      } catch {
        if (this.context)
          notice(
            this.context.state,
            Date.now(),
            `a malformed ${name} signal was refused; it takes ${MESSAGE_DESCRIPTIONS[name]}`,
          );
      }
      this.publish();
    };
    if (this.context) apply();
    else this.early.push(apply);
  }

  private apply(message: RunMessage): MessageAnswer {
    if (!this.context) throw new Error('the run is not attached');
    const { state, run, runtime } = this.context;
    const { answer, ledger } = applyMessage(state, run, message, runtime.now());
    state.ledgerPending.push(...ledger);
    this.publish();
    return answer;
  }

  /** Cancelling the workflow is asking for a rollback; after the point of no return it is recorded and refused. */
  private cancelAsRollback(): void {
    if (!this.context) return;
    const { state, runtime } = this.context;
    const at = runtime.now();
    if (state.pointOfNoReturnPassed) {
      notice(state, at, 'a cancellation was refused: the point of no return has passed');
      state.ledgerPending.push({ at, actor: 'system', action: 'cancel refused', subject: 'run' });
      return;
    }
    state.rollback ??= {
      by: 'system',
      reason: 'the workflow was cancelled',
      at,
      outcome: 'rolled-back',
      confirmedBy: [],
    };
    state.ledgerPending.push({ at, actor: 'system', action: 'cancelled', subject: 'run' });
    this.publish();
  }
}

function parse(name: UpdateName, input: unknown): RunMessage {
  try {
    return parseMessage(name, input);
  } catch (cause) {
    throw ApplicationFailure.create({
      type: 'InvalidMessage',
      nonRetryable: true,
      message: `${name} takes ${MESSAGE_DESCRIPTIONS[name]}`,
      ...(cause instanceof Error ? { cause } : {}),
    });
  }
}
