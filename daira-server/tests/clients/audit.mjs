// Audits a server's GraphQL over HTTP with the checks of npm `graphql-http`. Fails on an error or a warning; notices are
// truly optional behaviour and are only listed. With a token the requests are a member's.
//
// Without a token it also reads the schema the way GraphiQL does, and has graphql-js check that it is valid.
import { assertValidSchema, buildClientSchema, getIntrospectionQuery } from 'graphql';
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
if (!token) {
  const query = getIntrospectionQuery({ schemaDescription: true, inputValueDeprecation: true, specifiedByUrl: true });
  const headers = { 'content-type': 'application/json', accept: 'application/json, multipart/mixed' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ query }) });
  const { data, errors } = await response.json();
  if (errors) {
    console.log(`introspection was refused: ${JSON.stringify(errors)}`);
    process.exit(1);
  }
  assertValidSchema(buildClientSchema(data));
}
const [errors, warnings, notices] = ['error', 'warn', 'notice'].map((status) => failed(status).length);
console.log(`${results.length} audits, ${errors} errors, ${warnings} warnings, ${notices} notices`);
process.exit(errors + warnings > 0 ? 1 : 0);
