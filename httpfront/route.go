package httpfront

import (
	"ssod/httpfront/api"
	"ssod/httpfront/api/sandbox"
	"ssod/httpfront/api/sso"
)

// Handlers are the operations of the public API. A nil one is not served.
type Handlers struct {
	Mint, Refresh, Link, Unlink, List api.Handler // /api/{serviceProvider}/...
	ReadLink, ConfirmLink             api.Handler // /api/{serviceProvider}/link/{code}
	Register, Token                   api.Handler // /o/client/...
	JWKS                              api.Handler // /.well-known/{realm}/jwks.json
	V2                                V2          // /api/v2/...
	Sandbox                           SandboxHandlers
}

// SandboxHandlers are the pages of the built-in TV provider.
type SandboxHandlers struct {
	Login, Choose, Logout api.Handler // /sandbox/{realm}/{mvpd}/...
}

// NewSandboxHandlers returns the pages of the built-in TV provider.
func NewSandboxHandlers(p sandbox.Pages) SandboxHandlers {
	return SandboxHandlers{Login: p.Login, Choose: p.Choose, Logout: p.Logout}
}

// resource is what a path names: the operations behind its methods.
type resource struct {
	family    api.Family
	allow     string
	get, post *operation
	// head says that HEAD is GET without its body (RFC 9110, 9.1): for documents
	// that monitors and caches look at. The calls of apps have no HEAD, as their
	// contract says, and neither have pages where the GET of a viewer's browser
	// does something: a mail scanner's HEAD must not use up a link.
	head bool
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
}

// routes finds resources. Paths are told apart by their segments, since the
// patterns of the whole API overlap in ways that pattern routers refuse.
type routes struct {
	sso     map[string]*resource // last segment of /api/{serviceProvider}/...
	code    *resource            // /api/{serviceProvider}/link/{code}
	oauth   map[string]*resource // last segment of /o/client/...
	v2      *v2Routes
	jwks    *resource
	openapi *resource
	docs    *resource            // /docs, /docs/{page}
	sandbox map[string]*resource // last segment of /sandbox/{realm}/{mvpd}/...
}

// found is what a path names: a resource and its variable segments. Without a
// resource the family still says which shape "not found" has.
type found struct {
	resource        *resource
	parameter, item []byte
	family          api.Family
}

func newRoutes(h Handlers, m *metrics) *routes {
	op := func(name string, handler api.Handler) *operation {
		if handler == nil {
			return nil
		}
		return &operation{name: name, handler: handler, meter: m.meter(name), tooLarge: api.ErrBodyTooLarge}
	}
	return &routes{
		sso: map[string]*resource{
			"serviceToken": newResource(api.SSO, op("refresh", h.Refresh), op("mint", h.Mint)),
			"link":         newResource(api.SSO, nil, op("link", h.Link)),
			"unlink":       newResource(api.SSO, nil, op("unlink", h.Unlink)),
			"list":         newResource(api.SSO, op("list", h.List), nil),
		},
		code: newResource(api.SSO, op("readLink", h.ReadLink), op("confirmLink", h.ConfirmLink)),
		oauth: map[string]*resource{
			"register": newResource(api.OAuth, nil, op("register", h.Register)).ofAllRealms(),
			"token":    newResource(api.OAuth, nil, op("token", h.Token)).ofAllRealms(),
		},
		v2:      newV2Routes(h.V2, op),
		jwks:    newDocument(op("jwks", h.JWKS)).ofAllRealms(),
		openapi: newDocument(op("openapi", serveOpenAPI)),
		docs:    newDocument(op("docs", serveDocs)),
		sandbox: map[string]*resource{
			"login":  newResource(api.HTML, op("sandbox_login", h.Sandbox.Login), op("sandbox_choose", h.Sandbox.Choose)),
			"logout": newResource(api.HTML, op("sandbox_logout", h.Sandbox.Logout), nil),
		},
	}
}

// newResource returns nil when there is no operation.
func newResource(f api.Family, get, post *operation) *resource {
	r := &resource{family: f, get: get, post: post}
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
	r := newResource(api.SSO, get, nil)
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

// find returns what a path names.
func (rs *routes) find(p *path) found {
	switch {
	case p.is(0, "api") && p.is(1, "v2"):
		return rs.v2.find(p)
	case p.is(0, "api"):
		return rs.findAPI(p)
	case p.is(0, "o"):
		f := found{family: api.OAuth}
		if p.n == 3 && p.is(1, "client") {
			f.resource = rs.oauth[string(p.segments[2])]
		}
		return f
	case p.n == 3 && p.is(0, ".well-known") && p.is(2, "jwks.json"):
		return found{resource: rs.jwks, parameter: p.segments[1]}
	case p.n == 1 && p.is(0, "openapi.yaml"):
		return found{resource: rs.openapi}
	case p.n <= 2 && p.is(0, "docs"):
		f := found{resource: rs.docs, family: api.HTML}
		if p.n == 2 {
			f.parameter = p.segments[1]
		}
		return f
	case p.is(0, "sandbox"):
		f := found{family: api.HTML}
		if p.n == 4 {
			f.resource = rs.sandbox[string(p.segments[3])]
		}
		return f
	default:
		return found{}
	}
}

// findAPI finds the resources of the SSO Service. The words that other APIs
// use where it has the service provider are reserved.
func (rs *routes) findAPI(p *path) found {
	switch {
	case p.n < 3 || reserved[string(p.segments[1])]:
		return found{}
	case p.n == 3:
		return found{resource: rs.sso[string(p.segments[2])], parameter: p.segments[1]}
	case p.n == 4 && p.is(2, "link"):
		return found{resource: rs.code, parameter: p.segments[1], item: p.segments[3]}
	default:
		return found{}
	}
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

// NewHandlers returns the operations of a node.
func NewHandlers(s *sso.Service, clients Registrar, keys KeySets) Handlers {
	return Handlers{
		Mint: s.Mint, Refresh: s.Refresh, Link: s.Link, Unlink: s.Unlink, List: s.List,
		ReadLink: s.ReadLink, ConfirmLink: s.ConfirmLink,
		Register: register(clients), Token: issueToken(clients), JWKS: jwks(keys),
	}
}
