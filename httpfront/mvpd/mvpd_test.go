package mvpd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

// fake is a connector that a test tells what to do.
type fake struct {
	decide func(ctx context.Context, q mvpd.Question) ([]mvpd.Decision, error)
}

func (f *fake) Begin(context.Context, mvpd.Login) (mvpd.Step, error) { return mvpd.Step{}, nil }

func (f *fake) Complete(context.Context, mvpd.Login, url.Values) (mvpd.Identity, error) {
	return mvpd.Identity{}, nil
}

func (f *fake) Decide(ctx context.Context, q mvpd.Question) ([]mvpd.Decision, error) {
	return f.decide(ctx, q)
}

func (f *fake) Logout(context.Context, mvpd.Logout) (mvpd.Step, error) { return mvpd.Step{}, nil }

func parse(t *testing.T, mvpds string) *config.Config {
	t.Helper()
	cfg, err := config.Parse([]byte("realms: [{id: acme, serviceProviders: [ONE, TWO], mvpds: "+mvpds+"}]"), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

const threeMVPDs = "[{id: A, kind: sandbox}, {id: B, kind: sandbox, disabledFor: [TWO]}, {id: C, kind: temppass, ttl: 1h}]"

// registry makes a fake for each MVPD of kind sandbox.
func registry(made *int, f *fake) *mvpd.Registry {
	return mvpd.NewRegistry(map[string]mvpd.Maker{
		"sandbox": func(_ *config.Config, _ *config.Realm, m *config.MVPD) (mvpd.Connector, error) {
			*made++
			if m.ID == "broken" {
				return nil, errors.New("no key")
			}
			return f, nil
		},
	}, slog.New(slog.DiscardHandler))
}

func TestFind(t *testing.T) {
	made, cfg := 0, parse(t, strings.Replace(threeMVPDs, "]}, ", "]}, {id: broken, kind: sandbox}, ", 1))
	r, realm := registry(&made, &fake{}), cfg.Realms[0]
	tests := []struct {
		serviceProvider, id string
		want                error
	}{
		{"ONE", "A", nil},
		{"TWO", "A", nil},
		{"ONE", "B", nil},
		{"TWO", "B", mvpd.ErrInactive},
		{"ONE", "C", mvpd.ErrInactive}, // no connector for its kind
		{"ONE", "broken", mvpd.ErrInactive},
		{"ONE", "a", mvpd.ErrUnknown},
		{"ONE", "", mvpd.ErrUnknown},
	}
	for _, tt := range tests {
		p, err := r.Find(cfg, realm, tt.serviceProvider, tt.id)
		if !errors.Is(err, tt.want) || err == nil && p.Config.ID != tt.id {
			t.Errorf("find %q for %s: got %v, want %v", tt.id, tt.serviceProvider, err, tt.want)
		}
	}
	for serviceProvider, want := range map[string][]string{"ONE": {"A", "B"}, "TWO": {"A"}} {
		var got []string
		for p := range r.Active(cfg, realm, serviceProvider) {
			got = append(got, p.Config.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("active for %s (-want +got):\n%s", serviceProvider, diff)
		}
	}
}

func TestAReloadMakesWhatChanged(t *testing.T) {
	made := 0
	r := registry(&made, &fake{})
	for i, tt := range []struct {
		mvpds string
		want  int
	}{
		{threeMVPDs, 2},
		{threeMVPDs, 2},
		{strings.Replace(threeMVPDs, "id: A, kind", "id: A, authzTTL: 2h, kind", 1), 3},
		{"[{id: A, authzTTL: 2h, kind: sandbox}]", 3},
		{threeMVPDs, 5},
	} {
		cfg := parse(t, tt.mvpds)
		p, err := r.Find(cfg, cfg.Realms[0], "ONE", "A")
		if err != nil || made != tt.want {
			t.Errorf("configuration %d: %d connectors made, %v; want %d", i, made, err, tt.want)
		}
		if err == nil && p.Config.AuthzTTL != cfg.Realms[0].MVPDs[0].AuthzTTL {
			t.Errorf("configuration %d: the provider has an old configuration", i)
		}
	}
}

// TestDecideIsTotal: whatever a connector does, each resource has a decision.
func TestDecideIsTotal(t *testing.T) {
	permit := mvpd.Decision{Verdict: mvpd.Permit, TTL: time.Minute}
	tests := map[string]struct {
		decide func(ctx context.Context) ([]mvpd.Decision, error)
		want   mvpd.Decision
	}{
		"permits":         {func(context.Context) ([]mvpd.Decision, error) { return []mvpd.Decision{permit, permit}, nil }, permit},
		"says too little": {func(context.Context) ([]mvpd.Decision, error) { return []mvpd.Decision{permit}, nil }, mvpd.Decision{Verdict: mvpd.Unreadable}},
		"says too much": {
			func(context.Context) ([]mvpd.Decision, error) { return []mvpd.Decision{permit, permit, permit}, nil },
			mvpd.Decision{Verdict: mvpd.Unreadable},
		},
		"fails":        {func(context.Context) ([]mvpd.Decision, error) { return nil, errors.New("EOF") }, mvpd.Decision{Verdict: mvpd.Unreadable}},
		"times out":    {func(context.Context) ([]mvpd.Decision, error) { return nil, fmt.Errorf("ask: %w", mvpd.ErrTimeout) }, mvpd.Decision{Verdict: mvpd.TimedOut}},
		"dial timeout": {func(context.Context) ([]mvpd.Decision, error) { return nil, &url.Error{Err: os.ErrDeadlineExceeded} }, mvpd.Decision{Verdict: mvpd.TimedOut}},
		"never answers": {
			func(ctx context.Context) ([]mvpd.Decision, error) { <-ctx.Done(); return nil, ctx.Err() },
			mvpd.Decision{Verdict: mvpd.OutOfTime},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := providerThat(t, func(ctx context.Context, _ mvpd.Question) ([]mvpd.Decision, error) { return tt.decide(ctx) })
				got := p.Decide(context.Background(), mvpd.Question{Resources: []string{"r1", "r2"}})
				if diff := cmp.Diff([]mvpd.Decision{tt.want, tt.want}, got); diff != "" {
					t.Errorf("decisions (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func providerThat(t *testing.T, decide func(context.Context, mvpd.Question) ([]mvpd.Decision, error)) *mvpd.Provider {
	t.Helper()
	made, cfg := 0, parse(t, threeMVPDs)
	p, err := registry(&made, &fake{decide}).Find(cfg, cfg.Realms[0], "ONE", "A")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestQuestionsAtOnceAreBounded: a provider that hangs holds 128 requests at
// most; the next one is answered at once.
func TestQuestionsAtOnceAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := providerThat(t, func(ctx context.Context, _ mvpd.Question) ([]mvpd.Decision, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		var waiting sync.WaitGroup
		for range 128 {
			waiting.Go(func() { p.Decide(context.Background(), mvpd.Question{Resources: []string{"r"}}) })
		}
		synctest.Wait()
		began := time.Now()
		got := p.Decide(context.Background(), mvpd.Question{Resources: []string{"r"}})
		if took := time.Since(began); took != 0 || got[0].Verdict != mvpd.Unreadable {
			t.Errorf("got %v after %v, want network_received_error at once", got, took)
		}
		waiting.Wait()
	})
}

// TestTheLogDoesNotFill: a provider that is down is told of now and then, with
// how often.
func TestTheLogDoesNotFill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		cfg := parse(t, threeMVPDs)
		r := mvpd.NewRegistry(map[string]mvpd.Maker{
			"sandbox": func(*config.Config, *config.Realm, *config.MVPD) (mvpd.Connector, error) {
				return &fake{func(context.Context, mvpd.Question) ([]mvpd.Decision, error) { return nil, errors.New("EOF") }}, nil
			},
		}, slog.New(slog.NewTextHandler(&log, nil)))
		p, err := r.Find(cfg, cfg.Realms[0], "ONE", "A")
		if err != nil {
			t.Fatal(err)
		}
		for range 100 {
			p.Decide(context.Background(), mvpd.Question{Resources: []string{"r"}})
			<-time.After(time.Second / 4)
		}
		if lines := strings.Count(log.String(), "\n"); lines != 3 || !strings.Contains(log.String(), "count=40 last=EOF") {
			t.Errorf("25 s of troubles left %d lines, want 3:\n%s", lines, &log)
		}
	})
}

// TestWhatAnybodyCausesDoesNotFillTheLog either, and nothing is lost from the count.
func TestWhatAnybodyCausesDoesNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		cfg := parse(t, threeMVPDs)
		r := mvpd.NewRegistry(map[string]mvpd.Maker{
			"sandbox": func(*config.Config, *config.Realm, *config.MVPD) (mvpd.Connector, error) { return &fake{}, nil },
		}, slog.New(slog.NewTextHandler(&log, nil)))
		p, err := r.Find(cfg, cfg.Realms[0], "ONE", "A")
		if err != nil {
			t.Fatal(err)
		}
		for range 75 { // of 60 in the first minute 10, of 15 in the second 10
			p.Warn("refused", "error", "EOF")
			<-time.After(time.Second)
		}
		if lines := strings.Count(log.String(), "mvpd=A error=EOF"); lines != 20 || strings.Count(log.String(), "unlogged=50\n") != 1 {
			t.Errorf("75 warnings left %d lines, want 20:\n%s", lines, &log)
		}
		<-time.After(time.Minute)
		if p.Warn("refused"); !strings.HasSuffix(log.String(), "msg=refused mvpd=A unlogged=5\n") {
			t.Errorf("the log ends so:\n%s", &log)
		}
	})
}

func TestSecrets(t *testing.T) {
	seen := map[string]bool{}
	for _, login := range [][2]string{{"key", "name"}, {"key", "other"}, {"other", "name"}} {
		s := mvpd.DeriveSecrets([]byte(login[0]), login[1])
		state, named := strings.CutPrefix(s.State, login[1]+".")
		seen[state], seen[s.Nonce], seen[s.Verifier] = true, true, true
		if len(s.Verifier) != 43 || !named || s != mvpd.DeriveSecrets([]byte(login[0]), login[1]) {
			t.Errorf("%q: got %+v", login, s)
		}
	}
	if len(seen) != 9 {
		t.Errorf("secrets of three logins repeat: %d different ones, want 9", len(seen))
	}
	// RFC 7636, appendix B.
	s := mvpd.Secrets{Verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"}
	if got, want := s.Challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"; got != want {
		t.Errorf("challenge: got %s, want %s", got, want)
	}
}
