// An identity provider of one client and of whoever types a name, for the tests of the sign-in.
// Its settings come as JSON in the first argument: port, client, secret, redirect, signedOut, keys (private JWKs).
import Provider from "oidc-provider";

const { port, client, secret, redirect, signedOut, keys } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: client,
    client_secret: secret,
    redirect_uris: [redirect],
    post_logout_redirect_uris: [signedOut],
  }],
  jwks: { keys },
  cookies: { keys: ["of a test"] },
  pkce: { required: () => true, methods: ["S256"] },
  claims: { openid: ["sub"], profile: ["preferred_username", "name", "groups"] },
  async findAccount(context, id) {
    return {
      accountId: id,
      claims: async () => ({ sub: id, preferred_username: id, name: `${id} of the hospital`, groups: ["dose-team"] }),
    };
  },
});

provider.listen(port, "127.0.0.1", () => console.log("listens"));
