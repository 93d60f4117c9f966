import {
  createGraphiQLFetcher,
  isAsyncIterable,
  isObservable,
  type Fetcher,
  type FetcherParams,
} from '@graphiql/toolkit';
import { parse, type DocumentNode } from 'graphql';
import { createClient } from 'graphql-ws';

const ENDPOINT = '/graphql';

export interface Answer {
  data?: unknown;
  errors?: { message: string; extensions?: { code?: string } }[];
}

export function codesOf(answer: Answer): string[] {
  return (answer.errors ?? []).map(error => error.extensions?.code ?? '');
}

export function authorization(key: string): Record<string, string> {
  return key === '' ? {} : { Authorization: `Bearer ${key}` };
}

function problem(message: string): Error {
  const error = new Error(message);
  // GraphiQL shows all of an error as the result.
  delete error.stack;
  return error;
}

/** Says in words what would otherwise read "Failed to fetch" or "Unexpected token '<'". */
async function fetchJson(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init).catch(() => {
    throw problem('The server cannot be reached.');
  });
  if (!/\bjson\b/.test(response.headers.get('Content-Type') ?? '')) {
    throw problem(`The server did not answer in JSON, but with HTTP status ${response.status}.`);
  }
  return response;
}

/**
 * GraphiQL learns an operation's name a moment after the text has changed. Whoever runs a tab at
 * once would be told that there is no operation of the name of the tab before.
 */
function withoutStaleName(params: FetcherParams): FetcherParams {
  const { operationName, ...rest } = params;
  return operationName && params.query.includes(operationName) ? params : rest;
}

/** Of the same age is what GraphiQL knows of the operation's kind, which decides how it is sent. */
function documentOf(query: string): DocumentNode | undefined {
  try {
    return parse(query);
  } catch {
    return undefined; // the server says what is wrong with it
  }
}

/** One request outside the editor. */
export async function ask(key: string, query: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetchJson(ENDPOINT, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...authorization(key) },
    body: JSON.stringify({ query }),
    signal,
  });
  return (await response.json()) as Answer;
}

/** GraphiQL's fetcher for one key; tells of the error codes of every answer. */
export function createFetcher(key: string, onAnswer: (codes: string[]) => void): Fetcher {
  const fetcher = createGraphiQLFetcher({
    url: ENDPOINT,
    headers: authorization(key),
    fetch: fetchJson,
    // Connects when a subscription starts. A browser cannot set headers on a WebSocket, so the key
    // travels in connection_init.
    wsClient: createClient({
      url: `${location.origin.replace('http', 'ws')}${ENDPOINT}`,
      connectionParams: authorization(key),
    }),
    enableIncrementalDelivery: false,
  });
  return async (params, options) => {
    const documentAST = documentOf(params.query);
    const answer = await fetcher(withoutStaleName(params), { ...options, documentAST });
    // That a key may not see the schema says nothing of what it is used for.
    const asked = params.operationName !== 'IntrospectionQuery';
    if (asked && !isAsyncIterable(answer) && !isObservable(answer)) {
      onAnswer(codesOf(answer as Answer));
    }
    return answer;
  };
}
