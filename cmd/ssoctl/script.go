package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// script shows the calls of the demo as they happen: to people as text, to
// programs as one JSON object per call.
type script struct{ *session }

func newScript(s *session) *script { return &script{s} }

// title says what comes next.
func (s *script) title(format string, args ...any) {
	if !s.json {
		fmt.Fprintf(s.stdout, "\n== "+format+"\n", args...)
	}
}

// show prints a call and its answer with tokens and secrets shortened. Link
// codes are shown: the viewer must see them.
func (s *script) show(x exchange) {
	x = x.shortened()
	if s.json {
		_ = s.printJSON(x)
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "> %s %s\n", x.Method, x.URL)
	for _, h := range x.Headers {
		fmt.Fprintf(&b, ">   %s: %s\n", h[0], h[1])
	}
	if x.Body != "" {
		fmt.Fprintf(&b, ">   %s\n", x.Body)
	}
	fmt.Fprintf(&b, "< %d %s\n", x.Status, http.StatusText(x.Status))
	for line := range strings.Lines(indented(x.Answer)) {
		b.WriteString("<   " + line)
	}
	b.WriteString("\n")
	if x.Wait != "" {
		fmt.Fprintf(&b, "   (waiting %s, as the answer asks, and trying again)\n", x.Wait)
	}
	fmt.Fprint(s.stdout, b.String())
}

func indented(text string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(text), "", "  ") != nil {
		return text
	}
	return b.String()
}

// secrets are what nobody should copy from a terminal: signed tokens wherever
// they are, and client secrets by the name of their field.
var secrets = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+|client_secret(":\s*"|=)[^"&]+`)

// shortened is the exchange without secrets.
func (x exchange) shortened() exchange {
	headers := make(header, len(x.Headers))
	for i, h := range x.Headers {
		headers[i] = [2]string{h[0], shorten(h[1])}
	}
	x.Headers, x.Body, x.Answer = headers, shorten(x.Body), shorten(x.Answer)
	return x
}

func shorten(text string) string {
	return secrets.ReplaceAllStringFunc(text, func(secret string) string {
		shown := 12
		if strings.HasPrefix(secret, "client_secret") {
			shown = strings.LastIndexAny(secret, `"=`) + 1
		}
		return fmt.Sprintf("%s...(%d characters)", secret[:shown], len(secret)-shown)
	})
}
