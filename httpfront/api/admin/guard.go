package admin

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard lets through only the clients that the package comment names.
func (s *Server) guard(next http.Handler) http.Handler {
	pages := http.NewCrossOriginProtection()
	pages.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, http.StatusForbidden, "forbidden", "The admin API is not for web pages of other sites")
	}))
	inner := pages.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r, authorized := s.authorize(r)
		switch {
		case !authorized:
			w.Header().Set("WWW-Authenticate", "Bearer")
			s.refuse(w, r, http.StatusUnauthorized, "unauthorized", "The admin token is missing or wrong")
		case s.tokens == nil && s.loopback && !local(r.Host):
			// A page that made its own name point here (DNS rebinding).
			s.refuse(w, r, http.StatusForbidden, "forbidden", "The admin API answers to loopback addresses and localhost only")
		default:
			inner.ServeHTTP(w, r)
		}
	})
}

// tokenKey is under what the context of a request has the fingerprint of its token.
type tokenKey struct{}

// authorize reports whether a request has a token that is accepted, where it needs one,
// and notes which.
func (s *Server) authorize(r *http.Request) (_ *http.Request, ok bool) {
	if s.tokens == nil {
		return r, true
	}
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return r, false
	}
	name, ok := s.tokens.accept(strings.TrimSpace(token))
	if !ok {
		return r, false
	}
	return r.WithContext(context.WithValue(r.Context(), tokenKey{}, name)), true
}

// local reports whether a Host header names this machine.
func local(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && address.IsLoopback()
}

// refuse answers a request that reaches no handler, with an audit line if it was meant for
// the API.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	c := newCall(s, r)
	writeFailure(w, c, failure{Status: status, Code: code, Message: message})
	if strings.HasPrefix(r.URL.Path, apiPrefix) {
		c.audit(s.log, status)
	}
}
