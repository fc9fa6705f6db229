package httpfront

import "ssod/httpfront/wire"

// Web players may call the API of a realm from the origins that it lists. Before that they
// need a client and an access token, and some check media tokens with the key set: these
// calls belong to no single realm, so every listed origin may make them. No call uses a
// cookie.
const (
	corsHeaders = "Authorization, AP-Device-Identifier, X-Device-Info, X-SSO-ID, X-SSO-LINK, AD-Service-Token, " +
		"Adobe-Subject-Token, X-Roku-Reserved-Roku-Connect-Token, AP-Partner-Framework-Status, " +
		"AP-TempPass-Identity, AP-Visitor-Identifier, X-Forwarded-For, Content-Type, Accept, User-Agent"
	corsExposed = "X-Request-Id, Retry-After"
	corsMaxAge  = "600"
)

// origins reports whether answers differ by origin, and whether the origin of the
// request may see them. Two origins are none.
func (x *exchange) origins() (differ, allowed bool) {
	origin := x.Header(wire.Origin)
	sent := len(origin) > 0 && !x.Repeated(wire.Origin)
	switch {
	case x.Realm != nil:
		return len(x.Realm.CORS.Origins) > 0, sent && x.Realm.CORS.Allows(origin)
	case x.resource != nil && x.resource.shared:
		return x.Config.HasOrigins(), sent && x.Config.AllowsOrigin(origin)
	}
	return false, false
}

// addCORS adds what a browser needs to let the player see the answer. Answers
// that differ by origin say so even to those that are not listed.
func (x *exchange) addCORS() {
	differ, allowed := x.origins()
	if differ {
		x.set("Vary", "Origin")
	}
	if allowed {
		x.http.Response.Header.SetBytesV("Access-Control-Allow-Origin", x.Header(wire.Origin))
		x.set("Access-Control-Expose-Headers", corsExposed)
	}
}

// asksOptions reports whether a resource's options are asked for.
func (x *exchange) asksOptions() bool { return x.resource != nil && string(x.Method) == "OPTIONS" }

// isPreflight reports whether a browser asks before the call of a player from a
// listed origin.
func (x *exchange) isPreflight() bool {
	_, allowed := x.origins()
	return allowed && len(x.Header(wire.AccessControlRequestMethod)) > 0
}

// answerOptions answers OPTIONS, which is a preflight when it comes from a
// browser.
func (x *exchange) answerOptions() {
	x.http.SetStatusCode(204)
	x.set("Allow", x.resource.allow)
	if x.isPreflight() {
		x.set("Access-Control-Allow-Methods", x.resource.allow)
		x.set("Access-Control-Allow-Headers", corsHeaders)
		x.set("Access-Control-Max-Age", corsMaxAge)
	}
}
