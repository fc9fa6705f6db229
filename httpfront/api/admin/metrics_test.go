package admin_test

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"ssod/httpfront/api/admin"
)

// TestMetricsAreWhatTheyAreSaidToBe: whatever a scraper asks for, the header
// names what is sent, and a linter has nothing to say about it.
func TestMetricsAreWhatTheyAreSaidToBe(t *testing.T) {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "ssod_things_total", Help: "Things."})
	registry.MustRegister(counter)
	w := &world{state: admin.Starting}
	s, err := admin.Health(admin.Options{Address: "127.0.0.1:0", Status: w.status, Metrics: registry})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown(context.Background())
	for accept, encoding := range map[string]string{
		"":           "",
		"text/plain": "",
		"application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3": "gzip",
	} {
		page, contentType := scrape(t, "http://"+s.Address().String()+"/metrics", accept, encoding)
		if !strings.HasPrefix(contentType, "text/plain; version=0.0.4") || strings.Contains(page, "# EOF") || !strings.Contains(page, "ssod_things_total 0") {
			t.Errorf("Accept %q: %s\n%s", accept, contentType, page)
		}
		if problems, err := promlint.New(strings.NewReader(page)).Lint(); err != nil || len(problems) > 0 {
			t.Errorf("Accept %q: %v, %v", accept, problems, err)
		}
	}
}

// scrape fetches a page as Prometheus does.
func scrape(t *testing.T, url, accept, encoding string) (page, contentType string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	request.Header.Set("Accept-Encoding", encoding)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body io.Reader = response.Body
	if response.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), response.Header.Get("Content-Type")
}
