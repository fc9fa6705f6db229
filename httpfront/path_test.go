package httpfront

import (
	"context"
	"fmt"
	"testing"

	"ssod/httpfront/api"
)

// TestPaths: what is routed, what is unknown, and what is not
// even looked at.
func TestPaths(t *testing.T) {
	const refused, unknown = "refused", "unknown"
	tests := []struct{ target, want string }{
		{"/api/tv/list", "list tv"},
		{"/api/tv/list/", "list tv"},
		{"/api/tv/list?a=b", "list tv"},
		{"/api/tv/list/?a=/b//c/../;%2f", "list tv"},
		{"/api/tv/list?", "list tv"},
		{"/api/tv/serviceToken", "refresh tv"},
		{"/api/t%20v/list", "list t%20v"}, // escapes are not decoded: nobody has this name
		{"/api/%74v/list", "list %74v"},
		{"/api/tv:x/list", "list tv:x"},
		{"/o/client/token", "POST token "},
		{"/o/client/register/", "POST register "},
		{"/.well-known/acme/jwks.json", "jwks acme"},
		{"/openapi.yaml", "openapi "},

		{"/", unknown},
		{"/api", unknown},
		{"/api/", unknown},
		{"/api/tv", unknown},
		{"/api/tv/", unknown},
		{"/api/tv/List", unknown},
		{"/api/tv/servicetoken", unknown},
		{"/api/tv/list/x", unknown},
		{"/api/tv/%6cist", unknown},
		{"/API/tv/list", unknown},
		{"/api/v1/list", unknown},
		{"/api/v2/list", unknown},
		{"/api/v2/tv/list", unknown},
		{"/api/v2/tv/sessions", unknown},
		{"/api/tv/link/123456", "readLink tv"},
		{"/api/tv/link/123%20456/", "readLink tv"},
		{"/api/tv/link/123456/x", unknown},
		{"/api/tv/list/123456", unknown},
		{"/api/v2/link/123456", unknown},
		{"/api/authenticate/link/123456", unknown},
		{"/api/tv/link/123%2f456", refused},
		{"/api/authenticate/list", unknown},
		{"/api/sessions/list", unknown},
		{"/api/logout/list", unknown},
		{"/api/logout-agent/list", unknown},
		{"/o", unknown},
		{"/o/client", unknown},
		{"/o/client/scopes", unknown},
		{"/o/client/token/x", unknown},
		{"/o/x/token", unknown},
		{"/.well-known/jwks.json", unknown},
		{"/.well-known/acme/jwks.json/x", unknown},
		{"/openapi.yaml/x", unknown},
		{"/openapi%2eyam", refused},
		{"/a/b/c/d/e/f/g/h/i/j/k/l", unknown},
		{"/api/tv/list.", unknown},
		{"/...", unknown},

		{"//", refused},
		{"//api/tv/list", refused},
		{"/api//tv/list", refused},
		{"/api/tv//list", refused},
		{"/api/tv/list//", refused},
		{"/.", refused},
		{"/..", refused},
		{"/./api/tv/list", refused},
		{"/api/./tv/list", refused},
		{"/api/../api/tv/list", refused},
		{"/api/tv/list/..", refused},
		{"/api/tv/list/.", refused},
		{"/api/%2e%2e/tv/list", refused},
		{"/api/%2E/tv/list", refused},
		{"/api/.%2e/tv/list", refused},
		{"/api%2ftv/list", refused},
		{"/api%2Ftv%2Flist", refused},
		{"/api/tv%2f..%2ftv/list", refused},
		{"/api/tv%5clist", refused},
		{"/api\\tv\\list", refused},
		{"/api/tv/list\\", refused},
		{"/api/tv%00/list", refused},
		{"/api/tv/list%00", refused},
		{"/api/tv/list%0d%0a", refused},
		{"/api/tv%7f/list", refused},
		{"/api/tv%252flist", refused},
		{"/api/tv/list%25", refused},
		{"/api/tv;a=b/list", refused},
		{"/api/tv/list;", refused},
		{"/api/tv%3b/list", refused},
		{"/api/tv%/list", refused},
		{"/api/tv%2/list", refused},
		{"/api/tv%zz/list", refused},
		{"/api/tv/list%", refused},
		{"/api/t\xc3\xbcv/list", refused},
	}
	rs := newRoutes(Handlers{Mint: echo, Refresh: echo, Link: echo, ReadLink: echo, ConfirmLink: echo, Unlink: echo, List: echo, Register: echo, Token: echo, JWKS: echo}, newMetrics(nil))
	for _, tt := range tests {
		t.Run(tt.target, func(t *testing.T) {
			if got := describe(rs, tt.target); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func describe(rs *routes, target string) string {
	p, ok := splitPath([]byte(target))
	if !ok {
		return "refused"
	}
	named := rs.find(&p)
	r, parameter := named.resource, named.parameter
	switch {
	case r == nil:
		return "unknown"
	case r.get == nil:
		return fmt.Sprintf("POST %s %s", r.post.name, parameter)
	default:
		return fmt.Sprintf("%s %s", r.get.name, parameter)
	}
}

// TestFamilies: the shape of "not found" follows the path.
func TestFamilies(t *testing.T) {
	rs := newRoutes(Handlers{}, newMetrics(nil))
	for target, want := range map[string]api.Family{
		"/": api.SSO, "/x": api.SSO, "/api/tv/x": api.SSO, "/api/v1/x": api.SSO,
		"/api/v2": api.V2, "/api/v2/tv/profiles": api.V2,
		"/o": api.OAuth, "/o/client/scopes": api.OAuth,
	} {
		p, _ := splitPath([]byte(target))
		if got := rs.find(&p).family; got != want {
			t.Errorf("%s: family %d, want %d", target, got, want)
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"/api/tv/list", "/api/tv/list/?x", "/api/%2e%2e/x", "/a//b", "/%", "/..", "/a;b"} {
		f.Add([]byte(s))
	}
	rs := newRoutes(Handlers{Mint: echo, Refresh: echo, Link: echo, ReadLink: echo, ConfirmLink: echo, Unlink: echo, List: echo}, newMetrics(nil))
	f.Fuzz(func(t *testing.T, target []byte) {
		if len(target) == 0 || target[0] != '/' {
			return // wire refuses these
		}
		p, ok := splitPath(target)
		if !ok {
			return
		}
		for i := range p.n {
			if s := string(p.segments[i]); s == "" || s == "." || s == ".." {
				t.Errorf("%q has segment %q", target, s)
			}
		}
		rs.find(&p)
	})
}

// TestLongBodies: only what TV providers have signed may be long.
func TestLongBodies(t *testing.T) {
	handler := func(context.Context, *api.Request) (api.Response, error) { return api.Response{}, nil }
	s := startTest(t, func(o *Options) {
		v2 := &o.Handlers.V2
		v2.CreatePartnerSession, v2.PartnerProfile, v2.PostedCallback = handler, handler, handler
		v2.SAMLMetadata, v2.SAMLAnswer, v2.SAMLLogout = handler, handler, handler
	})
	for target, want := range map[string]bool{
		"/saml/acme/dish/acs":               true,
		"/saml/acme/dish/slo":               true,
		"/api/v2/tv/profiles/sso/Apple?a=b": true,
		"/saml/acme/dish/metadata":          false,
		"/api/v2/authenticate/callback":     false,
		"/api/v2/tv/sessions/sso/Apple":     false,
		"/saml/acme/../dish/acs":            false,
		"/saml/acme/dish/acs/more":          false,
	} {
		if got := s.routes.long([]byte(target)); got != want {
			t.Errorf("%s: %v, want %v", target, got, want)
		}
	}
}
