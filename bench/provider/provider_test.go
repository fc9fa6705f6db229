package provider_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"go.uber.org/goleak"
	"golang.org/x/oauth2"

	"ssod/bench/provider"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T) (*provider.Provider, *http.Client) {
	t.Helper()
	p, err := provider.Start()
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, client
}

// TestALogin is judged by the client of another maker.
func TestALogin(t *testing.T) {
	p, client := start(t)
	ctx := oidc.ClientContext(t.Context(), client)
	op, err := oidc.NewProvider(ctx, p.Issuer)
	if err != nil {
		t.Fatal(err)
	}
	app := oauth2.Config{ClientID: provider.ClientID, RedirectURL: "https://app.example/in", Endpoint: op.Endpoint(), Scopes: []string{oidc.ScopeOpenID}}
	verifier := oauth2.GenerateVerifier()
	code := authorized(t, client, app.AuthCodeURL("s", oidc.Nonce("n"), oauth2.S256ChallengeOption(verifier)))
	token, err := app.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := op.VerifierContext(ctx, &oidc.Config{ClientID: provider.ClientID, SupportedSigningAlgs: []string{oidc.ES256}}).Verify(ctx, raw)
	if err != nil || id.Nonce != "n" || id.Subject == "" {
		t.Errorf("the ID token: %+v, %v", id, err)
	}
	if _, err := app.Exchange(ctx, code, oauth2.VerifierOption(verifier)); err == nil {
		t.Error("a code was good twice")
	}
}

// authorized is the code that a login brings.
func authorized(t *testing.T, client *http.Client, at string) string {
	t.Helper()
	said, err := client.Get(at)
	if err != nil {
		t.Fatal(err)
	}
	said.Body.Close()
	to, err := url.Parse(said.Header.Get("Location"))
	if err != nil || to.Query().Get("state") != "s" {
		t.Fatalf("it sends the browser to %s, %v", to, err)
	}
	return to.Query().Get("code")
}

// TestALateDecision is none for whoever has left.
func TestALateDecision(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	provider.Late(time.Hour)(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/decide", nil))
	if w.Body.Len() > 0 {
		t.Errorf("answered %s", w.Body)
	}
}
