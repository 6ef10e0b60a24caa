// Audits a server's GraphQL over HTTP with the checks of npm `graphql-http`. Fails on an error or a warning; notices are
// truly optional behaviour and are only listed. With a token the requests are a member's.
import { auditServer } from 'graphql-http';

const [url, token] = process.argv.slice(2);
if (!url) {
  console.error('usage: node audit.mjs <url> [token]');
  process.exit(2);
}

const asMember = (input, init) => fetch(input, { ...init, headers: { ...init?.headers, authorization: `Bearer ${token}` } });
const results = await auditServer({ url, fetchFn: token ? asMember : fetch });
const failed = (status) => results.filter((result) => result.status === status);
for (const status of ['error', 'warn', 'notice']) {
  for (const { id, name, reason } of failed(status)) {
    console.log(`${status}: ${id} ${name}: ${reason}`);
  }
}
const [errors, warnings, notices] = ['error', 'warn', 'notice'].map((status) => failed(status).length);
console.log(`${results.length} audits, ${errors} errors, ${warnings} warnings, ${notices} notices`);
process.exit(errors + warnings > 0 ? 1 : 0);
