package render

// setup is what a reader types once, before any of the commands.
func (sh shell) setup() []command {
	text := forApps
	if sh.Host == "ADMIN" {
		text = forOperators
	}
	return []command{{"Variables of the commands", text}}
}

const forApps = `HOST=http://127.0.0.1:8080    # or where you read this
SERVICE_PROVIDER=demo         # your channel or brand
REALM=demo                    # the tenant of the service provider
MVPD=sandbox                  # a TV provider, see readConfiguration
# One device. The guides have two: PHONE and TV are the whole header,
# PHONE_TOKEN and TV_TOKEN their service tokens.
DEVICE="fingerprint $(printf %s tv-1 | base64 | tr -d '\n')"
STATEMENT=...                 # software statement, from the operator
CLIENT_ID=...                 # this and the next: see registerClient
CLIENT_SECRET=...
TOKEN=...                     # access token, see createAccessToken
SERVICE_TOKEN=...             # of the device, see createServiceToken
CODE=...                      # link code, see createLinkCode
AUTHENTICATION_CODE=...       # of a login, see createSession
PARTNER=Apple                 # see createPartnerSession
PAGE=tv                       # a page of this documentation
TICKET=...                    # in the address to which authenticate leads
STATE=...                     # in the address to which the provider leads
ID=...                        # in the url of logout`

const forOperators = `ADMIN=http://127.0.0.1:8081   # or where you read this
ADMIN_TOKEN=...               # of --admin-token; without one any text
NAME=n1                       # of a node, see showCluster
ID=...                        # of a software statement
CLIENT_ID=...                 # of an installation of an app
KID=...                       # of a key, see listKeys
REALM=demo                    # a tenant
SERVICE_PROVIDER=demo         # a channel or brand of it
MVPD=sandbox                  # a TV provider of it
SUBJECT=...                   # a viewer: the X-SSO-ID
DEVICE=...                    # in Base64, as lists have it
PROFILE=heap                  # of the process, see readRuntimeProfile
PAGE=admin                    # a page of this documentation`
