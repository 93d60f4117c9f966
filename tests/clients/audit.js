// The GraphQL-over-HTTP audit suite against a server: prints one line of JSON for each audit.
import { serverAudits } from 'graphql-http';

const [url, key] = process.argv.slice(2);

function withKey(input, init = {}) {
  return fetch(input, { ...init, headers: { ...init.headers, 'X-API-Key': key } });
}

for (const audit of serverAudits({ url, fetchFn: withKey })) {
  const { status, reason } = await audit.fn();
  console.log(JSON.stringify({ id: audit.id, name: audit.name, status, reason }));
}
