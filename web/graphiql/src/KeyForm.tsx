import { useEffect, useState, type FormEvent } from 'react';
import { isRemembered } from './key';
import type { KeyStatus } from './useKeyStatus';

interface Props {
  current: string;
  status: KeyStatus;
  onUse: (key: string, remember: boolean) => void;
}

export function KeyForm({ current, status, onUse }: Props) {
  const [draft, setDraft] = useState(current);
  const [shown, setShown] = useState(false);
  const [remember, setRemember] = useState(() => isRemembered(current));

  // The key also changes from outside, by a link that carries one.
  useEffect(() => {
    setDraft(current);
    setRemember(isRemembered(current));
  }, [current]);

  function apply(value: string, remembering = remember) {
    const key = value.trim();
    setDraft(key);
    onUse(key, remembering);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    apply(draft);
  }

  return (
    <form className="key-form" onSubmit={submit} autoComplete="off">
      <label htmlFor="key">API key</label>
      <div className="key-field">
        <input
          id="key"
          type={shown ? 'text' : 'password'}
          value={draft}
          placeholder="Paste a key"
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          aria-describedby="key-status"
          onChange={event => setDraft(event.target.value)}
          onBlur={() => draft.trim() !== current && apply(draft)}
        />
        <button type="button" aria-pressed={shown} onClick={() => setShown(!shown)}>
          {shown ? 'Hide' : 'Show'}
        </button>
      </div>
      <button type="submit" className="key-use">
        Use key
      </button>
      <label className="key-remember">
        <input
          type="checkbox"
          checked={remember}
          onChange={event => {
            setRemember(event.target.checked);
            apply(draft, event.target.checked);
          }}
        />
        Remember on this computer
      </label>
      <output id="key-status" className={`key-status ${status.kind}`}>
        {status.text}
      </output>
    </form>
  );
}
