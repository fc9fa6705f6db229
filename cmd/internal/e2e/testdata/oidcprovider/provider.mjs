// An OpenID provider on a free port of loopback. It prints its issuer, and lets in
// whoever gives a name; CALLBACK and SIGNED_OUT are where its one client lives.
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: 'ssod',
      client_secret: process.env.SECRET,
      redirect_uris: [process.env.CALLBACK],
      post_logout_redirect_uris: [process.env.SIGNED_OUT],
    }],
    claims: { openid: ['sub'], address: ['address'] },
    cookies: { keys: ['not a secret'] },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, address: { postal_code: '12345' } }),
    }),
  });
  server.on('request', provider.callback());
  console.log(issuer);
});
