package e2e

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"ssod/cmd/internal/e2e/examples"
)

// Lives for the cases in which something has expired: the shortest that lets
// the steps before finish.
const (
	shortLife   = 3 * time.Second
	shortWindow = time.Second
	shortCode   = time.Second
)

// injected is the case of a fault inside the process; see
// [TestAnInternalFaultSaysNothing].
const injected = "st-post-30"

// TestConformance runs each case on a node of its own that has keys and no
// profiles, clients or codes.
func TestConformance(t *testing.T) {
	t.Parallel()
	cases, empty := loadCases(t), emptyWorld(t)
	for _, c := range cases {
		if c.ID == injected {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, empty, livesFor(c))
			if err := w.bring(c.Given); err != nil {
				t.Fatal(err)
			}
			w.check(c)
		})
	}
	t.Logf("%d cases on a process of their own, 1 with an injected fault", len(cases)-1)
}

func loadCases(t *testing.T) []examples.Case {
	t.Helper()
	cases, err := examples.Load("testdata/examples.json")
	must(t, err)
	return cases
}

// check sends the request of a case and compares the answer.
func (w *world) check(c examples.Case) {
	w.Helper()
	request, err := examples.Expand(w.renamed(c.Request), w.value)
	must(w, err)
	if request.Repeat != nil {
		w.checkRepeated(c, request)
		return
	}
	answer, err := w.send(request)
	must(w, err)
	for _, difference := range c.Expect.Match(answer, w.variables()) {
		w.Errorf("%s: %s", c.Title, difference)
	}
	for name, path := range c.Capture {
		value, err := examples.Field(answer.Body, path)
		must(w, err)
		if value == "" {
			w.Errorf("%s: nothing to capture as %s at %s", c.Title, name, path)
		}
	}
	if w.Failed() {
		w.Logf("%s %s was answered %d %s", request.Method, request.Target(), answer.Status, answer.Body)
	}
}

// livesFor shortens what the case says has expired.
func livesFor(c examples.Case) (l lifetimes) {
	for _, given := range c.Given {
		switch {
		case strings.HasPrefix(given, "{{token_a}} expired"):
			l.service, l.window = shortLife.String(), ""
			if strings.HasSuffix(given, "refresh window") {
				l.window = shortWindow.String()
			}
		case given == "link code {{code}} past notAfter":
			l.code = shortCode.String()
		case given == "session {{authcode}} expired":
			l.session = shortCode.String()
		case strings.HasPrefix(given, "Auth"):
			l.rule, _, _ = strings.Cut(given, " ")
		case given == "TempPass_10min is a TempPass":
			l.trial = "10m"
		case strings.HasPrefix(given, "TempPass_10min expired"):
			l.trial = shortCode.String()
		case given == "profile expired":
			l.login = shortCode.String()
		case given == "devices of other networks are to be confirmed":
			l.others = "confirm"
		case given == "devices of other networks are denied":
			l.others = "deny"
		case given == "throttle on, fresh client address":
			l.throttle = true
		}
	}
	if strings.Contains(c.Request.Headers["Authorization"], "expired_access_token") {
		l.access = shortCode.String()
	}
	return l
}

// untilEpoch waits until the clock has passed a time in epoch milliseconds.
func untilEpoch(w *world, ms int64) {
	w.Helper()
	until(w, fmt.Sprintf("%v to pass", time.UnixMilli(ms)), func() bool { return time.Now().UnixMilli() > ms })
}

// expiry is the exp of a token.
func expiry(token string) (int64, error) {
	var claims struct {
		Expiry int64 `json:"exp"`
	}
	err := readClaims(token, &claims)
	return claims.Expiry, err
}

// readClaims decodes the payload of a token without verifying it.
func readClaims(token string, claims any) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return fmt.Errorf("not a token of three parts")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return err
	}
	return json.Unmarshal(payload, claims)
}

// TestEveryPreconditionHasAStep finds new words in the cases before a case that
// uses them is taken into scope.
func TestEveryPreconditionHasAStep(t *testing.T) {
	for _, c := range loadCases(t) {
		if c.ID == injected {
			continue
		}
		for _, text := range c.Given {
			n := 0
			for _, s := range preconditions {
				if s.pattern.MatchString(text) {
					n++
				}
			}
			if n != 1 {
				t.Errorf("%s: %d steps match %q, want 1", c.ID, n, text)
			}
		}
	}
}
