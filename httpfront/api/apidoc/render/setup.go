package render

// setup is what a reader types once, before any of the commands.
func (sh shell) setup() []command {
	text := forApps
	if sh.Host == "ADMIN" {
		text = forOperators
	}
	return []command{{"Variables of the commands", text}}
}

const forApps = `HOST=http://127.0.0.1:8080    # the listener where you read this
SERVICE_PROVIDER=demo         # your channel or brand
REALM=demo                    # the tenant of the service provider
MVPD=sandbox                  # a TV provider, see readConfiguration
DEVICE="fingerprint $(printf %s tv-1 | base64)"
TOKEN=...                     # access token, see createAccessToken
SERVICE_TOKEN=...             # see createServiceToken
CODE=...                      # see createLinkCode, createSession`

const forOperators = `ADMIN=http://127.0.0.1:8081   # the listener where you read this
ADMIN_TOKEN=...               # of --admin-token; without one any text`
