const queries = import.meta.glob<string>('./examples/*.graphql', {
  query: '?raw',
  import: 'default',
  eager: true,
});
const variables = import.meta.glob<string>('./examples/*.json', {
  query: '?raw',
  import: 'default',
  eager: true,
});

export interface Example {
  /** The first line of the file, which is a comment. */
  label: string;
  query: string;
  variables: string | null;
}

/** In the order of their file names. */
export const EXAMPLES: Example[] = Object.keys(queries)
  .sort()
  .map(path => {
    const query = queries[path] ?? '';
    return {
      label: query.slice(0, query.indexOf('\n')).replace(/^#\s*/, ''),
      query,
      variables: variables[path.replace('.graphql', '.json')] ?? null,
    };
  });
