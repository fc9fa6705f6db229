// Plays a link with openapi-fetch and the types that openapi-typescript made.
import createClient from "openapi-fetch";

import type { paths } from "./openapi-typescript/api";

const [url, statement, name] = process.argv.slice(2) as [string, string, string];
const path = { serviceProvider: "tv" };
const tv = "fingerprint dHY=";
const phone = "fingerprint cGhvbmU=";

// some is what an answer has to have.
function some<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

async function play() {
  const client = createClient<paths>({ baseUrl: url });
  const registered = some(await client.POST("/o/client/register", { body: { software_statement: statement } }));
  const access = some(
    await client.POST("/o/client/token", {
      body: { grant_type: "client_credentials", client_id: registered.client_id, client_secret: registered.client_secret },
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    }),
  );
  client.use({
    onRequest({ request }) {
      request.headers.set("Authorization", "Bearer " + access.access_token);
      return request;
    },
  });

  const serviceToken = "/api/{serviceProvider}/serviceToken";
  const minted = some(await client.POST(serviceToken, { params: { path, header: { "AP-Device-Identifier": tv, "X-SSO-ID": "viewer of " + name } } }));
  if (minted.notAfter - Date.now() < 60_000) throw new Error("the token is good until " + minted.notAfter);
  const own = { "AP-Device-Identifier": tv, "AD-Service-Token": minted.serviceToken };
  const code = some(await client.POST("/api/{serviceProvider}/link", { params: { path, header: own } }));
  const redeemed = some(await client.POST(serviceToken, { params: { path, header: { "AP-Device-Identifier": phone, "X-SSO-LINK": code.code } } }));
  const listed = some(await client.GET("/api/{serviceProvider}/list", { params: { path, header: own } }));
  const unlinked = some(await client.POST("/api/{serviceProvider}/unlink", { params: { path, header: own }, body: { devices: ["cGhvbmU="] } }));
  const refused = await client.GET("/api/{serviceProvider}/list", {
    params: { path, header: { "AP-Device-Identifier": phone, "AD-Service-Token": redeemed.serviceToken } },
    headers: { Accept: "application/json" },
  });
  const error = refused.error;
  if (error === undefined || typeof error === "string") throw new Error("no error of the API");
  console.log(Object.keys(listed.devices).length, listed.devices["cGhvbmU="]?.type, `[${unlinked.unlinkedDevices}]`, error.error.code);
}

play().catch((err) => {
  console.error(err);
  process.exitCode = 1;
});
