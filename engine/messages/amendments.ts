import { amendmentProblems } from '../amend/compare';
import { changesOf } from '../amend/changes';
import { notice } from '../notice';
import { isOwn } from '../people';
import type { Amendment, MessageAnswer } from '../state';
import { accept, refuse, type AmendMessage, type MessageContext } from './types';

/** Own people needed to change what a running cutover goes by (DESIGN §5). */
const APPROVALS = 2;

/**
 * The first `amend` proposes, and counts as an approval when an own person says it; each further own person who says the same
 * approves. The approval that is the last needed lets the run adopt it.
 */
export function answerAmend(context: MessageContext, message: AmendMessage): MessageAnswer {
  const { state, run, documents, now } = context;
  if (state.wave !== null)
    return refuse(`a cutover is amended as a whole: say it to the cutover, not to wave ${state.wave}`);
  if (state.outcome) return refuse(`the run has ended: ${state.outcome}`);
  if (state.rollback) return refuse('the run is going back');
  if (message.runbook === run.runbookHash && message.plan === run.planHash)
    return refuse('the run goes by these documents already');
  if (state.amendment?.status === 'adopting')
    return refuse('another amendment is being adopted; look at `cutover status`');
  if (documents?.outcome !== 'sound') return refuse(documents?.problem ?? 'the documents were not read');
  const problems = amendmentProblems(run, documents.run, state);
  if (problems.length > 0) return refuse(problems.join('; '));
  const amendment = sameProposal(context, message) ?? propose(context, message, changesOf(run, documents.run));
  if (isOwn(run, message.person) && !amendment.approvedBy.includes(message.person))
    amendment.approvedBy.push(message.person);
  const missing = APPROVALS - amendment.approvedBy.length;
  const changes = amendment.changes.join('; ');
  if (missing > 0) return accept(`${changes}; ${missing} more own people must approve the same`);
  amendment.status = 'adopting';
  amendment.approvedAt = now;
  return accept(`${changes}; approved by ${amendment.approvedBy.join(' and ')}, being adopted`);
}

function sameProposal({ state }: MessageContext, message: AmendMessage): Amendment | null {
  const open = state.amendment;
  if (open?.status !== 'proposed') return null;
  return open.runbookHash === message.runbook && open.planHash === message.plan ? open : null;
}

function propose({ state, now }: MessageContext, message: AmendMessage, changes: string[]): Amendment {
  if (state.amendment?.status === 'proposed')
    notice(state, now, `the amendment of ${state.amendment.by} was replaced by one of ${message.person}`);
  state.amendment = {
    runbookHash: message.runbook,
    planHash: message.plan,
    by: message.person,
    reason: message.reason ?? null,
    at: now,
    changes,
    approvedBy: [],
    approvedAt: null,
    status: 'proposed',
    problem: null,
  };
  return state.amendment;
}
