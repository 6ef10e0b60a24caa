// Subscribes to a reader's notifications as a web page does, has somebody else react to a post of theirs, and prints as JSON
// what came of it.
//
//   node subscribe.mjs <ws|sse> <host:port> <reader's token> <other's token> <post>
import { createClient as overEvents } from 'graphql-sse';
import { createClient as overSocket } from 'graphql-ws';
import WebSocket from 'ws';

const [kind, host, token, other, post] = process.argv.slice(2);
if (!post) {
  console.error("usage: node subscribe.mjs <ws|sse> <host:port> <reader's token> <other's token> <post>");
  process.exit(2);
}
const url = `http://${host}/graphql`;
const client = (token) =>
  kind === 'ws'
    ? overSocket({
        url: `ws://${host}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { authorization: `Bearer ${token}`, acceptLanguage: 'en' },
        retryAttempts: 0,
        lazyCloseTimeout: 5_000,
      })
    : overEvents({ url, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0 });

/** The first answer to an operation. */
async function first(client, query) {
  for await (const { data, errors } of client.iterate({ query })) {
    if (errors) throw errors;
    return data;
  }
  throw new Error(`nothing was answered to ${query}`);
}

const reader = client(token);
const since = new Date().toISOString();
const added = first(reader, `subscription { notificationAdded(since: "${since}") { kind actors { handle } } }`);
const me = await first(reader, '{ me { profile { handle } } }');
const reacted = await fetch(url, {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${other}` },
  body: JSON.stringify({ query: `mutation { react(input: { subjectId: "${post}", kind: LOVE }) { userErrors { code } } }` }),
});
if (!reacted.ok) throw new Error(await reacted.text());
const seen = { line: await added, me };
if (kind === 'ws') {
  seen.refused = await first(reader, '{ nothing }').catch((errors) => errors[0].extensions.code);
  seen.forged = await first(client('nonsense'), '{ me { profile { id } } }').catch((event) => event.code);
}
console.log(JSON.stringify(seen));
process.exit(0);
