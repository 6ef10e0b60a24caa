// Logs in from a page in a browser as a web client does, and tries the same from pages of two other origins: one on another
// port of the same host, which is the same site, and one on another host. Prints as JSON what came of it.
//
//   node web.mjs <browser> <url> <email> <password>
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [executablePath, url, email, password] = process.argv.slice(2);
if (!password) {
  console.error('usage: node web.mjs <browser> <url> <email> <password>');
  process.exit(2);
}
const flags = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const elsewhere = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<title>elsewhere</title>'));
await new Promise((done) => elsewhere.listen(0, '0.0.0.0', done));
const { port } = elsewhere.address();
const folder = await mkdtemp(join(tmpdir(), 'web-'));
const timeout = 120_000;
// The pages that are only there to have an origin forbid all scripts to connect; that is not what is tried here.
const options = { executablePath, headless: true, args: flags, timeout, bypassCSP: true };
const context = await chromium.launchPersistentContext(folder, options);
context.setDefaultTimeout(timeout);

// As a script of a page would: an answer, or what the browser said in its place.
const ask = (page, path, body, more = {}) =>
  page.evaluate(
    async ([address, body, more]) => {
      try {
        const headers = { 'content-type': 'application/json', 'accept-language': 'en' };
        const answer = await fetch(address, { method: 'POST', headers, body, credentials: 'include', ...more });
        return { status: answer.status, body: answer.type === 'opaque' ? null : await answer.json() };
      } catch (error) {
        return { refused: error.name };
      }
    },
    [url + path, JSON.stringify(body), more],
  );

const report = {};
try {
  const page = await context.newPage();
  await page.goto(`${url}/livez`);
  report.logIn = await ask(page, '/auth/log-in', { email, password, device: 'Chromium' });
  report.cookies = (await context.cookies(url)).map(({ name, httpOnly, secure, sameSite, path }) => ({ name, httpOnly, secure, sameSite, path }));
  report.readable = await page.evaluate(() => document.cookie);
  report.refresh = await ask(page, '/auth/refresh', {});
  report.others = [];
  for (const host of ['127.0.0.1', 'localhost']) {
    const other = await context.newPage();
    await other.goto(`http://${host}:${port}/`);
    report.others.push({
      json: await ask(other, '/auth/refresh', {}),
      // What a page may send anywhere without asking first; the browser does not show it the answer.
      simple: await ask(other, '/auth/log-out', {}, { headers: { 'content-type': 'text/plain' }, mode: 'no-cors' }),
      form: await other.evaluate(async (address) => {
        const form = document.body.appendChild(document.createElement('form'));
        Object.assign(form, { method: 'post', action: address, enctype: 'text/plain' });
        form.appendChild(Object.assign(document.createElement('input'), { name: '{"x":"', value: '"}' }));
        form.submit();
      }, `${url}/auth/log-out`).then(() => other.waitForURL(`${url}/**`)).then(() => other.locator('body').innerText()),
    });
    await other.close();
  }
  report.still = await ask(page, '/auth/refresh', {});
  report.logOut = await ask(page, '/auth/log-out', {});
  report.left = (await context.cookies(url)).map(({ name }) => name);
  report.after = await ask(page, '/auth/refresh', {});
} finally {
  await context.close();
  elsewhere.close();
  await rm(folder, { recursive: true, force: true });
}
console.log(JSON.stringify(report));
