package httpfront

import (
	"slices"
	"strings"

	"ssod/httpfront/api"
)

// resource is what a path names: the operations behind its methods.
type resource struct {
	allow     string
	get, post *operation
	// head says that HEAD is GET without its body (RFC 9110, 9.1): for documents
	// that monitors and caches look at. The calls of apps have no HEAD, as their
	// contract says, and neither have pages where the GET of a viewer's browser
	// does something: a mail scanner's HEAD must not use up a link.
	head bool
	// long says that bodies bring what a TV provider has signed, which may be long.
	long bool
	// shared says that web players of all realms use it; see cors.go.
	shared bool
}

// operation is one method of a resource.
type operation struct {
	name    string // in metrics and logs
	handler api.Handler
	meter   *meter
	// tooLarge is what is wrong with a body over the limit, which was not read;
	// nil where no body counts, so that it need not have been.
	tooLarge error
	// ownPages: only pages here send it; see [api.Request.CrossSite].
	ownPages bool
}

// routes finds resources. Paths are told apart by their segments, since the
// patterns of the whole API overlap in ways that pattern routers refuse.
type routes struct {
	byLength [maxSegments + 1][]route
	docs     *resource // /docs, /docs/{page}
}

// route is a path that names a resource. A segment is a word, or stands for what
// varies:
//
//	{sp}    the service provider, which none of the words is that other APIs have there
//	{name}  the parameter where it is something else
//	{item}  a second variable segment
//	{}      a variable segment that the handler reads itself
type route struct {
	words           []string // empty for what varies
	parameter, item int      // which segments; -1: none
	provider        bool     // the parameter is a service provider
	resource        *resource
}

func newRoute(path string, r *resource) route {
	words := strings.Split(path, "/")
	provider := slices.Index(words, "{sp}")
	named := route{
		words: words, parameter: max(provider, slices.Index(words, "{name}")), item: slices.Index(words, "{item}"),
		provider: provider >= 0, resource: r,
	}
	for i, word := range words {
		if strings.HasPrefix(word, "{") {
			words[i] = ""
		}
	}
	return named
}

// found is what a path names: a resource and its variable segments. Without a
// resource the family still says which shape "not found" has.
type found struct {
	resource        *resource
	parameter, item []byte
	family          api.Family
}

func newRoutes(h Handlers, m *metrics) *routes {
	op := func(name string, handler api.Handler, tooLarge error) *operation {
		if handler == nil {
			return nil
		}
		return &operation{name: name, handler: handler, meter: m.meter(name), tooLarge: tooLarge}
	}
	call := func(name string, handler api.Handler) *operation { return op(name, handler, api.ErrBodyTooLarge) }
	form := func(name string, handler api.Handler) *operation {
		o := call(name, handler)
		if o != nil {
			o.ownPages = true
		}
		return o
	}
	get := func(name string, handler api.Handler) *resource { return newResource(call(name, handler), nil) }
	post := func(name string, handler api.Handler) *resource { return newResource(nil, call(name, handler)) }
	// The entitlement API has no code for a body that is too large, only for what it
	// would have said.
	getV2 := func(name string, handler api.Handler) *resource { return newResource(op(name, handler, nil), nil) }
	postV2 := func(name string, handler api.Handler, tooLarge error) *resource {
		return newResource(nil, op(name, handler, tooLarge))
	}
	rs := &routes{docs: newDocument(call("docs", serveDocs))}
	for _, r := range []struct {
		path     string
		resource *resource
	}{
		{"api/{sp}/serviceToken", newResource(call("refresh", h.Refresh), call("mint", h.Mint))},
		{"api/{sp}/link", post("link", h.Link)},
		{"api/{sp}/link/{item}", newResource(call("readLink", h.ReadLink), call("confirmLink", h.ConfirmLink))},
		{"api/{sp}/unlink", post("unlink", h.Unlink)},
		{"api/{sp}/list", get("list", h.List)},

		{"api/v2/{sp}/configuration", getV2("configuration", h.V2.Configuration)},
		{"api/v2/{sp}/sessions", postV2("createSession", h.V2.CreateSession, api.ErrForm)},
		{"api/v2/{sp}/sessions/{item}", newResource(op("readSession", h.V2.ReadSession, nil), op("resumeSession", h.V2.ResumeSession, api.ErrForm))},
		{"api/v2/{sp}/sessions/sso/{item}", postV2("createPartnerSession", h.V2.CreatePartnerSession, api.ErrForm)},
		{"api/v2/{sp}/profiles", getV2("profiles", h.V2.AllProfiles)},
		{"api/v2/{sp}/profiles/{item}", getV2("profileByMvpd", h.V2.ProfileByMVPD)},
		{"api/v2/{sp}/profiles/code/{item}", getV2("profileByCode", h.V2.ProfileByCode)},
		{"api/v2/{sp}/profiles/sso/{item}", postV2("partnerProfile", h.V2.PartnerProfile, api.ErrSAMLResponse).ofProviders()},
		{"api/v2/{sp}/decisions/authorize/{item}", postV2("authorize", h.V2.Authorize, api.ErrResourcesBody)},
		{"api/v2/{sp}/decisions/preauthorize/{item}", postV2("preauthorize", h.V2.Preauthorize, api.ErrResourcesBody)},
		{"api/v2/{sp}/logout/{item}", getV2("logout", h.V2.Logout)},
		// A browser comes back from an MVPD to callback; codes are shorter, and ids have
		// a dot.
		{"api/v2/authenticate/callback", newResource(call("loginCallback", h.V2.LoginCallback), call("postedCallback", h.V2.PostedCallback))},
		{"api/v2/authenticate/{name}/{item}", newResource(call("authenticate", h.V2.Authenticate), form("confirm", h.V2.Confirm))},
		{"api/v2/logout/backchannel/{name}/{item}", post("backchannelLogout", h.V2.BackchannelLogout)},
		{"api/v2/logout-agent/callback", get("logoutCallback", h.V2.LogoutCallback)},
		{"api/v2/logout-agent/{item}", get("logoutAgent", h.V2.LogoutAgent)},

		{"activate", get("activateBrands", h.V2.ActivateBrands)},
		{"activate/{sp}", newResource(call("activate", h.V2.Activate), form("activateCode", h.V2.ActivateCode))},
		{"activate/{sp}/{item}", newResource(call("activateSession", h.V2.ActivateSession), form("activateLogin", h.V2.ActivateLogin))},

		{"o/client/register", post("register", h.Register).ofAllRealms()},
		{"o/client/token", post("token", h.Token).ofAllRealms()},
		{".well-known/{name}/jwks.json", newDocument(call("jwks", h.JWKS)).ofAllRealms()},
		{"openapi.yaml", newDocument(call("openapi", serveOpenAPI))},
		{"docs", rs.docs},
		{"docs/{name}", rs.docs},
		{"sandbox/{}/{}/login", newResource(call("sandbox_login", h.Sandbox.Login), form("sandbox_choose", h.Sandbox.Choose))},
		{"sandbox/{}/{}/logout", get("sandbox_logout", h.Sandbox.Logout)},
		{"saml/{name}/{item}/metadata", newDocument(call("saml_metadata", h.V2.SAMLMetadata))},
		{"saml/{name}/{item}/acs", post("saml_answer", h.V2.SAMLAnswer).ofProviders()},
		{"saml/{name}/{item}/slo", newResource(call("saml_logout", h.V2.SAMLLogout), call("saml_logout_post", h.V2.SAMLLogout)).ofProviders()},
	} {
		if r.resource != nil {
			named := newRoute(r.path, r.resource)
			rs.byLength[len(named.words)] = append(rs.byLength[len(named.words)], named)
		}
	}
	return rs
}

// newResource returns nil when there is no operation.
func newResource(get, post *operation) *resource {
	r := &resource{get: get, post: post}
	switch {
	case get != nil && post != nil:
		r.allow = "GET, POST"
	case get != nil:
		r.allow = "GET"
	case post != nil:
		r.allow = "POST"
	default:
		return nil
	}
	return r
}

// newDocument is a resource that anybody may read; nil when there is none.
func newDocument(get *operation) *resource {
	r := newResource(get, nil)
	if r != nil {
		r.head, r.allow = true, "GET, HEAD"
	}
	return r
}

func (r *resource) ofAllRealms() *resource {
	if r != nil {
		r.shared = true
	}
	return r
}

// ofProviders marks what takes the messages of TV providers.
func (r *resource) ofProviders() *resource {
	if r != nil {
		r.long = true
	}
	return r
}

// long reports whether the bodies of a target may be longer than those of others.
func (rs *routes) long(target []byte) bool {
	p, ok := splitPath(target)
	if !ok {
		return false
	}
	r := rs.find(&p).resource
	return r != nil && r.long
}

// find returns what a path names, by the first route that fits.
func (rs *routes) find(p *path) found {
	f := found{family: familyOf(p)}
	for i := range rs.byLength[p.n] {
		r := &rs.byLength[p.n][i]
		if !r.match(p) {
			continue
		}
		f.resource = r.resource
		if r.parameter >= 0 {
			f.parameter = p.segments[r.parameter]
		}
		if r.item >= 0 {
			f.item = p.segments[r.item]
		}
		break
	}
	return f
}

// match reports whether a path of as many segments is the route's.
func (r *route) match(p *path) bool {
	for i, word := range r.words {
		if word != "" && word != string(p.segments[i]) {
			return false
		}
	}
	return !r.provider || !reserved[string(p.segments[r.parameter])]
}

// familyOf is the family of a path, also of one that names nothing.
func familyOf(p *path) api.Family {
	switch {
	case p.is(0, "sandbox"), p.is(0, "saml"), p.is(0, "activate"), p.is(0, "docs") && p.n <= 2:
		return api.HTML
	case p.is(0, "o"), p.is(0, "api") && p.is(1, "v2") && p.is(2, "logout") && p.is(3, "backchannel"):
		return api.OAuth
	case !p.is(0, "api") || !p.is(1, "v2"):
		return api.SSO
	case p.is(2, "authenticate"), p.is(2, "logout-agent"):
		return api.HTML
	}
	return api.V2
}

var reserved = map[string]bool{
	"v1": true, "v2": true, "authenticate": true, "sessions": true, "logout": true, "logout-agent": true,
}

// operation returns the operation behind a method, nil when it is not allowed.
func (r *resource) operation(method []byte) *operation {
	switch string(method) {
	case "GET":
		return r.get
	case "HEAD":
		if r.head {
			return r.get
		}
		return nil
	case "POST":
		return r.post
	default:
		return nil
	}
}
