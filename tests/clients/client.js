// One client against a running server: node client.js graphql-ws|apollo|urql ADDRESS KEY
// Every step is a line of JSON. It goes on listening until the server refuses it.

import { ApolloClient, InMemoryCache, gql } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { Client, subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const QUERY = "query { site { id } }";
const MUTATION = "mutation { trackPageView(input: {}) { verdict } }";
const MISTAKE = "query { nothing }";
const FEED = "subscription { eventFeed { kind event { eventId } } }";

// As in a browser: Node has none of its own before version 22.
globalThis.WebSocket = WebSocket;

const [name, url, key] = process.argv.slice(2);
const socket = createClient({
  url,
  connectionParams: { Authorization: `Bearer ${key}` },
  // Also where nobody listens at the address, as while a server is started anew.
  shouldRetry: () => true,
  retryAttempts: 300,
  retryWait: () => new Promise((resolve) => setTimeout(resolve, 100)),
});

function say(step, value) {
  console.log(JSON.stringify({ step, value }));
}

const codeOf = (errors) => errors[0].extensions?.code;

// Each client as two functions: `ask` answers the data or throws the errors, `listen` hands on every
// result as { data, errors }.
const clients = {
  "graphql-ws": () => ({
    async ask(query) {
      const { value } = await socket.iterate({ query }).next();
      if (value.errors) throw value.errors;
      return value.data;
    },
    listen(query, take) {
      socket.subscribe({ query }, { next: take, error: (errors) => take({ errors }), complete() {} });
    },
  }),
  apollo: () => {
    const client = new ApolloClient({ link: new GraphQLWsLink(socket), cache: new InMemoryCache() });
    const unwrap = (error) => error.errors ?? [error];
    return {
      async ask(query) {
        const document = gql(query);
        const asked = query.startsWith("mutation")
          ? client.mutate({ mutation: document })
          : client.query({ query: document });
        return (await asked.catch((error) => Promise.reject(unwrap(error)))).data;
      },
      listen(query, take) {
        client.subscribe({ query: gql(query) }).subscribe({
          next: ({ data, error }) => take({ data, errors: error && unwrap(error) }),
          error: (error) => take({ errors: unwrap(error) }),
        });
      },
    };
  },
  urql: () => {
    const forward = ({ query, variables }) => ({
      subscribe: (sink) => ({ unsubscribe: socket.subscribe({ query, variables }, sink) }),
    });
    const client = new Client({
      url,
      exchanges: [subscriptionExchange({ enableAllOperations: true, forwardSubscription: forward })],
    });
    const unwrap = (error) => error && (error.networkError ? [error.networkError] : error.graphQLErrors);
    return {
      async ask(query) {
        const asked = query.startsWith("mutation") ? client.mutation(query, {}) : client.query(query, {});
        const { data, error } = await asked.toPromise();
        if (error) throw unwrap(error);
        return data;
      },
      listen(query, take) {
        client.subscription(query, {}).subscribe(({ data, error }) => take({ data, errors: unwrap(error) }));
      },
    };
  },
};

const client = clients[name]();
say("query", (await client.ask(QUERY)).site.id);
say("mutation", (await client.ask(MUTATION)).trackPageView.verdict);
say("mistake", await client.ask(MISTAKE).then(() => null, codeOf));
client.listen(FEED, ({ data, errors }) => {
  if (errors) {
    say("refused", codeOf(errors));
    process.exit();
  }
  say(data.eventFeed.kind, data.eventFeed.event?.eventId ?? null);
});
