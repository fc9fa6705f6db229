package oidc_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
)

func formPost(m *config.MVPD) { m.ResponseMode = config.ResponseFormPost }

// TestPostedAnswers are kept with what Complete reads, and complete a login.
func TestPostedAnswers(t *testing.T) {
	f := connect(t, formPost)
	f.userinfo = map[string]any{"sub": "viewer-1"}
	step, err := f.Begin(t.Context(), f.login)
	if err != nil {
		t.Fatal(err)
	}
	form := f.authorize(step.URL)
	if mode := f.asked.Get("response_mode"); mode != "form_post" {
		t.Errorf("asked for response mode %q", mode)
	}
	form.Set("iss", f.URL)
	form.Set("session_state", "of another specification")
	answer, err := f.Connector.(mvpd.Receiver).Receive(t.Context(), form)
	if err != nil {
		t.Fatal(err)
	}
	want := mvpd.Answer{State: f.login.State, Values: url.Values{"code": {"a code"}, "iss": {f.URL}}}
	if diff := cmp.Diff(want, answer); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if who, err := f.Complete(t.Context(), f.login, answer.Values); err != nil || who.Subject != "viewer-1" {
		t.Errorf("completed as %+v, %v", who, err)
	}
}

func TestPostedAnswersThatAreRefused(t *testing.T) {
	f := connect(t, formPost)
	receiver := f.Connector.(mvpd.Receiver)
	for name, form := range map[string]url.Values{
		"nothing":           {},
		"no state":          {"code": {"a code"}},
		"no answer":         {"state": {"s"}},
		"another issuer":    {"state": {"s"}, "code": {"a code"}, "iss": {"https://another.example"}},
		"two codes":         {"state": {"s"}, "code": {"a code", "another"}},
		"two states":        {"state": {"s", "t"}, "code": {"a code"}},
		"an endless answer": {"state": {"s"}, "code": {strings.Repeat("a", mvpd.MaxAnswer)}},
	} {
		if a, err := receiver.Receive(t.Context(), form); err == nil || codeOf(err) != mvpd.InvalidRequest {
			t.Errorf("%s: got %+v, %v", name, a, err)
		}
	}
	ended := url.Values{"state": {"s"}, "error": {"access_denied"}, "error_description": {"no"}}
	a, err := receiver.Receive(t.Context(), ended)
	if diff := cmp.Diff(url.Values{"error": {"access_denied"}}, a.Values); err != nil || diff != "" {
		t.Errorf("a viewer who gave up: %v, %s", err, diff)
	}
}

// TestWhoReceives: a provider whose answers come in a query is sent none by POST.
func TestWhoReceives(t *testing.T) {
	if _, ok := connect(t).Connector.(mvpd.Receiver); ok {
		t.Error("a provider of response mode query is a Receiver")
	}
}

func TestAResponseModeThatTheProviderHasNot(t *testing.T) {
	f := connect(t, formPost)
	f.document["response_modes_supported"] = []string{"query", "fragment"}
	if _, err := f.Begin(t.Context(), f.login); codeOf(err) != mvpd.TemporarilyUnavailable {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(f.log.String(), "responseMode form_post") {
		t.Errorf("the operator reads %s", f.log.String())
	}
	f = connect(t, formPost)
	f.document["response_modes_supported"] = []string{"query", "form_post"}
	if _, err := f.Begin(t.Context(), f.login); err != nil {
		t.Error(err)
	}
}
