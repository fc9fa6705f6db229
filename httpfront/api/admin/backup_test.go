package admin_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"ssod/cluster"
	"ssod/httpfront/api/admin"
)

// vault stands in for what makes backups.
type vault struct {
	w      *world
	begin  error
	write  func(ctx context.Context, to io.Writer) error
	closed chan struct{}
}

func (v *vault) Begin(_ context.Context, recipient string) (admin.Backup, error) {
	return v, errors.Join(v.w.ask("back up for %s", recipient), v.begin)
}

func (v *vault) Write(ctx context.Context, to io.Writer) error { return v.write(ctx, to) }
func (v *vault) Close()                                        { close(v.closed) }

// A backup is a stream with an audit line when it begins, and one when it ends that says
// how.
func TestBackup(t *testing.T) {
	for name, tt := range map[string]struct {
		begin, write error
		status       int
		ends         string
	}{
		"complete":       {nil, nil, http.StatusOK, "complete"},
		"incomplete":     {nil, errors.New("node n2 is gone"), http.StatusOK, "incomplete"},
		"no recipient":   {admin.ErrRecipient, nil, http.StatusBadRequest, ""},
		"too many":       {admin.ErrBackups, nil, http.StatusConflict, ""},
		"nothing is led": {cluster.ErrRefused, nil, http.StatusServiceUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t)
			v := &vault{w: f.world, begin: tt.begin, closed: make(chan struct{})}
			v.write = func(_ context.Context, to io.Writer) error {
				_, err := io.WriteString(to, "encrypted")
				return errors.Join(err, tt.write)
			}
			services := f.services(t)
			services.Backups = v
			f.server.Serve(services)
			status, body := f.call("POST", "/admin/v1/backup", `{"recipient":"age1example"}`)
			if status != tt.status {
				t.Fatalf("got %d %s, want %d", status, body, tt.status)
			}
			if tt.ends == "" {
				wantFailure(t, status, body)
				return
			}
			<-v.closed
			if body != "encrypted" {
				t.Errorf("got %q", body)
			}
			if log := f.logged(); strings.Count(log, "POST /admin/v1/backup") < 1 || !strings.Contains(log, "backup=begun") {
				t.Errorf("no audit line says that it began: %s", log)
			}
			if log := f.logged(); !strings.Contains(log, "backup="+tt.ends+" ") {
				t.Errorf("no audit line says how it ended: %s", log)
			}
		})
	}
}

// A node that stops does not wait for a backup: it ends, and whoever writes it hears
// why.
func TestABackupEndsWithTheNode(t *testing.T) {
	why := make(chan error, 1)
	var asking sync.WaitGroup
	t.Cleanup(func() { // when the server was shut down
		asking.Wait()
		if err := <-why; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
	f := start(t)
	begun := make(chan struct{})
	v := &vault{w: f.world, closed: make(chan struct{})}
	v.write = func(ctx context.Context, _ io.Writer) error {
		close(begun)
		<-ctx.Done()
		why <- ctx.Err()
		return ctx.Err()
	}
	services := f.services(t)
	services.Backups = v
	f.server.Serve(services)
	asking.Go(func() {
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		if answer, err := client.Post(f.url+"/admin/v1/backup", "application/json", strings.NewReader(`{"recipient":"age1example"}`)); err == nil {
			_ = answer.Body.Close()
		}
	})
	<-begun
}
