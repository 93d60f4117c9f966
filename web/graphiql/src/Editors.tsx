import { pick, useGraphiQL, useGraphiQLActions } from '@graphiql/react';
import { useEffect, useRef } from 'react';

/** What GraphiQL has no settings for. */
export function Editors() {
  useReadableText();
  useSystemTheme();
  useForgottenError();
  useTabInSight();
  return null;
}

/** Beside the documentation a line of GraphiQL's usual size is cut off after 30 characters. */
function useReadableText() {
  const editors = useGraphiQL(pick('queryEditor', 'variableEditor', 'responseEditor'));
  useEffect(() => {
    for (const editor of Object.values(editors)) {
      editor?.updateOptions({ fontSize: 13, wordWrap: 'on', lineDecorationsWidth: 4 });
    }
  }, [editors]);
}

/** The page follows the system by itself; the editors must be told when it changes. */
function useSystemTheme() {
  const theme = useGraphiQL(state => state.theme);
  const { setTheme } = useGraphiQLActions();
  useEffect(() => {
    if (theme !== null) return;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => setTheme(null);
    dark.addEventListener('change', follow);
    return () => dark.removeEventListener('change', follow);
  }, [theme, setTheme]);
}

/** GraphiQL shows why it got no schema as a result, and leaves it there when it got one. */
function useForgottenError() {
  const { schema, fetchError, responseEditor } = useGraphiQL(
    pick('schema', 'fetchError', 'responseEditor'),
  );
  const shown = useRef<string | null>(null);
  useEffect(() => {
    if (fetchError) shown.current = fetchError;
    else if (schema && responseEditor?.getValue() === shown.current) responseEditor.setValue('');
  }, [schema, fetchError, responseEditor]);
}

/** A new tab opens at the end of the row, which may be out of sight. */
function useTabInSight() {
  const { activeTabIndex, tabs } = useGraphiQL(pick('activeTabIndex', 'tabs'));
  useEffect(() => {
    document
      .querySelector('.graphiql-tab-active')
      ?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [activeTabIndex, tabs.length]);
}
