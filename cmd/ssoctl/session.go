package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"

	"ssod/cluster/secretfile"
)

// session is what every command uses.
type session struct {
	ctx    context.Context
	stdout io.Writer
	stderr io.Writer
	json   bool

	web   *http.Client
	admin string // base URL
	token string
	http  string // base URL, empty: ask the node
}

func newSession(ctx context.Context, c *cli, stdout, stderr io.Writer) (*session, error) {
	s := &session{
		ctx: ctx, stdout: stdout, stderr: stderr, json: c.Output == "json",
		admin: base(c.Admin), http: base(c.HTTP),
		web: &http.Client{Timeout: c.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	if c.AdminToken != "" {
		text, err := secretfile.Read(c.AdminToken)
		if err != nil {
			return nil, fmt.Errorf("--admin-token: %w", err)
		}
		tokens := secretfile.Lines(text)
		if len(tokens) == 0 {
			return nil, fmt.Errorf("--admin-token: %s holds no token", c.AdminToken)
		}
		s.token = tokens[0] // the node accepts all of its own
	}
	if c.AdminCA != "" {
		pem, err := os.ReadFile(c.AdminCA)
		if err != nil {
			return nil, fmt.Errorf("--admin-ca: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--admin-ca %s holds no certificate", c.AdminCA)
		}
		s.web.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	}
	return s, nil
}

// base makes an address a URL without a trailing slash.
func base(address string) string {
	if address == "" || strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://") {
		return strings.TrimRight(address, "/")
	}
	return "http://" + address
}

// say prints something for people.
func (s *session) say(format string, args ...any) {
	fmt.Fprintf(s.stderr, format+"\n", args...)
}

// print writes output for scripts: plain, or v as JSON, on one line.
func (s *session) print(plain string, v any) error {
	if s.json {
		return s.printJSON(v)
	}
	_, err := fmt.Fprintln(s.stdout, plain)
	return err
}

func (s *session) printJSON(v any) error {
	e := json.NewEncoder(s.stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table writes rows in columns, or v as JSON.
func (s *session) table(v any, header string, rows [][]string) error {
	if s.json {
		return s.printJSON(v)
	}
	w := tabwriter.NewWriter(s.stdout, 0, 8, 2, ' ', 0)
	if header != "" {
		fmt.Fprintln(w, header)
	}
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}
