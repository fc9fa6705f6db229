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
	"ssod/actors/profile"
	"ssod/cluster"
	"ssod/httpfront/fronttest"
	"ssod/httpfront/sso"
)

// broken is profiles of which one call fails, after it had its effect.
type broken struct {
	sso.Profiles
	err error
}

func (b *broken) AddCode(context.Context, cluster.RequestID, profile.ID, *profile.AddCode) ([][]byte, error) {
	return nil, b.err
}

func (b *broken) Refresh(context.Context, cluster.RequestID, profile.ID, *profile.Caller) error {
	return b.err
}

func (b *broken) Redeem(context.Context, cluster.RequestID, profile.ID, *profile.Redeem) (profile.Joined, error) {
	return profile.Joined{}, b.err
}

// notes is a directory that remembers what it was told.
type notes struct {
	sso.Directory
	mu       sync.Mutex
	retired  int
	verdicts []linkdirectory.Verdict
}

func (n *notes) Retire(request cluster.RequestID, realm string, hashes ...[]byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.retired += len(hashes)
	n.Directory.Retire(request, realm, hashes...)
}

func (n *notes) Resolve(context.Context, cluster.RequestID, string, linkdirectory.Guess) (linkdirectory.Target, error) {
	return linkdirectory.Target{Namespace: "sso", Subject: "viewer", Hash: make([]byte, linkdirectory.HashSize)}, nil
}

func (n *notes) Settle(_ cluster.RequestID, _ string, _ []byte, v linkdirectory.Verdict) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.verdicts = append(n.verdicts, v)
}

func startBroken(t *testing.T, err error) (*app, *notes) {
	t.Parallel()
	var directory *notes
	n := fronttest.Start(t, fronttest.Options{Service: func(s *sso.Service) {
		directory = &notes{Directory: s.Directory}
		s.Profiles, s.Directory = &broken{s.Profiles, err}, directory
	}})
	return &app{t, n, n.AccessToken(t, "STREAM1")}, directory
}

func TestFaults(t *testing.T) {
	tests := []struct {
		name    string
		err     error
		status  int
		code    string
		details string
		retired int // of the code that could not be added
		verdict linkdirectory.Verdict
	}{
		{"our fault", errors.New("surprise"), 500, "internal_error", "", 0, linkdirectory.Verdict_REFUNDED},
		{"an entity's fault", actors.ErrInternal, 500, "internal_error", "", 0, linkdirectory.Verdict_REFUNDED},
		{"certainly nothing happened", actors.ErrUnavailable, 503, "service_unavailable", "", 1, linkdirectory.Verdict_REFUNDED},
		{"overload", actors.ErrOverloaded, 503, "service_unavailable", "", 1, linkdirectory.Verdict_REFUNDED},
		{"it may have happened", actors.ErrUnknown, 503, "service_unavailable", "the outcome is unknown; repeat the request", 0, linkdirectory.Verdict_REFUNDED},
		{"unlinked meanwhile", profile.ErrNotMember, 400, "token_invalid", "", 1, linkdirectory.Verdict_REFUNDED},
		{"race lost", profile.ErrRaceLost, 400, "token_invalid", "The link code is unknown, expired or already used", 0, linkdirectory.Verdict_REFUNDED},
		{"wrong code", profile.ErrCode, 400, "token_invalid", "The link code is unknown, expired or already used", 0, linkdirectory.Verdict_FAILED},
		{"full", profile.ErrTooManyDevices, 400, "request_invalid", "", 1, linkdirectory.Verdict_REFUNDED},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, directory := startBroken(t, tt.err)
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
			directory.mu.Lock()
			defer directory.mu.Unlock()
			if directory.retired != tt.retired || len(directory.verdicts) != 1 || directory.verdicts[0] != tt.verdict {
				t.Errorf("retired %d, verdicts %v; want %d, %v", directory.retired, directory.verdicts, tt.retired, tt.verdict)
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
