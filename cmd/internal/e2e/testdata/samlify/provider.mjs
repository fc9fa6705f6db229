// A SAML identity provider on a free port of loopback. It prints its address, learns the
// service provider's metadata by PUT /service, and lets in whoever gives a name. KEY and
// CERTIFICATE name PEM files.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import samlify from 'samlify';

const redirect = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';
const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
samlify.setSchemaValidator({ validate: async () => 'not validated' });

let base, idp, sp;
const sessions = new Map(); // by name: the SessionIndex
const seen = new Set(); // the ids of requests of a framework

// describe makes the provider, whose address must be known first.
function describe() {
  idp = samlify.IdentityProvider({
    entityID: `${base}/metadata`,
    privateKey: readFileSync(process.env.KEY, 'utf8'),
    signingCert: readFileSync(process.env.CERTIFICATE, 'utf8'),
    wantAuthnRequestsSigned: true,
    wantLogoutRequestSigned: true,
    wantLogoutResponseSigned: true,
    isAssertionEncrypted: process.env.ENCRYPT === 'yes',
    dataEncryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
    nameIDFormat: [persistent],
    singleSignOnService: [{ Binding: redirect, Location: `${base}/sso` }],
    singleLogoutService: [{ Binding: redirect, Location: `${base}/slo` }],
    loginResponseTemplate: {
      context: samlify.SamlLib.defaultLoginResponseTemplate.context,
      attributes: [{
        name: 'urn:example:household', valueTag: 'household', valueXsiType: 'xs:string',
        nameFormat: 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
      }],
    },
  });
}

// respond fills in the template of a response for a viewer, to the request with an ID.
function respond(name, asked) {
  const index = `_session-${sessions.size}-${Date.now()}`;
  sessions.set(name, index);
  return (template) => {
    const now = new Date(), later = new Date(now.getTime() + 300_000).toISOString();
    const id = `_${crypto.randomUUID()}`, consumer = sp.entityMeta.getAssertionConsumerService('post');
    const statement = `<saml:AuthnStatement AuthnInstant="${now.toISOString()}" SessionIndex="${index}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>`;
    return {
      id,
      context: samlify.SamlLib.replaceTagsByValue(template.replace('{AuthnStatement}', statement), {
        ID: id, AssertionID: `_${crypto.randomUUID()}`, Destination: consumer, SubjectRecipient: consumer,
        AssertionConsumerServiceURL: consumer, Audience: sp.entityMeta.getEntityID(), EntityID: sp.entityMeta.getEntityID(),
        Issuer: idp.entityMeta.getEntityID(), IssueInstant: now.toISOString(), StatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Success',
        ConditionsNotBefore: now.toISOString(), ConditionsNotOnOrAfter: later, SubjectConfirmationDataNotOnOrAfter: later,
        NameIDFormat: persistent, NameID: name, InResponseTo: asked, attrHousehold: `${name}'s house`,
      }),
    };
  };
}

// signed is what the parameters of HTTP-Redirect were signed as.
const signed = (url) => url.search.slice(1).replace(/&Signature=[^&]*/, '');

const answers = {
  'GET /metadata': async (_, __, to) => to.end(idp.getMetadata()),
  'PUT /service': async (_, body, to) => {
    sp = samlify.ServiceProvider({ metadata: body, wantLogoutRequestSigned: true, wantLogoutResponseSigned: true });
    to.end();
  },
  'GET /sso': async (url, _, to) => {
    const request = await idp.parseLoginRequest(sp, 'redirect', { query: Object.fromEntries(url.searchParams), octetString: signed(url) });
    to.setHeader('Content-Type', 'text/html');
    to.end(`<form method="post" action="/login"><input type="hidden" name="asked" value="${request.extract.request.id}"><input type="hidden" name="state" value="${url.searchParams.get('RelayState')}"><input name="login"><button>Log in</button></form>`);
  },
  'POST /login': async (_, body, to) => {
    const form = new URLSearchParams(body), name = form.get('login'), asked = form.get('asked'), state = form.get('state');
    const response = await idp.createLoginResponse(sp, { extract: { request: { id: asked } } }, 'post', { email: name }, { customTagReplacement: respond(name, asked), relayState: state });
    to.setHeader('Content-Type', 'text/html');
    to.end(`<form method="post" action="${response.entityEndpoint}"><input type="hidden" name="SAMLResponse" value="${response.context}"><input type="hidden" name="RelayState" value="${state}"></form><script>document.forms[0].submit()</script>`);
  },
  // The framework of a device's maker brings a request itself, and takes the answer back.
  'POST /framework': async (url, body, to) => {
    const request = await idp.parseLoginRequest(sp, 'post', { body: { SAMLRequest: body } });
    const name = url.searchParams.get('name'), asked = request.extract.request.id;
    if (seen.has(asked)) throw new Error('a request that was seen before');
    seen.add(asked);
    const response = await idp.createLoginResponse(sp, request, 'post', { email: name }, { customTagReplacement: respond(name, asked) });
    to.end(response.context);
  },
  'GET /slo': async (url, _, to) => {
    const query = { query: Object.fromEntries(url.searchParams), octetString: signed(url) };
    if (url.searchParams.has('SAMLResponse')) {
      await idp.parseLogoutResponse(sp, 'redirect', query);
      to.end('signed out everywhere');
      return;
    }
    const request = await idp.parseLogoutRequest(sp, 'redirect', query);
    sessions.delete(request.extract.nameID);
    const answer = idp.createLogoutResponse(sp, request, 'redirect', url.searchParams.get('RelayState'));
    to.writeHead(302, { Location: answer.context });
    to.end();
  },
  // A viewer signs out at the provider: their browser takes that to the service.
  'GET /sign-out': async (url, _, to) => {
    const name = url.searchParams.get('name');
    const request = idp.createLogoutRequest(sp, 'redirect', { logoutNameID: name, sessionIndex: sessions.get(name) }, 'from the provider');
    to.writeHead(302, { Location: request.context });
    to.end();
  },
};

const server = createServer(async (from, to) => {
  const url = new URL(from.url, base);
  let body = '';
  for await (const chunk of from) body += chunk;
  try {
    await answers[`${from.method} ${url.pathname}`](url, body, to);
  } catch (e) {
    to.writeHead(400);
    to.end(`${e}`);
  }
});
server.listen(0, '127.0.0.1', () => {
  base = `http://127.0.0.1:${server.address().port}`;
  describe();
  console.log(base);
});
