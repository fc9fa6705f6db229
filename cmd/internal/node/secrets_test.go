package node_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ssod/cluster/secret"
	"ssod/cluster/secretfile"
	"ssod/cmd/internal/node"
	"ssod/httpfront/api/admin"
)

// A node that founds a cluster makes the secret and says how to hand it on; it goes on
// with it when it starts again, and others join with a copy.
func TestTheFounderMakesTheSecret(t *testing.T) {
	t.Parallel()
	c := joining(t, "n1")
	c.Secret = filepath.Join(t.TempDir(), "cluster.secret")
	var log bytes.Buffer
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	if err := start(t, c).Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadFile(c.Secret)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(c.Secret); err != nil || info.Mode() != 0o600 {
		t.Errorf("the mode is %v, %v", info.Mode(), err)
	}
	if keys, err := secret.Parse(made); len(keys) != 1 || err != nil || keys[0] == (secret.Key{}) {
		t.Errorf("%d keys, %v", len(keys), err)
	}
	for _, want := range []string{"scp -p " + c.Secret, "--join " + c.Gossip} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, &log)
		}
	}
	if strings.Contains(log.String(), strings.TrimSpace(string(made))) {
		t.Error("the secret is in the log")
	}
	c.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	first := run(t, c)
	if again, err := os.ReadFile(c.Secret); !bytes.Equal(made, again) || err != nil {
		t.Errorf("the second start has made another secret, %v", err)
	}
	second := joining(t, "n2", first)
	second.Secret = c.Secret
	run(t, second)
}

// Who does not found a cluster needs its secret, and no other file is taken for it.
func TestWithoutTheSecretNobodyStarts(t *testing.T) {
	t.Parallel()
	alone := settings(t)
	if err := start(t, alone).Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	exposed := secretOf(t, 1)
	if err := os.Chmod(exposed, 0o644); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(t.TempDir(), "none")
	for name, tt := range map[string]struct {
		change func(*node.Config)
		want   error
		says   string
	}{
		"it joins without a secret":              {func(c *node.Config) { c.Join, c.Secret = []string{"127.0.0.1:1"}, "" }, node.ErrNoSecret, "--join needs --cluster-secret"},
		"it joins with a file that is not there": {func(c *node.Config) { c.Join, c.Secret = []string{"127.0.0.1:1"}, none }, node.ErrNoSecret, "copy it from a member"},
		"its directory is not empty":             {func(c *node.Config) { c.Data, c.Secret = alone.Data, none }, node.ErrNoSecret, "openssl rand -base64 32 >" + none},
		"others can read the file":               {func(c *node.Config) { c.Secret = exposed }, secretfile.ErrExposed, exposed},
		"the file holds no key":                  {func(c *node.Config) { c.Secret = write(t, t.TempDir(), "hush\n") }, secret.ErrKeys, "line 1"},
		"others can read the admin tokens":       {func(c *node.Config) { c.AdminTokens = exposed }, secretfile.ErrExposed, "--admin-token"},
	} {
		t.Run(name, func(t *testing.T) {
			c := joining(t, "n9")
			c.Name = ""
			tt.change(&c)
			err := c.CheckSecrets()
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hush") {
				t.Errorf("the check says %v, want %v with %q", err, tt.want, tt.says)
			}
			if n, err := node.Start(t.Context(), c); !errors.Is(err, tt.want) {
				t.Errorf("the start says %v, want %v", err, tt.want)
				if err == nil {
					_ = n.Stop(context.Background()) // the test has failed
				}
			}
			if _, err := os.Stat(none); !errors.Is(err, fs.ErrNotExist) {
				t.Error("a secret was made")
			}
		})
	}
}

// A node alone becomes one of several with a secret and keeps what it has. Then it is
// not alone any more: without the secret it would serve what others decide too.
func TestANodeAloneBecomesOneOfSeveral(t *testing.T) {
	t.Parallel()
	c := joining(t, "n1")
	grown := c.Secret
	c.Secret = ""
	first := start(t, c)
	if page := (&member{first, c}).view(t); strings.Contains(page, c.Raft) {
		t.Errorf("alone, it tells of a port for others: %s", page)
	}
	keys := kids(t, first)
	if err := first.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	c.Secret = grown
	all := []*member{run(t, c)}
	if again := kids(t, all[0].Node); again != keys {
		t.Errorf("keys %s, before %s", again, keys)
	}
	for _, name := range []string{"n2", "n3"} {
		all = append(all, run(t, joining(t, name, all...)))
	}
	threeVote(t, all)
	for _, m := range all {
		if err := m.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		alone := m.config
		alone.Secret, alone.Join = "", nil
		if _, err := node.Start(t.Context(), alone); !errors.Is(err, node.ErrNoSecret) || !strings.Contains(err.Error(), alone.Data) {
			t.Errorf("%s without the secret: got %v, want ErrNoSecret that names the directory", alone.Name, err)
		}
	}
}

// A node that has taken in a member which never came is not alone either.
func TestAMemberThatNeverCameCounts(t *testing.T) {
	t.Parallel()
	first := run(t, joining(t, "n1"))
	second := joining(t, "n2", first)
	second.Data = filepath.Join(t.TempDir(), "data")
	if err := os.Symlink("nowhere/data", second.Data); err != nil {
		t.Fatal(err)
	}
	if _, err := node.Start(t.Context(), second); !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v, want a directory that cannot be made", err)
	}
	if page := first.view(t); !strings.Contains(page, `"n2"`) {
		t.Fatalf("n2 was not taken in: %s", page)
	}
	if err := first.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	alone := first.config
	alone.Secret = ""
	if _, err := node.Start(t.Context(), alone); !errors.Is(err, node.ErrNoSecret) || !strings.Contains(err.Error(), "n2") {
		t.Errorf("got %v, want ErrNoSecret that names n2", err)
	}
}

// The files of secrets are read again by a reload, all or nothing.
func TestReloadReadsTheSecretsAgain(t *testing.T) {
	t.Parallel()
	const one, two = "correct-horse-battery", "staple-that-battery"
	tokens := filepath.Join(t.TempDir(), "token")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(tokens, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(one)
	c := joining(t, "n1")
	c.AdminTokens = tokens
	n := start(t, c)
	expect := func(token string, want int) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+n.Admin()+"/livez", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("got %d, want %d", answer.StatusCode, want)
		}
	}
	reload := func(want error) {
		t.Helper()
		if _, err := n.Reload(t.Context()); !errors.Is(err, want) {
			t.Errorf("reload: got %v, want %v", err, want)
		}
	}
	expect(one, 200)
	put(fmt.Sprintf("%s\n%s\n", two, one))
	reload(nil)
	expect(one, 200)
	expect(two, 200)
	put(two)
	if err := os.Chmod(c.Secret, 0o644); err != nil {
		t.Fatal(err)
	}
	reload(admin.ErrConfiguration)
	expect(one, 200)
	if err := os.Chmod(c.Secret, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(c.Secret); err != nil {
		t.Fatal(err)
	}
	reload(admin.ErrConfiguration)
	expect(one, 200)
	keep(t, c.Secret, 2) // whoever has only the old one would be shut out
	reload(admin.ErrConfiguration)
	expect(one, 200)
	keep(t, c.Secret, 1, 2)
	reload(nil)
	expect(one, 401)
	expect(two, 200)
	keep(t, c.Secret, 2)
	reload(nil)
}
