package sandbox_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/api/sandbox"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// provider is a sandbox without a server, for a test in a bubble.
func provider(t *testing.T) *mvpd.Provider {
	t.Helper()
	cfg, err := config.Parse([]byte(realms), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	registry := mvpd.NewRegistry(map[string]mvpd.Maker{sandbox.Kind: sandbox.Maker(sandbox.Options{
		Key: func(string) []byte { return []byte("key") },
	})}, nil)
	p, err := registry.Find(cfg, cfg.Realms[0], "STREAM1", "AcmeTV")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestViewersPlayEveryDecision: there is a viewer for each answer that a
// provider can give; cases v2-dec-01, -03, -07 to -12, -14 and -16.
func TestViewersPlayEveryDecision(t *testing.T) {
	tests := []struct {
		viewer string
		want   []string // codes for channel-1 and channel-2
		took   time.Duration
	}{
		{"ada", []string{"", ""}, 0},
		{"ben", []string{"", "authorization_denied_by_mvpd"}, 0},
		{"cleo", twice("authorization_denied_by_mvpd"), 0},
		{"dora", twice("authorization_denied_by_parental_controls"), 0},
		{"emil", twice("authorization_denied_by_hba_policies"), 0},
		{"finn", twice("authorization_denied_by_session_invalidated"), 0},
		{"gwen", twice("identity_not_recognized_by_mvpd"), 0},
		{"hugo", []string{"", ""}, 2 * time.Second},
		{"ines", twice("network_connection_timeout"), 0},
		{"jack", twice("network_received_error"), 0},
		{"kira", twice("maximum_execution_time_exceeded"), 5 * time.Second},
		{"nobody", twice("identity_not_recognized_by_mvpd"), 0},
	}
	for _, tt := range tests {
		t.Run(tt.viewer, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, began := provider(t), time.Now()
				got := codes(p.Decide(context.Background(), mvpd.Question{
					Subject: "sandbox-" + tt.viewer, Resources: []string{"channel-1", "channel-2"},
				}), false)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("decisions (-want +got):\n%s", diff)
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
			})
		})
	}
}

func TestPreauthorizeHasADenialOfItsOwn(t *testing.T) {
	got := codes(provider(t).Decide(t.Context(), mvpd.Question{
		Subject: "sandbox-ben", Resources: []string{"r1", "r2"}, Preauthorize: true,
	}), true)
	if diff := cmp.Diff([]string{"", "preauthorization_denied_by_mvpd"}, got); diff != "" {
		t.Errorf("decisions (-want +got):\n%s", diff)
	}
}

func twice(code string) []string { return []string{code, code} }

func codes(decisions []mvpd.Decision, preauthorize bool) []string {
	var list []string
	for _, d := range decisions {
		list = append(list, d.Verdict.Code(preauthorize))
	}
	return list
}
