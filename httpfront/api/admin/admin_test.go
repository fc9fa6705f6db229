package admin_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/actors"
	"ssod/cluster"
	"ssod/httpfront/api/admin"
	"ssod/httpfront/api/registration"
	"ssod/httpfront/config"
	"ssod/httpfront/degradation"
	"ssod/httpfront/token/keys"
	"ssod/httpfront/webhook"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestOverloadSaysWhen: whole seconds, rounded up, and one at least.
func TestOverloadSaysWhen(t *testing.T) {
	for after, want := range map[time.Duration]string{0: "1", 10 * time.Millisecond: "1", time.Second: "1", 1200 * time.Millisecond: "2"} {
		f := start(t)
		f.err = fmt.Errorf("do it: %w", &actors.OverloadedError{RetryAfter: after})
		if answer, _ := f.answer("DELETE", "/admin/v1/keys/k1", ""); answer.StatusCode != 503 || answer.Header.Get("Retry-After") != want {
			t.Errorf("busy for %v: got %d, Retry-After %q, want 503, %q", after, answer.StatusCode, answer.Header.Get("Retry-After"), want)
		}
	}
}

func TestOperations(t *testing.T) {
	tests := []struct {
		name, method, path, body string
		status                   int
		asked                    string // of the world; empty: nothing
	}{
		{"make a statement", "POST", "/admin/v1/software-statements", `{"clientName":"app","serviceProviders":["tv"]}`, 201, `create app ["tv"]`},
		{"speling", "POST", "/admin/v1/software-statements", `{"clientNam":"app"}`, 400, ""},
		{"member twice", "POST", "/admin/v1/software-statements", `{"clientName":"a","clientName":"b"}`, 400, ""},
		{"no JSON", "POST", "/admin/v1/software-statements", `clientName=a`, 400, ""},
		{"a list", "POST", "/admin/v1/software-statements", `[]`, 400, ""},
		{"empty", "POST", "/admin/v1/software-statements", ``, 400, ""},
		{"too large", "POST", "/admin/v1/software-statements", `{"clientName":"` + strings.Repeat("x", 70000) + `"}`, 400, ""},
		{"revoke a statement", "DELETE", "/admin/v1/software-statements/s1", "", 204, "revoke statement s1"},
		{"revoke a client", "DELETE", "/admin/v1/clients/c.1", "", 204, "revoke client c.1"},
		{"list keys", "GET", "/admin/v1/keys", "", 200, ""},
		{"unknown parameter", "GET", "/admin/v1/keys?realm=a", "", 400, ""},
		{"rotate everything", "POST", "/admin/v1/keys/rotate", "", 200, "rotate realm= use= overlap=10m0s; await o1"},
		{"rotate some", "POST", "/admin/v1/keys/rotate?realm=a&use=service&overlap=0s", "", 200, "rotate realm=a use=service overlap=0s; await o1"},
		{"rotate many", "POST", "/admin/v1/keys/rotate?use=media", "", 202, "rotate realm= use=media overlap=10m0s"},
		{"rotate another use", "POST", "/admin/v1/keys/rotate?use=linkcode", "", 400, ""},
		{"rotate another realm", "POST", "/admin/v1/keys/rotate?realm=b", "", 400, ""},
		{"overlap back in time", "POST", "/admin/v1/keys/rotate?overlap=-1s", "", 400, ""},
		{"overlap is no duration", "POST", "/admin/v1/keys/rotate?overlap=10", "", 400, ""},
		{"parameter twice", "POST", "/admin/v1/keys/rotate?realm=a&realm=a", "", 400, ""},
		{"revoke a key", "DELETE", "/admin/v1/keys/k1", "", 204, "revoke key k1"},
		{"reload", "POST", "/admin/v1/reload", "", 200, "reload"},
		{"accept the clock", "POST", "/admin/v1/clock/accept", "", 200, "accept the clock"},
		{"reset the clock", "POST", "/admin/v1/clock/reset", "", 204, "reset the clock"},
		{"reset some shard", "POST", "/admin/v1/clock/reset?shard=1", "", 400, ""},
		{"look at the clock", "GET", "/admin/v1/clock/reset", "", 405, ""},
		{"no rules", "GET", "/admin/v1/degradation", "", 200, ""},
		{"rules by a filter", "GET", "/admin/v1/degradation?rule=AuthNAll", "", 400, ""},
		{"no rule", "GET", "/admin/v1/degradation/tv/cable", "", 200, ""},
		{"set a rule", "PUT", "/admin/v1/degradation/tv/cable", `{"rule":"AuthNAll","for":"10m"}`, 200, "set AuthNAll for tv at cable for 10m0s by local"},
		{"set a rule for ever", "PUT", "/admin/v1/degradation/tv/cable", `{"rule":"AuthNAll"}`, 400, ""},
		{"set a rule for a word", "PUT", "/admin/v1/degradation/tv/cable", `{"rule":"AuthNAll","for":"long"}`, 400, ""},
		{"set no rule", "PUT", "/admin/v1/degradation/tv/cable", `{"for":"10m"}`, 400, ""},
		{"end a rule", "DELETE", "/admin/v1/degradation/tv/cable", "", 200, "off for tv at cable by local"},
		{"end a rule later", "DELETE", "/admin/v1/degradation/tv/cable?for=10m", "", 400, ""},
		{"test a provider", "POST", "/admin/v1/providers/a/cable/test", `{}`, 200, ""},
		{"test a provider for a viewer", "POST", "/admin/v1/providers/a/cable/test", `{"resource":"channel-1","subject":"sandbox-ada","serviceProvider":"tv"}`, 200, ""},
		{"test a provider without a connector", "POST", "/admin/v1/providers/a/far/test", `{}`, 200, ""},
		{"test another provider", "POST", "/admin/v1/providers/a/disc/test", `{}`, 404, ""},
		{"test a provider of another realm", "POST", "/admin/v1/providers/b/cable/test", `{}`, 404, ""},
		{"test for another channel", "POST", "/admin/v1/providers/a/cable/test", `{"serviceProvider":"radio"}`, 400, ""},
		{"test something else", "POST", "/admin/v1/providers/a/cable/test", `{"colour":"red"}`, 400, ""},
		{"show a profile", "GET", "/admin/v1/profile?realm=a&subject=me", "", 200, "show a/sso/me"},
		{"show an external profile", "GET", "/admin/v1/profile?realm=a&subject=me&namespace=https://id", "", 200, "show a/https://id/me"},
		{"nobody's profile", "GET", "/admin/v1/profile?realm=a&subject=nobody", "", 404, ""},
		{"profile without subject", "GET", "/admin/v1/profile?realm=a", "", 400, ""},
		{"profile of another realm", "GET", "/admin/v1/profile?realm=b&subject=me", "", 400, ""},
		{"subject too long", "GET", "/admin/v1/profile?realm=a&subject=" + strings.Repeat("x", 345), "", 400, ""},
		{"erase a profile", "DELETE", "/admin/v1/profile?realm=a&subject=me", "", 200, "erase me of a; await job"},
		{"erase a device", "DELETE", "/admin/v1/device?realm=a&device=dHY=", "", 200, "erase tv of a; await job"},
		{"erase a device without its name", "DELETE", "/admin/v1/device?realm=a", "", 400, ""},
		{"erase what is not Base64", "DELETE", "/admin/v1/device?realm=a&device=tv", "", 400, ""},
		{"erase in an unknown realm", "DELETE", "/admin/v1/device?realm=b&device=dHY=", "", 400, ""},
		{"wait for an erasure", "DELETE", "/admin/v1/profile?job=slow", "", 202, "await slow"},
		{"wait for an unknown erasure", "DELETE", "/admin/v1/device?job=unknown", "", 404, ""},
		{"reset a device's trial", "DELETE", "/admin/v1/trials?realm=a&mvpd=trial&device=dHY=", "", 204, "reset tv of a/trial"},
		{"reset a viewer's trial", "DELETE", "/admin/v1/trials?realm=a&mvpd=trial&identity=%7B%22x%22:1,%22email%22:%22ada%22%7D", "", 204, "reset {[email ada]} of a/trial"},
		{"reset all trials", "DELETE", "/admin/v1/trials?realm=a&mvpd=trial&all=true", "", 204, "reset all of a/trial"},
		{"reset nobody's trial", "DELETE", "/admin/v1/trials?realm=a&mvpd=trial", "", 400, ""},
		{"reset a trial twice", "DELETE", "/admin/v1/trials?realm=a&mvpd=trial&all=true&device=dHY=", "", 400, ""},
		{"reset what is not Base64", "DELETE", "/admin/v1/trials?realm=a&mvpd=trial&device=tv", "", 400, ""},
		{"reset an identity by another member", "DELETE", "/admin/v1/trials?realm=a&mvpd=trial&identity=%7B%22x%22:1%7D", "", 400, ""},
		{"reset trials of a provider", "DELETE", "/admin/v1/trials?realm=a&mvpd=cable&all=true", "", 400, ""},
		{"reset trials of no realm", "DELETE", "/admin/v1/trials?mvpd=trial&all=true", "", 400, ""},
		{"events", "GET", "/admin/v1/events", "", 200, `events of "" after "", 100`},
		{"events of a realm", "GET", "/admin/v1/events?realm=a&after=1-2-3&limit=5", "", 200, `events of "a" after "1-2-3", 5`},
		{"events of no realm", "GET", "/admin/v1/events?realm=b", "", 400, ""},
		{"too many events", "GET", "/admin/v1/events?limit=501", "", 400, ""},
		{"replay one", "POST", "/admin/v1/events/replay", `{"id":"msg_1"}`, 200, "replay msg_1"},
		{"replay all", "POST", "/admin/v1/events/replay", `{"all":true,"realm":"a"}`, 200, `replay all of a for ""`},
		{"replay for a receiver", "POST", "/admin/v1/events/replay", `{"all":true,"realm":"a","url":"https://x"}`, 200, `replay all of a for "https://x"`},
		{"replay one and all", "POST", "/admin/v1/events/replay", `{"id":"msg_1","all":true,"realm":"a"}`, 400, ""},
		{"replay nothing", "POST", "/admin/v1/events/replay", `{"realm":"a"}`, 400, ""},
		{"replay all realms", "POST", "/admin/v1/events/replay", `{"all":true}`, 400, ""},
		{"cluster", "GET", "/admin/v1/cluster", "", 200, ""},
		{"another path", "GET", "/admin/v1/nope", "", 404, ""},
		{"another method", "PUT", "/admin/v1/reload", "", 405, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := start(t)
			status, body := f.call(tt.method, tt.path, tt.body)
			if status != tt.status {
				t.Errorf("got %d %s, want %d", status, body, tt.status)
			}
			if got := strings.Join(f.asked, "; "); got != tt.asked {
				t.Errorf("asked %q, want %q", got, tt.asked)
			}
			if status >= 400 {
				wantFailure(t, status, body)
			}
			if got := strings.Count(f.logged(), "audit=true"); got != 1 {
				t.Errorf("got %d audit lines, want 1:\n%s", got, f.logged())
			}
		})
	}
}

// wantFailure checks the shape of an error.
func wantFailure(t *testing.T, status int, body string) {
	t.Helper()
	var f struct {
		Status               int
		Code, Message, Trace string
	}
	if err := json.Unmarshal([]byte(body), &f); err != nil || f.Status != status || f.Code == "" || f.Message == "" || len(f.Trace) != 36 {
		t.Errorf("got %s, want an error with status, code, message and trace", body)
	}
}

func TestErrorsOfTheServices(t *testing.T) {
	const statement = `{"serviceProviders":["tv"]}`
	tests := []struct {
		err                error
		status             int
		code               string
		method, path, body string // DELETE keys/k1 if they are empty
	}{
		{registration.ErrInput, 400, "request_invalid", "POST", "software-statements", statement},
		{registration.ErrUnknown, 404, "not_found", "DELETE", "clients/c1", ""},
		{registration.ErrFull, 409, "limit_reached", "POST", "software-statements", statement},
		{degradation.ErrOrder, 400, "request_invalid", "PUT", "degradation/tv/cable", `{"rule":"AuthNAll","for":"10m"}`},
		{degradation.ErrNotNow, 409, "not_possible", "PUT", "degradation/tv/cable", `{"rule":"AuthNAll","for":"10m"}`},
		{degradation.ErrFull, 409, "limit_reached", "PUT", "degradation/tv/cable", `{"rule":"AuthNAll","for":"10m"}`},
		{webhook.ErrNoLetter, 404, "not_found", "POST", "events/replay", `{"id":"msg_1"}`},
		{webhook.ErrPosition, 400, "request_invalid", "GET", "events?after=x", ""},
		{cluster.ErrUnknown, 503, "outcome_unknown", "DELETE", "degradation/tv/cable", ""},
		{keys.ErrUnknownKey, 404, "not_found", "", "", ""},
		{keys.ErrFixed, 409, "not_possible", "", "", ""},
		{keys.ErrTooManyKeys, 409, "limit_reached", "POST", "keys/rotate", ""},
		{config.ErrRestart, 409, "restart_needed", "POST", "reload", ""},
		{admin.ErrConfiguration, 422, "configuration_invalid", "POST", "reload", ""},
		{actors.ErrUnavailable, 503, "service_unavailable", "", "", ""},
		{actors.ErrOverloaded, 503, "service_unavailable", "", "", ""},
		{&actors.OverloadedError{RetryAfter: 1200 * time.Millisecond}, 503, "service_unavailable", "", "", ""},
		{cluster.ErrRefused, 503, "service_unavailable", "", "", ""},
		{fmt.Errorf("%w: node n2: %w", admin.ErrUnfinished, context.DeadlineExceeded), 503, "not_erased", "DELETE", "profile?realm=a&subject=me", ""},
		{actors.ErrUnknown, 503, "outcome_unknown", "", "", ""},
		{cluster.ErrUnknown, 503, "outcome_unknown", "", "", ""},
		{context.DeadlineExceeded, 503, "outcome_unknown", "", "", ""},
		{errors.New("secret detail"), 500, "internal_error", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.err.Error(), func(t *testing.T) {
			f := start(t)
			f.err = fmt.Errorf("do it: %w", tt.err)
			status, body := f.call(cmp.Or(tt.method, "DELETE"), "/admin/v1/"+cmp.Or(tt.path, "keys/k1"), tt.body)
			if status != tt.status || !strings.Contains(body, `"code": "`+tt.code+`"`) {
				t.Fatalf("got %d %s, want %d %s", status, body, tt.status, tt.code)
			}
			if strings.Contains(body, "secret detail") {
				t.Fatalf("the client was told of our fault: %s", body)
			}
		})
	}
}

func TestProfileLeavesSecretsOut(t *testing.T) {
	f := start(t)
	_, body := f.call("GET", "/admin/v1/profile?realm=a&subject=viewer-4711", "")
	for _, want := range []string{`"device": "dHY="`, `"type": "regular"`, `"membership": 7`, `"model": "TV 1"`, `"used": "1970-01-01T00:00:01.5Z"`, `"ended": "1970-01-01T00:00:01.6Z"`, `"pending": true`, `"mvpd": "cable"`, `"notAfter": "1970-01-01T00:00:03Z"`, `"invalidated": true`} {
		if !strings.Contains(body, want) {
			t.Errorf("%s is missing in %s", want, body)
		}
	}
	if strings.Contains(body, "hash") || strings.Contains(body, "secret") || strings.Contains(body, "c2VjcmV0") {
		t.Errorf("a secret is in %s", body)
	}
	log := f.logged()
	if strings.Contains(log, "viewer-4711") || !strings.Contains(log, "profile=digest") {
		t.Errorf("got the audit line\n%s\nwant the viewer as a digest only", log)
	}
}

// A call that waits for others, as one without a majority does, does not hold up the
// end of the server.
func TestShutdownEndsCallsThatWait(t *testing.T) {
	w := &world{state: admin.Ready}
	server, err := admin.Start(admin.Options{Address: "127.0.0.1:0", Status: w.status, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	services, waits := w.services(t), make(chan struct{})
	services.Reload = func(ctx context.Context) (*config.Config, error) {
		close(waits)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	server.Serve(services)
	f := &face{server: server, world: w, t: t, url: "http://" + server.Address().String()}
	var call sync.WaitGroup
	call.Go(func() {
		if status, body := f.call("POST", "/admin/v1/reload", ""); status != http.StatusServiceUnavailable {
			t.Errorf("the call is answered %d %s", status, body)
		}
	})
	<-waits
	if err := server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	call.Wait()
}

// TestInitIsForANodeThatStarts: it is the one call that is served before the node is
// ready.
func TestInitIsForANodeThatStarts(t *testing.T) {
	f := start(t, func(o *admin.Options) {
		o.Found = func(context.Context) error { return fmt.Errorf("%w: node n2 is a member", admin.ErrFounded) }
	})
	if status, body := f.call("POST", "/admin/v1/cluster/init", ""); status != http.StatusConflict || !strings.Contains(body, "node n2 is a member") {
		t.Errorf("got %d %s, want 409 and why", status, body)
	}
	f.server.Serve(nil)
	if status, _ := f.call("POST", "/admin/v1/cluster/init", ""); status != http.StatusConflict {
		t.Errorf("while the node starts: got %d, want 409", status)
	}
	if status, _ := f.call("GET", "/admin/v1/keys", ""); status != http.StatusServiceUnavailable {
		t.Errorf("another call while the node starts: got %d, want 503", status)
	}
}
