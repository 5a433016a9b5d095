import type { MessageAnswer } from '../state';
import { holders, holds } from '../people';
import { own } from './own';
import { accept, refuse, type MessageContext, type VoteMessage } from './types';

/** A vote counts from somebody who holds a role the gate asks for, is not the starter, and saw evidence of this gate. */
export function answerVote({ state, run, now }: MessageContext, message: VoteMessage): MessageAnswer {
  const gate = own(state.gates, message.gate);
  if (!gate)
    return refuse(`no gate ${JSON.stringify(message.gate)} here; gates: ${Object.keys(state.gates).join(', ')}`);
  if (gate.status === 'pending') return refuse(`gate ${gate.id} is not open yet`);
  if (gate.status === 'passed' || gate.status === 'refused') return refuse(`gate ${gate.id} is closed: ${gate.status}`);
  if (gate.deadline !== null && now > gate.deadline) return refuse(`the deadline of gate ${gate.id} has passed`);
  if (message.person === state.startedBy) return refuse('whoever started the run does not vote on it');
  if (!gate.roles.some((role) => holds(run, message.person, role))) {
    const who = gate.roles.map((role) => `${role} (${holders(run, role).join(', ')})`).join(', ');
    return refuse(`${message.person} may not vote at gate ${gate.id}; it asks ${who}`);
  }
  const digest = message.digest ?? gate.digest;
  if (digest === null) return refuse(`the evidence of gate ${gate.id} is not read yet; vote once it shows`);
  if (digest !== gate.digest && !own(gate.seen, digest))
    return refuse(`gate ${gate.id} never showed evidence ${digest.slice(0, 12)}; read it again and vote`);
  gate.votes = gate.votes.filter((vote) => vote.person !== message.person);
  gate.votes.push({
    person: message.person,
    decision: message.decision,
    reason: message.reason ?? null,
    digest,
    at: now,
    voided: null,
  });
  return accept();
}
