package api

import (
	"strings"

	"ssod/httpfront/wire"
)

// CrossSite reports whether a page of another origin made the browser send the request, by
// the rules of [net/http.CrossOriginProtection]. Browsers of old TVs send no Sec-Fetch-Site,
// nor do others over plain http, and the pages here, which send no referrer, have the origin
// null in all of them: they are not judged.
func (r *Request) CrossSite() bool {
	if r.Repeated(wire.SecFetchSite) {
		return true
	}
	switch string(r.Header(wire.SecFetchSite)) {
	case "same-origin", "none":
		return false
	case "":
	default:
		return true
	}
	origin := string(r.Header(wire.Origin))
	if origin == "" || origin == "null" || origin == r.Config.Origin() {
		return false
	}
	_, host, _ := strings.Cut(origin, "://")
	return host != string(r.Header(wire.Host))
}
