// Compares two GraphQL schemas with @graphql-inspector and prints what changed. Ends with 1 when something would break a
// client that works today.
//
//   node schema.mjs <before.graphql> <after.graphql>
import { readFile } from 'node:fs/promises';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

const [before, after] = await Promise.all(process.argv.slice(2, 4).map(async (path) => buildSchema(await readFile(path, 'utf8'))));
const changes = await diff(before, after);
for (const { criticality, message } of changes) {
  console.log(`${criticality.level}: ${message}`);
}
const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
console.log(`${changes.length} changes, ${breaking.length} breaking`);
process.exit(breaking.length > 0 ? 1 : 0);
