// Plays a link with the client that hey-api made.
import { createClient } from "./heyapi/api/client";
import { createAccessToken, createLinkCode, createServiceToken, listDevices, registerClient, unlinkDevices } from "./heyapi/api/sdk.gen";

const [url, statement, name] = process.argv.slice(2) as [string, string, string];
const path = { serviceProvider: "tv" };
const tv = "fingerprint dHY=";
const phone = "fingerprint cGhvbmU=";

async function play() {
  let access = "";
  const client = createClient({ baseUrl: url, auth: () => access });
  const must = { client, throwOnError: true } as const;

  const { data: registered } = await registerClient({ ...must, body: { software_statement: statement } });
  const { data: granted } = await createAccessToken({
    ...must,
    body: { grant_type: "client_credentials", client_id: registered.client_id, client_secret: registered.client_secret },
  });
  access = granted.access_token;

  const { data: minted } = await createServiceToken({ ...must, path, headers: { "AP-Device-Identifier": tv, "X-SSO-ID": "viewer of " + name } });
  if (Number(minted.notAfter) - Date.now() < 60_000) throw new Error("the token is good until " + minted.notAfter);
  const own = { "AP-Device-Identifier": tv, "AD-Service-Token": minted.serviceToken };
  const { data: code } = await createLinkCode({ ...must, path, headers: own });
  const { data: redeemed } = await createServiceToken({ ...must, path, headers: { "AP-Device-Identifier": phone, "X-SSO-LINK": code.code } });
  const { data: listed } = await listDevices({ ...must, path, headers: own });
  const { data: unlinked } = await unlinkDevices({ ...must, path, headers: own, body: { devices: ["cGhvbmU="] } });
  const { error } = await listDevices({ client, path, headers: { "AP-Device-Identifier": phone, "AD-Service-Token": redeemed.serviceToken } });
  if (error === undefined || typeof error === "string") throw new Error("no error of the API");
  console.log(Object.keys(listed.devices).length, listed.devices["cGhvbmU="]?.type, `[${unlinked.unlinkedDevices}]`, error.error.code);
}

play().catch((err) => {
  console.error(err);
  process.exitCode = 1;
});
