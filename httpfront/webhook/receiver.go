package webhook

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"ssod/httpfront/config"
)

const (
	// perReceiver is how many deliveries to one receiver this node has under way.
	perReceiver = 16
	// failing is how many failures in a row say that it is the receiver that fails and not
	// an event. From then on one event at a time is tried, until one is taken.
	failing = 3
	// firstRetry is the pause after a failure, doubled with each further one.
	firstRetry = 5 * time.Second
	// longestProbe is the longest pause between two tries at a receiver that fails.
	longestProbe = 5 * time.Minute
	// Life is how long an event is tried.
	Life = 24 * time.Hour
)

// receiver is one that is configured.
type receiver struct {
	id      uint64
	realm   string
	name    string
	hook    config.Webhook
	client  *http.Client
	secrets [][]byte
	broken  string // why it cannot be used; its events wait

	failures int // in a row
	until    time.Time
	gone     bool
	why      string // of the last failure
	since    time.Time
}

func newReceiver(realm, name string, w config.Webhook) *receiver {
	r := &receiver{id: ReceiverOf(realm, w), realm: realm, name: name, hook: w}
	var err error
	if r.secrets, err = w.Secrets(); err == nil {
		r.client, err = client(w)
	}
	if err != nil {
		r.broken = err.Error()
	}
	return r
}

// names name the receivers of a realm where their URLs must not be, since these may have
// secrets in them: by host, and the second on a host as host#2.
func names(hooks []config.Webhook) []string {
	all, on := make([]string, len(hooks)), map[string]int{}
	for i, w := range hooks {
		host := ""
		if u, err := url.Parse(w.URL); err == nil {
			host = u.Host
		}
		all[i] = host
		if on[host]++; on[host] > 1 {
			all[i] = fmt.Sprintf("%s#%d", host, on[host])
		}
	}
	return all
}

// free reports whether one more delivery may begin, when so many are under way.
func (r *receiver) free(busy int, now time.Time) bool {
	limit := perReceiver
	if r.failures >= failing {
		limit = 1
	}
	return r.broken == "" && !r.gone && busy < limit && !now.Before(r.until)
}

// took notes a delivery and reports whether the receiver had been failing.
func (r *receiver) took() (recovered bool) {
	recovered = r.failures >= failing
	r.failures, r.until, r.why, r.since = 0, time.Time{}, "", time.Time{}
	return recovered
}

// failed notes a failure.
func (r *receiver) failed(v verdict, now time.Time) {
	if r.failures == 0 {
		r.since = now
	}
	r.failures++
	r.why, r.gone = v.why, v.gone
	pause := v.wait
	if r.failures >= failing {
		pause = max(pause, min(backoff(r.failures-failing+1), longestProbe))
	}
	if until := now.Add(pause); pause > 0 && until.After(r.until) {
		r.until = until
	}
}

// backoff is the pause after so many failures, with a jitter of a fifth.
func backoff(failures int) time.Duration {
	d := firstRetry << min(max(failures-1, 0), 14)
	return min(d, Life) - time.Duration(rand.Int64N(int64(min(d, Life))/5))
}
