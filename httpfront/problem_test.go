package httpfront_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"ssod/httpfront"
	"ssod/httpfront/api"
	"ssod/httpfront/config"
	"ssod/httpfront/fronttest/browsertest"
	"ssod/httpfront/page"
	"ssod/httpfront/slots"
)

// TestErrorsOfPagesArePages: a viewer reads what to do, and the trace; neither
// codes nor what went wrong inside.
func TestErrorsOfPagesArePages(t *testing.T) {
	var failure error
	cfg, err := config.Parse([]byte("throttle: {rate: 1, burst: 4}\nrealms: [{id: a, serviceProviders: [S]}]"), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := httpfront.Start(httpfront.Options{
		Address:  "127.0.0.1:0",
		Settings: func() *config.Config { return cfg },
		Handlers: httpfront.Handlers{Sandbox: httpfront.SandboxHandlers{Login: func(context.Context, *api.Request) (api.Response, error) {
			if failure == nil {
				panic("secret")
			}
			return api.Response{}, failure
		}}},
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Shutdown(context.Background()) })
	for _, tt := range []struct {
		err        error
		status     int
		want       string
		retryAfter string
	}{
		{api.ErrBody, 400, "This link does not work", ""},
		{api.ErrNotFound, 404, "There is no such page", ""},
		{slots.ErrBusy, 503, "Not available right now", "1"},
		{errors.New("secret"), 500, "Something went wrong", ""},
		{nil, 500, "Something went wrong", ""},
		{nil, 429, "Too many requests", "1"},
	} {
		failure = tt.err
		response, err := http.Get("http://" + s.Address().String() + "/sandbox/a/b/login")
		if err != nil {
			t.Fatal(err)
		}
		html, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		h := response.Header
		if response.StatusCode != tt.status || h.Get("Retry-After") != tt.retryAfter || h.Get("Content-Type") != page.ContentType || h.Get("Content-Security-Policy") != page.Policy {
			t.Errorf("%v: got %d %v", tt.err, response.StatusCode, h)
		}
		if text := string(html); !strings.Contains(text, "<h1>"+tt.want) || !strings.Contains(text, h.Get("X-Request-Id")) || strings.Contains(text, "secret") {
			t.Errorf("%v: got the page %s", tt.err, html)
		}
	}
}

// TestABrowserLoadsAThrottledPageAgain: nobody presses a key.
func TestABrowserLoadsAThrottledPageAgain(t *testing.T) {
	b := browsertest.Start(t)
	cfg, err := config.Parse([]byte("throttle: {enabled: false}\nrealms: [{id: a, serviceProviders: [S]}]"), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	welcome, err := page.MustParse("<button autofocus>Welcome</button>").Render(page.Page{Title: "Login"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	s, err := httpfront.Start(httpfront.Options{
		Address:  "127.0.0.1:0",
		Settings: func() *config.Config { return cfg },
		Handlers: httpfront.Handlers{Sandbox: httpfront.SandboxHandlers{Login: func(context.Context, *api.Request) (api.Response, error) {
			if asked.Add(1) <= 2 {
				return api.Response{}, api.ErrThrottled
			}
			return api.Response{Status: 200, ContentType: page.ContentType, Body: welcome.HTML}, nil
		}}},
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Shutdown(context.Background()) })
	b.Open("http://" + s.Address().String() + "/sandbox/a/b/login")
	if got := b.AwaitFocus(); got != "Welcome" || asked.Load() != 3 {
		t.Errorf("%q has the focus after %d requests", got, asked.Load())
	}
}
