// An OpenID Connect issuer on a free port of loopback, for the tests of signing in.
//
//   node issuer.mjs MODULES CERTIFICATE KEY
//
// Says "listening PORT", then reads one line of JSON: {"kind": "provider", "client": {...},
// "people": {...}} for a certified provider, {"kind": "liar"} for one that signs whatever the code
// asks for; says "ready N". Every line after the first changes the keys, too.
import { createRequire } from 'node:module';
import crypto from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import readline from 'node:readline';
import { pathToFileURL } from 'node:url';

const [modules, certificate, key] = process.argv.slice(2);

let keys, generation = 0;
function makeKeys() {
  generation += 1;
  keys = {
    RS256: crypto.generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  };
}
const stranger = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });

function jwk(name, kind) {
  return { ...keys[name][kind].export({ format: 'jwk' }), kid: `${name}-${generation}`, alg: name, use: 'sig' };
}

async function provider(issuer, settings) {
  const require = createRequire(path.join(modules, 'package.json'));
  const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));
  const it = new Provider(issuer, {
    clients: [settings.client],
    claims: { email: ['email', 'email_verified'] },
    pkce: { required: () => true },
    cookies: { keys: [crypto.randomBytes(32).toString('hex')] },
    jwks: { keys: [jwk('RS256', 'privateKey'), jwk('ES256', 'privateKey')] },
    findAccount: (context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, ...settings.people[id] }),
    }),
  });
  return it.callback();
}

// --- the liar ----------------------------------------------------------------------------------

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  .toString('base64url');

function sign(text, how) {
  switch (how.signer ?? how.alg ?? 'RS256') {
    case 'RS256': return crypto.sign('sha256', Buffer.from(text), keys.RS256.privateKey);
    case 'ES256': return crypto.sign('sha256', Buffer.from(text),
      { key: keys.ES256.privateKey, dsaEncoding: 'ieee-p1363' });
    case 'HS256': return crypto.createHmac('sha256',
      keys.RS256.publicKey.export({ type: 'spki', format: 'pem' })).update(text).digest();
    case 'stranger': return crypto.sign('sha256', Buffer.from(text), stranger.privateKey);
    default: return Buffer.alloc(0);
  }
}

// The code says, in base64url: {"claims": {...}, "header": {...}, "signer": "...", ...}.
function token(issuer, how) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: 'muster', iat: now, exp: now + 300, sub: 'ann',
    email: 'ann@example.org', email_verified: true, ...how.claims };
  const header = { alg: how.alg ?? 'RS256', kid: `${how.alg === 'ES256' ? 'ES256' : 'RS256'}-${generation}`,
    ...how.header };
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${sign(text, how).toString('base64url')}`;
}

async function liar(issuer, request, response) {
  const answer = (status, body) => {
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  if (request.url === '/keys') return answer(200, { keys: ['RS256', 'ES256'].map((n) => jwk(n, 'publicKey')) });
  if (request.url !== '/token') {
    return answer(200, { issuer, authorization_endpoint: `${issuer}/authorize?theme=dark`,
      token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys` });
  }
  let body = '';
  for await (const part of request) body += part;
  const form = new URLSearchParams(body);
  const how = JSON.parse(Buffer.from(form.get('code'), 'base64url'));
  if (how.length) return answer(200, 'x'.repeat(how.length));
  if (how.raw !== undefined) return answer(how.status ?? 200, how.raw);
  const verifier = crypto.createHash('sha256').update(form.get('code_verifier')).digest('base64url');
  if (verifier !== how.challenge) return answer(400, { error: 'invalid_grant' });
  return answer(200, { token_type: 'Bearer', id_token: token(issuer, how) });
}

// --- serving -----------------------------------------------------------------------------------

let handle = (request, response) => { response.writeHead(503); response.end(); };
const server = https.createServer(
  { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) },
  (request, response) => handle(request, response));

server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));

readline.createInterface({ input: process.stdin }).on('line', async (line) => {
  const settings = JSON.parse(line);
  const issuer = `https://localhost:${server.address().port}`;
  makeKeys();
  handle = settings.kind === 'provider' ? await provider(issuer, settings)
    : (request, response) => liar(issuer, request, response);
  console.log(`ready ${generation}`);
}).on('close', () => process.exit(0));
