package sso_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"ssod/actors"
	"ssod/actors/linkdirectory"
	"ssod/actors/linking"
	"ssod/actors/profile"
	"ssod/cluster"
	"ssod/httpfront/api/sso"
	"ssod/httpfront/fronttest"
)

// broken is profiles and link codes of which some calls fail.
type broken struct {
	sso.Profiles
	sso.Links
	err error
}

func (b *broken) Link(context.Context, cluster.RequestID, profile.ID, linking.Wanted) (linking.Code, error) {
	return linking.Code{}, b.err
}

func (b *broken) Refresh(context.Context, cluster.RequestID, profile.ID, *profile.Caller) error {
	return b.err
}

func (b *broken) Redeem(context.Context, cluster.RequestID, string, linkdirectory.Guess, *profile.Redeem) (linking.Joined, error) {
	return linking.Joined{}, b.err
}

func startBroken(t *testing.T, err error) *app {
	t.Parallel()
	n := fronttest.Start(t, fronttest.Options{Service: func(s *sso.Service) {
		b := &broken{s.Profiles, s.Links, err}
		s.Profiles, s.Links = b, b
	}})
	return &app{t, n, n.AccessToken(t, "STREAM1")}
}

func TestFaults(t *testing.T) {
	tests := []struct {
		name    string
		err     error
		status  int
		code    string
		details string
	}{
		{"our fault", errors.New("surprise"), 500, "internal_error", ""},
		{"an entity's fault", actors.ErrInternal, 500, "internal_error", ""},
		{"certainly nothing happened", actors.ErrUnavailable, 503, "service_unavailable", ""},
		{"overload", actors.ErrOverloaded, 503, "service_unavailable", ""},
		{"no free code", linkdirectory.ErrFull, 503, "service_unavailable", ""},
		{"it may have happened", actors.ErrUnknown, 503, "service_unavailable", "the outcome is unknown; repeat the request"},
		{"unlinked meanwhile", profile.ErrNotMember, 400, "token_invalid", ""},
		{"race lost", profile.ErrRaceLost, 400, "token_invalid", "The link code is unknown, expired or already used"},
		{"wrong code", profile.ErrCode, 400, "token_invalid", "The link code is unknown, expired or already used"},
		{"full", profile.ErrTooManyDevices, 400, "request_invalid", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := startBroken(t, tt.err)
			token := a.mint("tv", "viewer")
			for _, c := range []fronttest.Call{
				a.call("POST", "link", "tv", "AD-Service-Token", token),
				a.call("GET", "serviceToken", "", "AD-Service-Token", token),
				a.call("POST", "serviceToken", "phone", "X-SSO-LINK", "123456"),
			} {
				r := a.do(c)
				a.fails(r, tt.status, tt.code, "")
				if r.Text("details") != tt.details {
					t.Errorf("details %q, want %q", r.Text("details"), tt.details)
				}
				if retry := r.Header.Get("Retry-After"); (retry == "1") != (tt.status == 503) {
					t.Errorf("Retry-After %q", retry)
				}
			}
		})
	}
}

// TestAudit: one line per unlink; the viewer and all secrets are not in the log.
func TestAudit(t *testing.T) {
	t.Parallel()
	var log safeBuffer
	n := fronttest.Start(t, fronttest.Options{Log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	a := &app{t, n, n.AccessToken(t, "STREAM1")}
	token := a.mint("secret-tv", "secret-viewer")
	code := a.link("secret-tv", token)
	r := a.unlink("secret-tv", token, `{"devices":["secret-tv"]}`)
	line := ""
	for l := range strings.Lines(log.String()) {
		if strings.Contains(l, `"audit":true`) {
			line += l
		}
	}
	for _, want := range []string{`"msg":"unlink"`, `"realm":"acme"`, `"serviceProvider":"STREAM1"`, `"devices":1`, r.Header.Get("X-Request-Id"), `"profile":"`} {
		if !strings.Contains(line, want) {
			t.Errorf("audit line %q lacks %q", line, want)
		}
	}
	for _, secret := range []string{"secret-", id("secret-tv"), token, a.access, code} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

// safeBuffer is a buffer for many writers.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
