// A certified OpenID Connect provider on this machine, for tests/portal/test_oidc.py: node provider.mjs PORT CALLBACK
// Whoever signs in as `ada@clinic.example` has that address, verified; as `unverified:ada@clinic.example`, not verified.
import { Provider } from 'oidc-provider';

const [port, callback] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'partnerships',
    client_secret: 'a-secret-of-the-tests-that-is-long-enough',
    redirect_uris: [callback],
  }],
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  pkce: { required: () => true },
  cookies: { keys: ['a key of the tests'] },
  findAccount: (_, login) => ({
    accountId: login,
    claims: () => ({
      sub: login,
      email: login.replace('unverified:', ''),
      email_verified: !login.startsWith('unverified:'),
    }),
  }),
});

provider.listen(port, '127.0.0.1', () => console.log(`listening at ${issuer}`));
