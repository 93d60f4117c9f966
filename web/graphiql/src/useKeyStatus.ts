import { useCallback, useEffect, useState } from 'react';
import { ask, codesOf, type Answer } from './fetcher';

export interface KeyStatus {
  kind: 'neutral' | 'good' | 'bad';
  text: string;
}

const MISSING: KeyStatus = {
  kind: 'neutral',
  text: 'No key yet: paste a read key to ask for data.',
};
const CHECKING: KeyStatus = { kind: 'neutral', text: 'Checking the key…' };
const WRITES: KeyStatus = {
  kind: 'neutral',
  text: 'Key accepted, but it can only track: a read key asks for data and shows the documentation.',
};
const REFUSED: KeyStatus = { kind: 'bad', text: 'This key was refused.' };
const FORBIDDEN: KeyStatus = {
  kind: 'bad',
  text: 'This key may not do that: queries need a read key, tracking a write key.',
};

// Needs a key that can read, as the schema does.
const PROBE = '{ site { name } }';

function accepted(key: string, answer: Answer): KeyStatus {
  // A key that Footfall made says by its first letters what it is for.
  const scope = /^ff_(read|admin)_/.exec(key)?.[1];
  const { site } = answer.data as { site: { name: string } };
  const what = scope ? `${scope} key of` : 'it can read';
  return { kind: 'good', text: `Key accepted: ${what} ${site.name}.` };
}

async function check(key: string, signal: AbortSignal): Promise<KeyStatus> {
  try {
    const answer = await ask(key, PROBE, signal);
    const codes = codesOf(answer);
    if (codes.includes('UNAUTHENTICATED')) return REFUSED;
    if (codes.includes('FORBIDDEN')) return WRITES;
    const problem = answer.errors?.[0];
    if (problem) return { kind: 'bad', text: `The key could not be checked: ${problem.message}` };
    return accepted(key, answer);
  } catch (error) {
    return { kind: 'bad', text: error instanceof Error ? error.message : String(error) };
  }
}

function refusalIn(codes: string[]): KeyStatus | null {
  if (codes.includes('UNAUTHENTICATED')) return REFUSED;
  return codes.includes('FORBIDDEN') ? FORBIDDEN : null;
}

/** What to say about the key: from a question of our own, and from what the last answer said. */
export function useKeyStatus(key: string) {
  // Both belong to the key they were learnt with: an answer may arrive after the key was changed.
  const [checked, setChecked] = useState({ key: '', status: MISSING });
  const [refusal, setRefusal] = useState<{ key: string; status: KeyStatus | null } | null>(null);

  useEffect(() => {
    if (key === '') return;
    const controller = new AbortController();
    void check(key, controller.signal).then(status => {
      if (!controller.signal.aborted) setChecked({ key, status });
    });
    return () => controller.abort();
  }, [key]);

  const noteAnswer = useCallback((usedKey: string, codes: string[]) => {
    setRefusal({ key: usedKey, status: refusalIn(codes) });
  }, []);

  let status = MISSING;
  if (key !== '') {
    const known = checked.key === key ? checked.status : CHECKING;
    status = (refusal?.key === key ? refusal.status : null) ?? known;
  }
  return { status, noteAnswer };
}
