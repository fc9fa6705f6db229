package admin

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// health adds what orchestrators and scrapers ask for.
func (s *Server) health(r routes) {
	r.add("GET /livez", s.livez)
	r.add("GET /readyz", s.readyz)
	r["GET /metrics"] = s.metrics
}

// profiles adds the profiles of the process. Some cost a second of CPU, or stop the
// process for a moment, and a page in a browser on this machine can send any GET: without
// tokens they are a POST, which the guard refuses to pages.
func (s *Server) profiles(r routes) {
	for path, h := range map[string]http.HandlerFunc{
		"": pprof.Index, "cmdline": pprof.Cmdline, "profile": pprof.Profile, "symbol": pprof.Symbol, "trace": pprof.Trace,
	} {
		r.add("POST /debug/pprof/"+path, h)
		if s.tokens != nil {
			r.add("GET /debug/pprof/"+path, h)
		}
	}
}

func metricsOf(g prometheus.Gatherer) http.Handler {
	if g == nil {
		g = prometheus.NewRegistry()
	}
	return promhttp.HandlerFor(g, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// livez looks at nothing: that it answers is the answer.
func (s *Server) livez(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}

// readyz writes one line per condition, so that people can read it too.
func (s *Server) readyz(w http.ResponseWriter, _ *http.Request) {
	status := s.status()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !status.ready() {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(status.report())
}

func (s *Status) report() []byte {
	var b bytes.Buffer
	head, _ := json.Marshal(struct {
		Ready bool   `json:"ready"`
		State State  `json:"state"`
		Node  string `json:"node"`
	}{s.ready(), s.State, s.Node})
	b.Write(head[:len(head)-1])
	b.WriteString(`,"conditions":[`)
	for i, c := range s.Conditions {
		if i > 0 {
			b.WriteByte(',')
		}
		line, _ := json.Marshal(c)
		b.WriteString("\n  ")
		b.Write(line)
	}
	b.WriteString("\n]}\n")
	return b.Bytes()
}
