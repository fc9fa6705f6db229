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
type script struct {
	*session
	steps int
	quiet bool // nothing more is shown
}

func newScript(s *session) *script { return &script{session: s} }

// step prints the next step.
func (s *script) step(format string, args ...any) {
	s.steps++
	s.title("%d. "+format, append([]any{s.steps}, args...)...)
}

// title prints what comes next.
func (s *script) title(format string, args ...any) {
	if !s.json {
		fmt.Fprintf(s.stdout, "\n== "+format+"\n", args...)
	}
}

// note prints the result of a step.
func (s *script) note(format string, args ...any) {
	if !s.json {
		fmt.Fprintf(s.stdout, "   "+format+"\n", args...)
	}
}

// show prints a call and its answer with tokens and secrets shortened. Link
// codes are shown: the viewer must see them.
func (s *script) show(x exchange) {
	if s.quiet {
		return
	}
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
	if x.Location != "" {
		fmt.Fprintf(&b, "<   Location: %s\n", x.Location)
	}
	if x.Answer != "" {
		fmt.Fprintf(&b, "<   %s\n", strings.ReplaceAll(indented(x.Answer), "\n", "\n<   "))
	}
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

// secrets match what must not be copied from a terminal: signed tokens anywhere, and
// others by the name of their field or parameter. The first group is what precedes a
// secret.
var secrets = regexp.MustCompile(`()(eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)?)` +
	`|(client_secret(?:":\s*"|=))([^"&]+)` +
	`|(serializedToken":\s*")([^"]+)` +
	`|([?&](?:ticket|code|state)=)([A-Za-z0-9._%-]{12,})`)

// shortened is the exchange without secrets.
func (x exchange) shortened() exchange {
	headers := make(header, len(x.Headers))
	for i, h := range x.Headers {
		headers[i] = [2]string{h[0], shorten(h[1])}
	}
	x.URL, x.Headers, x.Body = shorten(x.URL), headers, shorten(x.Body)
	x.Location, x.Answer = shorten(x.Location), shorten(x.Answer)
	return x
}

func shorten(text string) string {
	var b strings.Builder
	end := 0
	for _, m := range secrets.FindAllStringSubmatchIndex(text, -1) {
		for group := 2; group < len(m); group += 4 {
			if from, to := m[group+2], m[group+3]; from >= 0 {
				shown := from + min(shownOf(text[m[group]:m[group+1]]), to-from)
				fmt.Fprintf(&b, "%s...(%d characters)", text[end:shown], to-shown)
				end = to
			}
		}
	}
	return b.String() + text[end:]
}

// shownOf is the shown part of a secret: enough to recognise it, nothing of a password.
func shownOf(before string) int {
	if strings.HasPrefix(before, "client_secret") {
		return 0
	}
	return 12
}
