// The dashboard reads the same entry: whoever has given the key there need not give it again.
const ENTRY = 'footfall.key';

/** The key of this tab, else the one remembered on this computer, else none. */
export function loadKey(): string {
  return sessionStorage.getItem(ENTRY) ?? localStorage.getItem(ENTRY) ?? '';
}

export function isRemembered(key: string): boolean {
  return key !== '' && localStorage.getItem(ENTRY) === key;
}

export function saveKey(key: string, remember: boolean): void {
  sessionStorage.removeItem(ENTRY);
  localStorage.removeItem(ENTRY);
  if (key !== '') (remember ? localStorage : sessionStorage).setItem(ENTRY, key);
}

/**
 * Takes a key out of an address that ends with `#key=...`, for this tab only.
 * A fragment is never sent to a server, and it is gone before anyone can copy the address.
 */
export function takeKeyFromAddress(): string | null {
  const fragment = new URLSearchParams(location.hash.slice(1).replaceAll('+', '%2B'));
  const key = fragment.get('key')?.trim();
  if (key === undefined) return null;
  fragment.delete('key');
  const rest = fragment.size > 0 ? `#${fragment}` : '';
  history.replaceState(history.state, '', location.pathname + location.search + rest);
  if (key === '') return null;
  sessionStorage.setItem(ENTRY, key);
  return key;
}
