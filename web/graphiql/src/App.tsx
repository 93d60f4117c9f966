import { DocExplorerStore } from '@graphiql/plugin-doc-explorer';
import { HISTORY_PLUGIN, HistoryStore } from '@graphiql/plugin-history';
import { GraphiQLProvider, useMonaco } from '@graphiql/react';
import { GraphiQL, GraphiQLInterface } from 'graphiql';
import { useEffect, useMemo, useState } from 'react';
import { DOCUMENTATION } from './Documentation';
import { Editors } from './Editors';
import { ExampleMenu } from './ExampleMenu';
import { EXAMPLES } from './examples';
import { createFetcher } from './fetcher';
import { loadKey, saveKey, takeKeyFromAddress } from './key';
import { KeyForm } from './KeyForm';
import { useKeyStatus } from './useKeyStatus';

const PLUGINS = [DOCUMENTATION, HISTORY_PLUGIN];

// On a phone, documentation and variables would leave no room for the query: a tap opens them.
const ROOMY = matchMedia('(min-width: 721px)').matches;

// Otherwise the editor of the variables takes JSON for a plain value and marks an object as wrong.
const SCALARS = { JSON: {} };

export function App() {
  const [key, setKey] = useState(() => takeKeyFromAddress() ?? loadKey());
  const { status, noteAnswer } = useKeyStatus(key);

  // While there is no editor, GraphiQL would take a change of tabs for one of their content.
  const ready = useMonaco(state => state.monaco !== undefined);

  // The schema is for keys that can read: without one it is not asked for (null, in GraphiQL's terms),
  // and a new fetcher makes GraphiQL ask for it again.
  const schema = key === '' ? null : undefined;
  const fetcher = useMemo(
    () => createFetcher(key, codes => noteAnswer(key, codes)),
    [key, noteAnswer],
  );

  useEffect(() => {
    const take = () => setKey(current => takeKeyFromAddress() ?? current);
    addEventListener('hashchange', take);
    return () => removeEventListener('hashchange', take);
  }, []);

  function use(newKey: string, remember: boolean) {
    saveKey(newKey, remember);
    setKey(newKey);
  }

  return (
    <GraphiQLProvider
      fetcher={fetcher}
      schema={schema}
      defaultTabs={EXAMPLES}
      plugins={PLUGINS}
      referencePlugin={DOCUMENTATION}
      visiblePlugin={ROOMY ? DOCUMENTATION : undefined}
      customScalarSchemas={SCALARS}
      inputValueDeprecation
      schemaDescription
    >
      <Editors />
      <HistoryStore>
        <DocExplorerStore>
          <header className="bar">
            <h1>
              <img src={`${import.meta.env.BASE_URL}favicon.svg`} alt="" width="24" height="24" />
              Footfall
            </h1>
            {ready && <ExampleMenu />}
            <KeyForm current={key} status={status} onUse={use} />
          </header>
          {ready ? (
            <GraphiQLInterface
              defaultEditorToolsVisibility={ROOMY && 'variables'}
              isHeadersEditorEnabled={false}
            >
              <GraphiQL.Logo>
                <></>
              </GraphiQL.Logo>
            </GraphiQLInterface>
          ) : (
            <p className="loading">Loading the editor…</p>
          )}
        </DocExplorerStore>
      </HistoryStore>
    </GraphiQLProvider>
  );
}
