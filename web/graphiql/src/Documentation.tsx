import { DOC_EXPLORER_PLUGIN, DocExplorer } from '@graphiql/plugin-doc-explorer';
import { pick, useGraphiQL } from '@graphiql/react';

/** The documentation, or how to get it: the schema is for keys that can read. */
function Documentation() {
  const { schema, isIntrospecting, fetchError } = useGraphiQL(
    pick('schema', 'isIntrospecting', 'fetchError'),
  );
  if (schema || isIntrospecting || fetchError) return <DocExplorer />;
  return (
    <section className="graphiql-doc-explorer" aria-label={DOC_EXPLORER_PLUGIN.title}>
      <h2 className="graphiql-doc-explorer-title">Docs</h2>
      <p>Use a read key, and every query, field and type is described here.</p>
    </section>
  );
}

export const DOCUMENTATION = { ...DOC_EXPLORER_PLUGIN, content: Documentation };
