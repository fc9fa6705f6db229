package sso_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ssod/httpfront/api/registration"
	"ssod/httpfront/fronttest"
)

// A t of Welch's test over this says that two classes differ; the usual bound
// where side channels are tested, one chance in 100,000 to be wrong.
const leak = 4.5

// justUsed is measured without a verdict. For 60 seconds the device that
// redeemed a code may repeat its request, so a guess of that code is passed on to
// the profile, and refused some microseconds later than others. That a code was
// used a moment ago admits nobody, and the budgets of guesses leave too few
// samples to see it.
const justUsed = "code used just now"

// generous has budgets of guesses that the test does not exhaust.
const generous = `
helpURL: https://help.example/errors
throttle: {enabled: false}
realms:
  - id: acme
    serviceProviders: [STREAM1, STREAM2]
    guessing: {perDevice: 1000000000, perAddress: 1000000000, wrongHitsPerDay: 100000}
  - id: rival
    serviceProviders: [RIVAL1]
`

// probe is a question in two forms of the same length: about what exists, and
// about what does not.
type probe struct {
	name           string
	status         int
	exists, absent fronttest.Call
}

// TestAnswersDoNotTellWhatExists asks for profiles, devices, codes, tenants and
// clients, existing or not in random order, over one connection: the answers are
// the same, and in a long run of 10,000 each they take the same time. The short
// run has too few samples for a verdict on time, and gives none.
func TestAnswersDoNotTellWhatExists(t *testing.T) { // alone: no t.Parallel
	samples, verdict := 100, os.Getenv("SSOD_LONG") != ""
	if verdict {
		samples = 10_000
	}
	n := fronttest.Start(t, fronttest.Options{Config: generous})
	a := &app{t, n, n.AccessToken(t, "STREAM1", "STREAM2")}
	for _, p := range a.probes() {
		t.Run(p.name, func(t *testing.T) {
			exists, absent := a.measure(t, p, samples)
			got := welch(exists, absent)
			t.Logf("%d samples of each: t = %.2f, medians %v and %v", samples, got, median(exists), median(absent))
			if verdict && p.name != justUsed && math.Abs(got) >= leak {
				t.Errorf("t = %.2f between what exists and what does not, want less than %.1f", got, leak)
			}
		})
	}
}

// probes asks with an access token of acme, except where it says otherwise.
func (a *app) probes() []probe {
	a.Helper()
	viewer := a.mint("host", "viewer-1")
	old := a.link("host", viewer)
	a.redeem(old)
	a.node.Sleep(61 * time.Second) // the winner may repeat for 60
	used := a.link("host", viewer)
	a.redeem(used)
	foreign := a.foreignCode()
	guest := a.mint("guest", "viewer-2")
	strange := a.link("guest", guest)
	member := a.mint("tablet", "viewer-1")
	anothers := a.link("tablet", member)
	look := func(code string) fronttest.Call {
		return a.call("GET", "link/"+code, "host", "AD-Service-Token", viewer)
	}
	known, unknown := a.badLogins()
	return []probe{
		// No signature but the right one says whether there is a profile.
		{"profile", 401, a.forged(viewer, "viewer-1"), a.forged(viewer, "viewer-9")},
		{"device of another profile", 200, a.removal(viewer, "guest"), a.removal(viewer, "ghost")},
		{"code used a minute ago", 400, a.guess(old), a.guess(neighbour(old))},
		{justUsed, 400, a.guess(used), a.guess(neighbour(used))},
		{"code of another realm", 400, a.guess(foreign), a.guess(neighbour(foreign))},
		{"look at the code of another profile", 400, look(strange), look(neighbour(strange))},
		{"look at the code of another member", 400, look(anothers), look(neighbour(anothers))},
		{"tenant", 401, outside("RIVAL1"), outside("RIVAL9")},
		{"client", 400, known, unknown},
	}
}

// forged is a call with a service token for another subject, its signature
// spoilt.
func (a *app) forged(token, subject string) fronttest.Call {
	a.Helper()
	parts := strings.Split(token, ".")
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		a.Fatal(err)
	}
	claims = bytes.Replace(claims, []byte("viewer-1"), []byte(subject), 1)
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		a.Fatal(err)
	}
	signature[0] ^= 1
	return a.call("GET", "list", "host", "AD-Service-Token",
		parts[0]+"."+base64.RawURLEncoding.EncodeToString(claims)+"."+base64.RawURLEncoding.EncodeToString(signature))
}

func (a *app) removal(token, device string) fronttest.Call {
	c := a.call("POST", "unlink", "host", "AD-Service-Token", token, "Content-Type", "application/json")
	c.Body = `{"devices":["` + id(device) + `"]}`
	return c
}

func (a *app) guess(code string) fronttest.Call {
	return a.call("POST", "serviceToken", "guesser", "X-SSO-LINK", code)
}

// neighbour is a code that nobody has: live codes differ in two digits.
func neighbour(code string) string {
	return code[:5] + string('0'+(code[5]-'0'+1)%10)
}

func (a *app) redeem(code string) {
	a.Helper()
	if r := a.do(a.call("POST", "serviceToken", "phone", "X-SSO-LINK", code)); r.StatusCode != http.StatusCreated {
		a.Fatalf("redeem: %d %s", r.StatusCode, r.Raw)
	}
}

// foreignCode is a code that can be redeemed in the realm rival.
func (a *app) foreignCode() string {
	a.Helper()
	rival := fronttest.Call{Method: "POST", Path: "/api/RIVAL1/serviceToken"}.With(
		"Authorization", "Bearer "+a.node.AccessToken(a.T, "RIVAL1"), "AP-Device-Identifier", fronttest.Device("tv"))
	token := a.do(rival.With("X-SSO-ID", "viewer-3")).Text("serviceToken")
	rival.Path = "/api/RIVAL1/link"
	return a.do(rival.With("AD-Service-Token", token)).Text("code")
}

// outside is a call without a right to make it.
func outside(provider string) fronttest.Call {
	return fronttest.Call{Method: "GET", Path: "/api/" + provider + "/list"}.With("Authorization", "Bearer nonsense")
}

// badLogins are of a client with a wrong secret, and of one that nobody made.
func (a *app) badLogins() (known, unknown fronttest.Call) {
	a.Helper()
	statement, err := a.node.Registration.CreateStatement(a.Context(), registration.StatementRequest{ClientName: "timing", ServiceProviders: []string{"STREAM1"}})
	if err != nil {
		a.Fatal(err)
	}
	client := a.do(fronttest.Call{
		Method: "POST", Path: "/o/client/register", Header: map[string]string{"Content-Type": "application/json"},
		Body: `{"software_statement":"` + statement.SoftwareStatement + `"}`,
	}).Text("client_id")
	login := func(client string) fronttest.Call {
		return fronttest.Call{
			Method: "POST", Path: "/o/client/token", Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
			Body: "grant_type=client_credentials&client_secret=nonsense&client_id=" + client,
		}
	}
	first := "a"
	if client[:1] == first {
		first = "b"
	}
	return login(client), login(first + client[1:])
}

// varying is what differs between two answers that say the same.
var varying = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

// measure sends the two calls of a probe in random order and compares what they
// are answered.
func (a *app) measure(t *testing.T, p probe, samples int) (exists, absent []time.Duration) {
	t.Helper()
	conn, err := net.Dial("tcp", a.node.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	calls := [2][]byte{written(p.exists), written(p.absent)}
	var times [2][]time.Duration
	var told string
	for in := bufio.NewReader(conn); len(times[0])+len(times[1]) < 2*samples; {
		class := rand.N(2)
		if len(times[class]) == samples {
			class = 1 - class
		}
		took, status, body := ask(t, conn, in, calls[class])
		times[class] = append(times[class], took)
		body = varying.ReplaceAllString(body, "")
		if told == "" {
			told = body
		}
		if status != p.status || body != told {
			t.Fatalf("got %d %s, want %d %s", status, body, p.status, told)
		}
	}
	return times[0], times[1]
}

// written is a call as it is sent.
func written(c fronttest.Call) []byte {
	raw := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n", c.Method, c.Path, len(c.Body))
	for _, name := range slices.Sorted(maps.Keys(c.Header)) {
		raw = fmt.Appendf(raw, "%s: %s\r\n", name, c.Header[name])
	}
	return append(raw, "\r\n"+c.Body...)
}

// ask sends a call and returns the time to the end of its answer.
func ask(t *testing.T, conn net.Conn, in *bufio.Reader, raw []byte) (took time.Duration, status int, body string) {
	t.Helper()
	began := time.Now()
	if _, err := conn.Write(raw); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return time.Since(began), r.StatusCode, string(answer)
}
