package entitlement

import (
	"context"
	"testing"
	"time"

	"ssod/httpfront/api"
	"ssod/httpfront/config"
	"ssod/httpfront/token/platform"
	"ssod/httpfront/wire"
)

// echo takes every token for that of a platform of its name.
type echo struct{}

func (echo) Identify(_ context.Context, _ *config.Config, _ *config.Realm, token []byte, _ time.Time) (platform.Identity, bool, error) {
	return platform.Identity{Platform: string(token)}, true, nil
}

func TestTheHeaderOfThePlatform(t *testing.T) {
	s := &Service{Options: Options{Platforms: echo{}}}
	for _, tt := range []struct{ subject, roku, want string }{
		{"", "", ""}, {"a", "", "a"}, {"", "r", "r"}, {"a", "r", "a"},
	} {
		r := &api.Request{Request: &wire.Request{}}
		r.Set(wire.SubjectToken, []byte(tt.subject))
		r.Set(wire.RokuToken, []byte(tt.roku))
		got, named, err := s.viewer(t.Context(), r)
		if got.Platform != tt.want || named != (tt.want != "") || err != nil {
			t.Errorf("%+v: got %q, %v, %v", tt, got.Platform, named, err)
		}
	}
}
