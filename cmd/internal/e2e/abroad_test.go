package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ssod/cmd/internal/ssodtest"
)

// abroad is AcmeTV as a foreign implementation, in a process of its own.
type abroad struct {
	name string
	keys string        // of the MVPD in the configuration
	meet func(n *node) // called once with a node that runs
}

// overOpenID is npm oidc-provider.
func overOpenID(t *testing.T) abroad {
	t.Helper()
	const secret = "shared with the TV provider"
	issuer := startOpenIDProvider(t, secret)
	file := filepath.Join(t.TempDir(), "acme.secret")
	must(t, os.WriteFile(file, []byte(secret), 0o600))
	return abroad{
		"OpenID Connect", fmt.Sprintf("kind: oidc, issuer: %q, clientId: ssod, clientSecretFile: %q, authzURL: %q", issuer, file, startChannels(t)),
		func(*node) {},
	}
}

// overSAML is npm samlify.
func overSAML(t *testing.T) abroad {
	t.Helper()
	theirs, ours := newKeyPair(t, "provider"), newKeyPair(t, "service")
	provider := startPeer(t, "samlify", "ENCRYPT=yes", "KEY="+theirs.key, "CERTIFICATE="+theirs.certificate)
	return abroad{
		"SAML", fmt.Sprintf("kind: saml, metadataURL: %q, keyFile: %q, certFile: %q, authzURL: %q", provider+"/metadata", ours.key, ours.certificate, startChannels(t)),
		func(n *node) { introduce(t, n, provider, "programmer/AcmeTV") },
	}
}

// startChannels is a decision point that has the viewers of the sandbox: everybody may
// watch channel-1, and the login of finn is void.
func startChannels(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Subject, Resource struct{ ID string } }
		answer := `{"decision":false}`
		switch err := json.NewDecoder(r.Body).Decode(&q); {
		case err != nil:
			http.Error(w, "what?", http.StatusBadRequest)
			return
		case strings.HasPrefix(q.Subject.ID, "finn-"):
			answer = `{"decision":false,"context":{"reason":"reauthenticate"}}`
		case q.Resource.ID == "channel-1":
			answer = `{"decision":true}`
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/access/v1/evaluation"
}

// TestFlowsAbroad plays every flow at foreign providers on one node, which is killed
// before each step of a login and logout in turn and in the middle of each, and on three,
// of which one dies.
func TestFlowsAbroad(t *testing.T) {
	if !ssodtest.Long() {
		t.Skip("TestAnOpenIDProvider and TestASAMLProvider log in once; SSOD_LONG=1 plays all flows")
	}
	for _, start := range []func(*testing.T) abroad{overOpenID, overSAML} {
		provider := start(t)
		t.Run(provider.name, func(t *testing.T) {
			t.Run("one node", func(t *testing.T) { playAbroadAlone(t, provider) })
			t.Run("three nodes", func(t *testing.T) {
				c := startStage(t, provider.keys)
				c.foreign = true
				provider.meet(c.node)
				c.play(1)
			})
		})
	}
}

func playAbroadAlone(t *testing.T, provider abroad) {
	empty, settings := emptyWorld(t), lifetimes{public: publicURL, others: "confirm", acme: provider.keys}
	w := newWorld(t, empty, settings)
	provider.meet(w.node)
	secret, err := w.secret()
	must(t, err)
	other := w.mustApp("STREAM1")
	for i, f := range flows {
		s := newTale(w.stream, other, fmt.Sprint(" ", i))
		s.foreign, s.secret = true, secret
		if f.given != nil {
			f.given(s)
		}
		for _, step := range f.steps {
			if err := step.do(s, t.Context()); err != nil {
				t.Fatalf("%s: %s: %v", f.name, step.name, err)
			}
		}
		t.Logf("%s completed", f.name)
	}
	for kill := range chapters {
		w.killed(t, fmt.Sprint(" b", kill), kill, false)
		w.killed(t, fmt.Sprint(" d", kill), kill, true)
		t.Logf("killed before and during %-38q completed", chapters[kill].name)
	}
}

// killed plays the tale of the chapters at a foreign provider, with the death of the node
// before or during a step.
func (w *world) killed(t *testing.T, name string, kill int, during bool) {
	t.Helper()
	s := newTale(w.stream, w.stream, name)
	s.foreign = true
	for i, chapter := range chapters {
		if s.interrupted = i == kill; s.interrupted {
			tried := make(chan error, 1)
			if during {
				go func() { tried <- chapter.do(s, t.Context()) }()
			} else {
				tried <- nil
			}
			w.Kill()
			<-tried // whatever became of it
			w.Start()
		}
		if err := eventually(t.Context(), func(ctx context.Context) error { return chapter.do(s, ctx) }); err != nil {
			t.Fatalf("killed at %q: %q: %v", chapters[kill].name, chapter.name, err)
		}
	}
}

// errand is what a browser was told to do: go somewhere, with a form or without.
type errand struct {
	address string
	form    url.Values // nil: GET
}

// logInAbroad goes as far as the provider's answer, with a browser that has never been
// there.
func (s *tale) logInAbroad(ctx context.Context, viewer string) (errand, error) {
	address := s.browser.address
	s.browser = s.newBrowser()
	s.browser.address, s.abroad = address, viewer+"-"+strings.ReplaceAll(s.viewer, " ", "-")
	return s.goAbroad(ctx)
}

// goAbroad opens the login of the session.
func (s *tale) goAbroad(ctx context.Context) (errand, error) {
	login := errand{address: publicURL + "/api/v2/authenticate/" + s.phone.app.provider + "/" + s.code}
	return s.browser.run(ctx, login, s.abroad, func(e errand) bool {
		return e.address == home || strings.HasPrefix(e.address, publicURL+"/api/v2/authenticate/callback") || strings.HasPrefix(e.address, publicURL+"/saml/")
	})
}

// comeBackFromAbroad brings the provider's answer. An answer counts once: when nobody knows
// what became of it, the viewer logs in again.
func (s *tale) comeBackFromAbroad(ctx context.Context) error {
	end, err := s.browser.run(ctx, s.callback, "", func(e errand) bool { return strings.HasPrefix(e.address, home) })
	if err == nil && end.address != home {
		err = fmt.Errorf("%w: ended at %s", errStatus, end.address)
	}
	if err == nil || !s.interrupted {
		return err
	}
	again, failed := s.goAbroad(ctx)
	if failed == nil {
		s.callback = again
	}
	return err
}

// logOutAbroad opens the logout agent URL, and ends the session at the provider.
func (s *tale) logOutAbroad(ctx context.Context) error {
	_, err := s.browser.run(ctx, errand{address: publicURL + s.farewell}, "", func(e errand) bool { return e.address == home })
	if s.interrupted && err != nil && ctx.Err() == nil {
		return nil // the URL works once, whether or not its answer came
	}
	return err
}

// run does an errand and what pages and redirects lead to, until the next one is the last,
// and returns that. Forms are sent as scripts and viewers do.
func (b *browser) run(ctx context.Context, e errand, viewer string, last func(errand) bool) (errand, error) {
	for range 20 {
		if e.address == home {
			return e, nil
		}
		a, err := b.visit(ctx, e.address, e.form)
		if err != nil {
			return e, err
		}
		next := errand{address: a.Headers.Get("Location")}
		if a.Status/100 != 3 {
			if next, err = fillIn(string(a.Body), viewer); err != nil || a.Status != http.StatusOK {
				return e, fmt.Errorf("%w: %d at %s", errStatus, a.Status, e.address)
			}
		}
		base, err := url.Parse(e.address)
		if err != nil {
			return e, err
		}
		to, err := base.Parse(next.address)
		if err != nil {
			return e, err
		}
		if e = (errand{to.String(), next.form}); last(e) {
			return e, nil
		}
	}
	return e, fmt.Errorf("%w: a circle of pages", errStatus)
}

// fillIn sends the form of a page.
func fillIn(page, viewer string) (errand, error) {
	action := formAction.FindStringSubmatch(page)
	if action == nil {
		return errand{}, fmt.Errorf("%w: a page without a form", errStatus)
	}
	form := url.Values{}
	for _, input := range formInput.FindAllStringSubmatch(page, -1) {
		form.Set(html.UnescapeString(input[1]), html.UnescapeString(input[2]))
	}
	for name, value := range map[string]string{"login": viewer, "password": "any", "logout": "yes"} {
		if strings.Contains(page, `name="`+name+`"`) {
			form.Set(name, value)
		}
	}
	return errand{html.UnescapeString(action[1]), form}, nil
}
