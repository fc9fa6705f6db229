// An OpenID provider on a free port of loopback. It prints its issuer, and lets in
// whoever gives a name; CALLBACK, SIGNED_OUT and LOGGED_OUT are where its one client lives.
// It rotates refresh tokens, takes a second use for theft, and counts:
//
//	GET  /test/refreshes  {uses, refused, held}
//	POST /test/hold       requests with refresh tokens wait, until
//	POST /test/release
//	GET  /test/tokens     all tokens that it gave, and the codes for them
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const counts = { uses: 0, refused: 0, held: 0 };
const tokens = [];
let release = () => {};
let released = Promise.resolve();

const holds = {
  '/test/refreshes': () => {},
  '/test/hold': () => { released = new Promise((done) => { release = done; }); },
  '/test/release': () => release(),
};

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'ssod',
      client_secret: process.env.SECRET,
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: [process.env.CALLBACK],
      post_logout_redirect_uris: [process.env.SIGNED_OUT],
      ...(process.env.LOGGED_OUT && { backchannel_logout_uri: process.env.LOGGED_OUT, backchannel_logout_session_required: true }),
    }],
    claims: { openid: ['sub'], address: ['address'], profile: ['plan'] },
    cookies: { keys: ['not a secret'] },
    features: { backchannelLogout: { enabled: true } },
    rotateRefreshToken: true,
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, address: { postal_code: '12345' }, plan: `after ${counts.uses}` }),
    }),
  });
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route === 'token') {
      tokens.push(...['access_token', 'refresh_token', 'id_token'].map((name) => ctx.body[name]), ctx.oidc.params?.code);
    }
    if (ctx.oidc?.route === 'token' && ctx.oidc.params?.grant_type === 'refresh_token') {
      if (ctx.status === 200) counts.uses += 1; else counts.refused += 1;
    }
  });
  const answer = provider.callback();
  server.on('request', async (request, response) => {
    if (request.url === '/test/tokens') {
      response.end(JSON.stringify(tokens.filter(Boolean)));
      return;
    }
    const own = holds[request.url];
    if (own) {
      own();
      response.end(JSON.stringify(counts));
      return;
    }
    if (request.url === '/token') {
      counts.held += 1;
      await released;
      counts.held -= 1;
    }
    answer(request, response);
  });
  console.log(issuer);
});
