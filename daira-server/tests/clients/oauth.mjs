// Lets an app in as `openid-client` does: finds the server, sends a browser off, exchanges the code, and uses, renews, looks into
// and gives back what it got. The person is played by the script with a token of theirs. Prints as JSON what came of it.
//
//   node oauth.mjs <issuer> <method> <client id> <client secret> <redirect uri> <token of the person>
import * as client from 'openid-client';

const [issuer, method, id, secret, redirect, token] = process.argv.slice(2);
if (!token) {
  console.error('usage: node oauth.mjs <issuer> <method> <client id> <client secret> <redirect uri> <token of the person>');
  process.exit(2);
}
const methods = { none: client.None, basic: client.ClientSecretBasic, post: client.ClientSecretPost };
const options = { execute: [client.allowInsecureRequests] };
const metadata = { id_token_signed_response_alg: 'EdDSA' };
const config = await client.discovery(new URL(issuer), id, metadata, methods[method](secret), options);
const verifier = client.randomPKCECodeVerifier();
const [state, nonce] = [client.randomState(), client.randomNonce()];
const wish = client.buildAuthorizationUrl(config, {
  redirect_uri: redirect,
  scope: 'openid read:profile offline_access',
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state,
  nonce,
});
const report = { pkce: config.serverMetadata().supportsPKCE(), asked: null };
const sent = await fetch(wish, { redirect: 'manual' });
const page = new URL(sent.headers.get('location'));
report.asked = { status: sent.status, page: page.origin + page.pathname };

const graphql = async (query, request) => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'accept-language': 'en' };
  const answer = await fetch(`${issuer}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables: { request } }) });
  return (await answer.json()).data;
};
const shown = 'query ($request: String!) { appRequest(request: $request) { name scopes { name text } isGranted } }';
report.shown = (await graphql(shown, page.search.slice(1))).appRequest;
const agree = 'mutation ($request: String!) { authorizeApp(input: { request: $request }) { redirectTo userErrors { code } } }';
const { redirectTo } = (await graphql(agree, page.search.slice(1))).authorizeApp;

const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
const tokens = await client.authorizationCodeGrant(config, new URL(redirectTo), checks);
report.tokens = { type: tokens.token_type, scope: tokens.scope, claims: tokens.claims() };
report.user = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
const next = await client.refreshTokenGrant(config, tokens.refresh_token, { scope: 'openid' });
report.next = { scope: next.scope, isNew: next.refresh_token !== tokens.refresh_token };
if (method !== 'none') {
  const seen = await client.tokenIntrospection(config, next.access_token);
  report.seen = { active: seen.active, scope: seen.scope, client: seen.client_id };
}
await client.tokenRevocation(config, next.refresh_token);
const gone = async (work) => {
  try {
    return await work();
  } catch (error) {
    return error.error ?? error.status ?? error.code;
  }
};
report.refreshed = await gone(() => client.refreshTokenGrant(config, next.refresh_token));
report.used = await gone(() => client.fetchUserInfo(config, next.access_token, tokens.claims().sub));
report.again = await gone(() => client.authorizationCodeGrant(config, new URL(redirectTo), checks));
const mixed = new URL(redirectTo);
mixed.searchParams.set('iss', 'https://evil.example');
report.mixed = await gone(() => client.authorizationCodeGrant(config, mixed, checks));
console.log(JSON.stringify(report));
