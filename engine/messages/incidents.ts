import type { MessageAnswer } from '../state';
import { own } from './own';
import { accept, refuse, type IncidentMessage, type MessageContext } from './types';

/** An open high incident turns the next gate red and keeps hypercare open. */
export function answerIncident({ state, now }: MessageContext, message: IncidentMessage): MessageAnswer {
  const known = own(state.incidents, message.incident);
  if (message.kind === 'raiseIncident') {
    if (message.incident in Object.prototype) return refuse(`an incident cannot be called ${message.incident}`);
    if (known && !known.resolved) return refuse(`incident ${message.incident} is open already`);
    state.incidents[message.incident] = {
      id: message.incident,
      severity: message.severity,
      title: message.title,
      raised: { person: message.person, at: now },
      resolved: null,
    };
    return accept();
  }
  if (!known) return refuse(`no incident ${JSON.stringify(message.incident)}`);
  if (known.resolved) return accept('resolved already');
  known.resolved = { person: message.person, at: now };
  return accept();
}
