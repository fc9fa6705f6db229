package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"ssod/cmd/internal/e2e/examples"
)

// guessConfig has the budgets of an operator who changes nothing: 5 failures
// per device and 60 per address in 15 minutes, half a wrong hit in a day.
const guessConfig = `
throttle: {enabled: false}
realms:
  - {id: one, serviceProviders: [one]}
`

const (
	perDevice  = 5
	perAddress = 60
)

// timidConfig accepts so few wrong hits that 700 look-ups, 70 % of what one live
// code of six digits allows in a day, close its length.
const timidConfig = `
throttle: {enabled: false}
realms:
  - {id: one, serviceProviders: [one], guessing: {wrongHitsPerDay: 0.001}}
`

// timidLookups is what timidConfig allows at most of guesses that could have hit.
const timidLookups = 700

// guess redeems a code from an address, as a trusted proxy reports it.
func (a *app) guess(ctx context.Context, name, address, code string) (examples.Answer, error) {
	return a.send(ctx, "POST", "serviceToken", newDevice(name), nil, "X-SSO-LINK", code, "X-Forwarded-For", address)
}

// mustGuess is guess in a test that cannot go on without an answer.
func (a *app) mustGuess(name, address, code string) examples.Answer {
	a.Helper()
	answer, err := a.guess(a.Context(), name, address, code)
	must(a, err)
	return answer
}

// failures is the number of guesses that reached a look-up and failed.
func (n *node) failures() int {
	n.Helper()
	return int(n.metric("ssod_link_guess_failures_total"))
}

// metric is the sum of a metric over its labels.
func (n *node) metric(name string) float64 {
	n.Helper()
	status, page := n.Page("/metrics")
	if status != http.StatusOK {
		n.Fatalf("/metrics: %d", status)
	}
	sum, found := 0.0, false
	for line := range strings.Lines(page) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if series != name && !strings.HasPrefix(series, name+"{") {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		must(n, err)
		sum, found = sum+v, true
	}
	if !found && strings.Contains(page, name) {
		n.Fatalf("/metrics names %s and has no value for it", name)
	}
	return sum
}

// hostWithCode founds a profile and makes a code.
func (a *app) hostWithCode(name string) (*device, string) {
	a.Helper()
	host := newDevice(name)
	must(a, a.mint(a.Context(), host, name))
	code, err := a.link(a.Context(), host)
	must(a, err)
	return host, code
}

// refusedAsGuessing checks a 429 with the seconds to wait for a guess window.
func refusedAsGuessing(t testing.TB, a examples.Answer) {
	t.Helper()
	refusedFor(t, a, 1, 15*60)
}

// refusedAsClosed checks a 429 with the seconds until the running hour has left
// the meter.
func refusedAsClosed(t testing.TB, a examples.Answer) {
	t.Helper()
	refusedFor(t, a, 23*60*60, 25*60*60)
}

func refusedFor(t testing.TB, a examples.Answer, least, most int) {
	t.Helper()
	wait, err := strconv.Atoi(a.Headers.Get("Retry-After"))
	if a.Status != http.StatusTooManyRequests || err != nil || wait < least || wait > most {
		t.Fatalf("got %d with Retry-After %q, want 429 and the seconds left, %d to %d", a.Status, a.Headers.Get("Retry-After"), least, most)
	}
	if code, err := examples.Field(a.Body, "$.error.code"); err != nil || code != "too_many_requests" {
		t.Fatalf("got %s, want too_many_requests", a.Body)
	}
}

func TestADeviceRunsOutOfGuesses(t *testing.T) {
	t.Parallel()
	a := startNode(t, guessConfig).mustApp("one")
	_, code := a.hostWithCode("host")
	for i := range perDevice {
		if got := a.mustGuess("guesser", "203.0.113.1", wrong(code, i)); got.Status != http.StatusBadRequest {
			t.Fatalf("guess %d: got %d, want 400", i+1, got.Status)
		}
	}
	refusedAsGuessing(t, a.mustGuess("guesser", "203.0.113.2", code)) // even with the right code, from anywhere
	if got := a.mustGuess("honest", "203.0.113.1", code); got.Status != http.StatusCreated {
		t.Fatalf("another device behind the same address: got %d, want 201", got.Status)
	}
}

// TestAnAddressRunsOutOfGuesses sends guesses from one address, each from a
// device of its own: no more than the budget reach a look-up.
func TestAnAddressRunsOutOfGuesses(t *testing.T) {
	t.Parallel()
	a := startNode(t, guessConfig).mustApp("one")
	guesses := volume(1000, 100_000)
	statuses := guessAtOnce(t, a, guesses, always("203.0.113.1"), digits)
	if got := a.failures(); got > perAddress || statuses[http.StatusBadRequest] != got {
		t.Fatalf("%d of %d guesses reached a look-up, %d were answered 400; want at most %d", got, guesses, statuses[http.StatusBadRequest], perAddress)
	}
	if statuses[http.StatusTooManyRequests] != guesses-statuses[http.StatusBadRequest] {
		t.Fatalf("answers %v, want 400 and 429 only", statuses)
	}
	_, code := a.hostWithCode("host")
	if got := a.mustGuess("honest", "203.0.113.2", code); got.Status != http.StatusCreated {
		t.Fatalf("another address: got %d, want 201", got.Status)
	}
}

// guessAtOnce sends guesses over many connections and counts the answers.
func guessAtOnce(t *testing.T, a *app, guesses int, address, code func(i int) string) map[int]int {
	t.Helper()
	a.sampled = newSample(sampledShare)
	defer func() { a.sampled = nil }()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(32)
	statuses := make([]int, guesses)
	for i := range guesses {
		group.Go(func() error {
			answer, err := a.guess(ctx, fmt.Sprintf("guesser %d", i), address(i), code(i))
			statuses[i] = answer.Status
			return err
		})
	}
	must(t, group.Wait())
	t.Logf("answers checked by status: %v", a.sampled.chosen)
	counts := map[int]int{}
	for _, status := range statuses {
		counts[status]++
	}
	return counts
}

// digits is the i-th code of six digits.
func digits(i int) string { return fmt.Sprintf("%06d", i%1_000_000) }

// distant goes through the 810,000 codes that differ from this one in both of the
// first digits. One that differs in a single digit cannot hit, so it costs nothing.
func distant(t testing.TB, code string) func(i int) string {
	t.Helper()
	n, err := strconv.Atoi(code)
	must(t, err)
	first, second, rest := n/100_000, n/10_000%10, n%10_000
	return func(i int) string {
		head := (first+1+i/90_000%9)%10*10 + (second+1+i/10_000%9)%10
		return digits(head*10_000 + (rest+i)%10_000)
	}
}

// TestARealmClosesItsShortCodes guesses from everywhere at once. When the chances
// of all guesses have added up to what the realm accepts, codes so short are not
// looked up for other networks, new codes are longer, and those work. The
// household of a code does not notice.
func TestARealmClosesItsShortCodes(t *testing.T) {
	t.Parallel()
	a := startNode(t, timidConfig).mustApp("one")
	host, short := a.hostWithCode("host")
	statuses := guessAtOnce(t, a, volume(1500, 100_000), scattered(1), distant(t, short))
	if got := statuses[http.StatusBadRequest]; got < 600 || got > timidLookups {
		t.Fatalf("%d guesses reached a look-up, want nearly 700 and at most %d; answers %v", got, timidLookups, statuses)
	}
	if got := a.metric("ssod_link_expected_wrong_hits"); got < 0.0006 || got > 0.0007 {
		t.Errorf("ssod_link_expected_wrong_hits: got %v, want nearly 0.0007", got)
	}
	refusedAsClosed(t, a.mustGuess("honest", "203.0.113.9", short))
	if got := a.mustGuess("sibling", "127.0.0.1", short); got.Status != http.StatusCreated {
		t.Fatalf("the short code in its own network: got %d %s, want 201", got.Status, got.Body)
	}
	long, err := a.link(t.Context(), host)
	must(t, err)
	if len(long) != 10 {
		t.Fatalf("a new code has %d characters, want 10", len(long))
	}
	if got := a.mustGuess("honest", "203.0.113.9", long); got.Status != http.StatusCreated {
		t.Fatalf("the long code: got %d %s, want 201", got.Status, got.Body)
	}
}

// TestSuccessAndCrashResetNoBudget interleaves successes with failures and kills
// the process: what was charged stays charged, except what a crash may forgive,
// which is one budget at most.
func TestSuccessAndCrashResetNoBudget(t *testing.T) {
	t.Parallel()
	a := startNode(t, guessConfig).mustApp("one")
	refused := 0
	for i := range 3 * perDevice {
		if i%4 == 3 {
			_, code := a.hostWithCode(fmt.Sprintf("host %d", i))
			a.mustGuess("guesser", "203.0.113.1", code)
			continue
		}
		if a.mustGuess("guesser", "203.0.113.1", fmt.Sprintf("00000%d", i%10)).Status == http.StatusTooManyRequests {
			refused++
		}
	}
	if got := a.failures(); got != perDevice {
		t.Fatalf("%d guesses of one device reached a look-up between its successes, want %d", got, perDevice)
	}
	a.Kill()
	a.Start()
	for i := range 2 * perDevice {
		a.mustGuess("guesser", "203.0.113.1", fmt.Sprintf("00000%d", i%10))
	}
	if got := a.failures(); got > perDevice { // the metric starts anew with the process
		t.Fatalf("%d more guesses reached a look-up after a crash, want at most one budget of %d", got, perDevice)
	}
	if refused == 0 {
		t.Fatal("no guess was refused before the crash")
	}
}

// wrong is a code that differs from one in a digit.
func wrong(code string, i int) string {
	digit := (code[len(code)-1] - '0' + 1 + byte(i)) % 10
	return code[:len(code)-1] + string('0'+digit)
}

// TestManyHonestViewersShareAnAddress redeems codes for 200 viewers behind one
// carrier's address, 3 of 100 of whom mistype theirs first: with the throttle
// raised for such an address nobody is turned away.
func TestManyHonestViewersShareAnAddress(t *testing.T) {
	t.Parallel()
	const viewers = 200
	a := startNode(t, `
throttle: {rate: 1000, burst: 1000}
realms:
  - {id: one, serviceProviders: [one]}
`).mustApp("one")
	for i := range viewers {
		_, code := a.hostWithCode(fmt.Sprintf("host %d", i))
		name := fmt.Sprintf("viewer %d", i)
		if i%33 == 0 {
			if got := a.mustGuess(name, "203.0.113.1", wrong(code, 0)); got.Status != http.StatusBadRequest {
				t.Fatalf("viewer %d mistypes: got %d, want 400", i, got.Status)
			}
		}
		if got := a.mustGuess(name, "203.0.113.1", code); got.Status != http.StatusCreated {
			t.Fatalf("viewer %d: got %d %s, want 201", i, got.Status, got.Body)
		}
	}
}
