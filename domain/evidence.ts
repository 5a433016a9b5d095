import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils';

/** A fact shown at a gate. `fingerprint` changes when the fact behind the verdict changes; `shown` is for people. */
export interface EvidenceItem {
  id: string;
  kind: 'measure' | 'verification' | 'checklist' | 'task' | 'incident' | 'risk' | 'rehearsal' | 'custody';
  /** `open`: nothing wrong, but not closed either (a risk). Only `fail` turns a gate red. */
  verdict: 'pass' | 'fail' | 'open';
  /** What the verdict rests on, without clocks and rates: those are shown, not hashed. */
  fingerprint: string;
  title: string;
  shown: string;
}

/** SHA-256 (hex) over item ids, verdicts and fingerprints, in id order (DESIGN §9). */
export function evidenceDigest(items: readonly EvidenceItem[]): string {
  const lines = items
    .map((item) => JSON.stringify([item.kind, item.id, item.verdict, item.fingerprint]))
    .sort((a, b) => (a < b ? -1 : 1));
  return bytesToHex(sha256(utf8ToBytes(lines.join('\n'))));
}

const BADNESS: Record<EvidenceItem['verdict'], number> = { pass: 0, open: 1, fail: 2 };

/** Why votes cast on `before` no longer hold on `after`; empty while they do. An item that turned to pass voids nothing. */
export function worsened(before: readonly EvidenceItem[], after: readonly EvidenceItem[]): string[] {
  const known = new Map(before.map((item) => [`${item.kind}/${item.id}`, item]));
  return after.flatMap((item) => {
    const old = known.get(`${item.kind}/${item.id}`);
    if (!old) return item.verdict === 'pass' ? [] : [`${item.title}: new, ${item.verdict}`];
    if (BADNESS[item.verdict] > BADNESS[old.verdict]) return [`${item.title}: was ${old.verdict}, now ${item.verdict}`];
    if (old.fingerprint !== item.fingerprint && old.verdict === item.verdict) return [`${item.title}: changed`];
    return [];
  });
}
