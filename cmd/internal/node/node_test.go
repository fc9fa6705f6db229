package node_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ssod/cluster/secretfile"
	"ssod/cmd/internal/node"
	"ssod/httpfront/api/admin"
	"ssod/httpfront/config"
	"ssod/persistence"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// Goroutines of fasthttp that end by themselves, up to 10 s later.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		// Memberlist does not wait for a probe that is under way when it ends.
		goleak.IgnoreAnyFunction("github.com/hashicorp/memberlist.(*Memberlist).triggerFunc"))
}

// settings are of a node on free ports that says nothing.
func settings(t *testing.T) node.Config {
	return node.Config{
		Data: filepath.Join(t.TempDir(), "data"), DefaultName: "n1",
		HTTP: "127.0.0.1:0", Admin: "127.0.0.1:0", RPC: "127.0.0.1:7947", Shards: 4,
		Log: slog.New(slog.DiscardHandler),
	}
}

func start(t *testing.T, c node.Config) *node.Node {
	t.Helper()
	n, err := node.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return n
}

// get returns status and body, over a connection of its own.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 2 * time.Minute}
	r, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

func TestNodeServesOnAllItsListeners(t *testing.T) {
	c := settings(t)
	c.Health = "127.0.0.1:0"
	n := start(t, c)
	for url, want := range map[string]int{
		"http://" + n.HTTP() + "/.well-known/demo/jwks.json": 200,
		"http://" + n.HTTP() + "/api/demo/list":              401,
		"http://" + n.Admin() + "/readyz":                    200,
		"http://" + n.Admin() + "/admin/v1/keys":             200,
		"http://" + n.Admin() + "/docs":                      200,
		"http://" + n.HTTP() + "/docs":                       200,
		"http://" + n.Health() + "/docs":                     404,
		"http://" + n.Health() + "/livez":                    200,
		"http://" + n.Health() + "/readyz":                   200,
		"http://" + n.Health() + "/metrics":                  200,
		"http://" + n.Health() + "/admin/v1/keys":            404,
	} {
		if got, body := get(t, url); got != want {
			t.Errorf("GET %s: got %d %s, want %d", url, got, body, want)
		}
	}
}

func TestMetricsThatMustExist(t *testing.T) {
	n := start(t, settings(t))
	_, body := get(t, "http://"+n.Admin()+"/metrics")
	for _, name := range []string{
		"ssod_http_requests_total", "ssod_http_request_duration_seconds", "ssod_actor_active", "ssod_actor_mailbox_seconds",
		"ssod_store_commit_seconds", "ssod_store_batch_size", "ssod_throttled_total", "ssod_config_mismatch",
		"ssod_disk_free_bytes", "ssod_build_info",
	} {
		if !strings.Contains(body, "# TYPE "+name+" ") {
			t.Errorf("metric %s is missing", name)
		}
	}
}

func TestDrainServesUntilTheDelayIsOver(t *testing.T) {
	c := settings(t)
	c.DrainDelay = time.Hour
	n, err := node.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	stopping, cancel := context.WithCancel(context.Background())
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- n.Stop(stopping) }()
	waitFor(t, func() bool {
		status, body := get(t, "http://"+n.Admin()+"/readyz")
		return status == 503 && strings.Contains(body, "draining")
	})
	if got, _ := get(t, "http://"+n.Admin()+"/livez"); got != 200 {
		t.Errorf("livez while draining: got %d, want 200", got)
	}
	if got, _ := get(t, "http://"+n.HTTP()+"/.well-known/demo/jwks.json"); got != 200 {
		t.Errorf("a request while draining: got %d, want 200", got)
	}
	cancel() // nobody waits any longer
	select {
	case <-stopped:
	case <-time.After(2 * time.Minute):
		t.Fatal("the node did not stop")
	}
	if _, err := http.Get("http://" + n.HTTP() + "/"); err == nil {
		t.Error("the public listener is still open")
	}
}

func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("not in time")
		}
	}
}

func TestRestartKeepsWhatWasAcknowledged(t *testing.T) {
	c := settings(t)
	c.Name = "alpha"
	first, err := node.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	before := kids(t, first)
	if err := first.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	c.Name = ""
	second := start(t, c)
	if after := kids(t, second); after != before {
		t.Errorf("keys after a restart: got\n%s\nwant\n%s", after, before)
	}
	if _, body := get(t, "http://"+second.Admin()+"/readyz"); !strings.Contains(body, `"node":"alpha"`) {
		t.Errorf("got %s, want the name from the data directory", body)
	}
}

// kids lists the ids of a node's keys.
func kids(t *testing.T, n *node.Node) string {
	t.Helper()
	_, body := get(t, "http://"+n.Admin()+"/admin/v1/keys")
	var list struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Keys) == 0 {
		t.Fatalf("keys: %v in %s", err, body)
	}
	var ids strings.Builder
	for _, k := range list.Keys {
		ids.WriteString(k.ID + "\n")
	}
	return ids.String()
}

func TestStartRefuses(t *testing.T) {
	used := settings(t)
	first, err := node.Start(t.Context(), used)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("a directory in use", func(t *testing.T) {
		refused(t, used, persistence.ErrLocked)
	})
	if err := first.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Run("another node's directory", func(t *testing.T) {
		other := used
		other.Name = "n2"
		refused(t, other, persistence.ErrOtherNode)
	})
	t.Run("a store without its sealing key", func(t *testing.T) {
		key := filepath.Join(used.Data, "sealing.key")
		content, err := os.ReadFile(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(key); err != nil {
			t.Fatal(err)
		}
		refused(t, used, node.ErrSealingKey)
		if _, err := os.Stat(key); !errors.Is(err, os.ErrNotExist) {
			t.Error("a new sealing key was made for keys that it does not open")
		}
		other := bytes.Repeat([]byte("0"), len(content)-1) // a key, but not the one
		for _, wrong := range [][]byte{content[:20], other} {
			if err := os.WriteFile(key, wrong, 0o600); err != nil {
				t.Fatal(err)
			}
			refused(t, used, node.ErrSealingKey)
		}
		if err := errors.Join(os.WriteFile(key, content, 0o600), os.Chmod(key, 0o640|0o004)); err != nil {
			t.Fatal(err)
		}
		refused(t, used, secretfile.ErrExposed)
	})
	t.Run("a file with mistakes", func(t *testing.T) {
		c := settings(t)
		c.File = write(t, t.TempDir(), "realms: []\n")
		var mistakes config.Mistakes
		if _, err := node.Start(t.Context(), c); !errors.As(err, &mistakes) {
			t.Fatalf("got %v, want mistakes", err)
		}
		if _, err := os.Stat(c.Data); !errors.Is(err, os.ErrNotExist) {
			t.Error("a data directory was made all the same")
		}
	})
}

func refused(t *testing.T, c node.Config, want error) {
	t.Helper()
	n, err := node.Start(t.Context(), c)
	if err == nil {
		_ = n.Stop(context.Background())
	}
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}

func write(t *testing.T, dir, text string) string {
	t.Helper()
	file := filepath.Join(dir, "ssod.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestReload(t *testing.T) {
	dir := t.TempDir()
	c := settings(t)
	c.File = write(t, dir, "realms: [{id: a, serviceProviders: [tv]}]")
	n := start(t, c)
	known := func(sp string) bool {
		status, body := get(t, "http://"+n.HTTP()+"/api/"+sp+"/list")
		if status != 401 {
			t.Fatalf("list of %s: got %d %s", sp, status, body)
		}
		made, err := http.Post("http://"+n.Admin()+"/admin/v1/software-statements", "application/json", strings.NewReader(`{"clientName":"x","serviceProviders":["`+sp+`"]}`))
		if err != nil {
			t.Fatal(err)
		}
		made.Body.Close()
		return made.StatusCode == 201
	}
	steps := []struct {
		name, text string
		want       error
		kids       bool // whether service provider kids is there afterwards
	}{
		{"a new service provider", "realms: [{id: a, serviceProviders: [tv, kids]}]", nil, true},
		{"a mistake", "realms: [{id: a, serviceProviders: [tv], maxDevices: 0}]", admin.ErrConfiguration, true},
		{"another alphabet", "realms: [{id: a, serviceProviders: [tv], linkCode: {alphabet: alphanumeric}}]", config.ErrRestart, true},
		{"another realm", "realms: [{id: b, serviceProviders: [tv]}]", config.ErrRestart, true},
		{"an algorithm, without the service provider", "realms: [{id: a, serviceProviders: [tv], serviceToken: {algorithm: RS256}}]", nil, false},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			write(t, dir, step.text)
			_, err := n.Reload(t.Context())
			if !errors.Is(err, step.want) {
				t.Fatalf("got %v, want %v", err, step.want)
			}
			if got := known("kids"); got != step.kids {
				t.Fatalf("service provider kids known: got %v, want %v", got, step.kids)
			}
		})
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestBelowTheDiskReserveReadsGoOn(t *testing.T) {
	c := settings(t)
	first, err := node.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	c.Reserve = 1 << 62
	n := start(t, c)
	if status, body := get(t, "http://"+n.Admin()+"/readyz"); status != 200 || !strings.Contains(body, `"condition":"disk","ok":false`) {
		t.Errorf("readyz: got %d %s, want 200 with the disk as advice", status, body)
	}
	if status, body := get(t, "http://"+n.Admin()+"/admin/v1/keys"); status != 200 {
		t.Errorf("a read: got %d %s, want 200", status, body)
	}
	r, err := http.Post("http://"+n.Admin()+"/admin/v1/software-statements", "application/json", strings.NewReader(`{"clientName":"x","serviceProviders":["demo"]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer r.Body.Close()
	if r.StatusCode != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("a change: got %d, want 503 with Retry-After", r.StatusCode)
	}
}

// A node that is stopped right after its start has a public listener that
// fasthttp does not know yet.
func TestStopRightAfterStart(t *testing.T) {
	c := settings(t)
	for range 5 {
		n, err := node.Start(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReloadOfTheDemoIsRefused(t *testing.T) {
	n := start(t, settings(t))
	if _, err := n.Reload(t.Context()); !errors.Is(err, admin.ErrConfiguration) {
		t.Fatalf("got %v, want that there is no file", err)
	}
}
