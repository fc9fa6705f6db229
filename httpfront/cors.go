package httpfront

import (
	"slices"

	"ssod/httpfront/api"
	"ssod/httpfront/wire"
)

// Web players may call the SSO Service from the origins of a realm;
// sso-service.md 4, browsers.
const (
	corsHeaders = "Authorization, AP-Device-Identifier, X-Device-Info, X-SSO-ID, X-SSO-LINK, AD-Service-Token, " +
		"Adobe-Subject-Token, X-Roku-Reserved-Roku-Connect-Token, AP-Partner-Framework-Status, " +
		"AP-TempPass-Identity, AP-Visitor-Identifier, X-Forwarded-For, Content-Type, Accept, User-Agent"
	corsExposed = "X-Request-Id, Retry-After"
	corsMaxAge  = "600"
)

// allowedOrigin returns the request's origin if its realm lists it.
func allowedOrigin(r *api.Request) []byte {
	origin := r.Header(wire.Origin)
	if len(origin) == 0 || r.Realm == nil || !slices.Contains(r.Realm.CORS.Origins, string(origin)) {
		return nil
	}
	return origin
}

// addCORS adds what a browser needs to let the player see the answer. Answers
// of a realm with origins differ by origin even for those it does not list.
func (x *exchange) addCORS() {
	if x.Realm == nil || len(x.Realm.CORS.Origins) == 0 {
		return
	}
	x.set("Vary", "Origin")
	if origin := allowedOrigin(&x.Request); origin != nil {
		x.http.Response.Header.SetBytesV("Access-Control-Allow-Origin", origin)
		x.set("Access-Control-Expose-Headers", corsExposed)
	}
}

// answerOptions answers OPTIONS, which is a preflight when it comes from a
// browser.
func (x *exchange) answerOptions() {
	x.http.SetStatusCode(204)
	x.set("Allow", x.resource.allow)
	if allowedOrigin(&x.Request) != nil && len(x.Header(wire.AccessControlRequestMethod)) > 0 {
		x.set("Access-Control-Allow-Methods", x.resource.allow)
		x.set("Access-Control-Allow-Headers", corsHeaders)
		x.set("Access-Control-Max-Age", corsMaxAge)
	}
}
