// Opens GraphiQL in a browser as a person would, types a query, runs it, and prints as JSON what came of it: the answer
// shown, what the page asked for outside its server, and what the browser complained about.
//
//   node graphiql.mjs <browser> <url> <query> [headers]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [executablePath, url, query, headers] = process.argv.slice(2);
if (!query) {
  console.error('usage: node graphiql.mjs <browser> <url> <query> [headers]');
  process.exit(2);
}
const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const folder = await mkdtemp(join(tmpdir(), 'graphiql-'));
const patience = 120_000;
const context = await chromium.launchPersistentContext(folder, { executablePath, headless: true, args: flags, timeout: patience });
context.setDefaultTimeout(patience);
const outside = [];
const complaints = [];
const shown = { title: '', answer: '', documented: false };
try {
  const page = context.pages()[0] ?? (await context.newPage());
  const { origin } = new URL(url);
  page.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith(`${origin}/`) && !asked.startsWith('data:') && !asked.startsWith('blob:')) outside.push(asked);
  });
  page.on('requestfailed', (request) => complaints.push(`${request.url()} ${request.failure()?.errorText}`));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(url);
  shown.title = await page.title();
  const replace = async (editor, text) => {
    await page.locator(`${editor} .CodeMirror`).click();
    await page.keyboard.press('Control+A');
    await page.keyboard.insertText(text);
  };
  if (headers) await replace('.graphiql-editor-tool .graphiql-editor:not(.hidden)', headers);
  await replace('.graphiql-query-editor', query);
  // The page notices a moment later which operation it now holds, and keeps that with its open tabs.
  await page.waitForFunction((text) => {
    const [tab] = JSON.parse(localStorage.getItem('graphiql:tabState'))?.tabs ?? [];
    return tab?.query === text && tab.operationName === (/^query (\w+)/.exec(text)?.[1] ?? null);
  }, query);
  await page.keyboard.press('Control+Enter');
  const result = page.locator('.result-window .CodeMirror-code');
  await result.getByText('"').first().waitFor();
  // The editor draws only the lines in sight; its model has them all.
  shown.answer = await page.locator('.result-window .CodeMirror').evaluate((node) => node.CodeMirror.getValue());
  await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
  await page.locator('.graphiql-doc-explorer').getByText('Query', { exact: true }).first().waitFor();
  shown.documented = true;
} catch (error) {
  complaints.push(String(error));
} finally {
  await context.close();
  await rm(folder, { recursive: true, force: true });
}
console.log(JSON.stringify({ ...shown, outside, complaints }));
