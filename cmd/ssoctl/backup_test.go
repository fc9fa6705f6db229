package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ssod/persistence/backup"
)

// backupOf is a backup of one shard without anything, and its end.
func backupOf(t *testing.T, key string, end func(*backup.Writer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	sealed, err := backup.SealTo(&out, key)
	if err != nil {
		t.Fatal(err)
	}
	w, err := backup.NewWriter(sealed, &backup.Header{Cluster: "c1", Node: "n1", Shards: 1})
	for _, id := range []uint32{1, 0} {
		var shard *backup.Shard
		if err == nil {
			shard, err = backup.NewShard(w, &backup.Begin{Shard: id})
		}
		if err == nil {
			err = shard.End()
		}
	}
	if err == nil {
		err = end(w)
	}
	if err == nil {
		err = sealed.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func complete(w *backup.Writer) error { return w.End(time.UnixMilli(1)) }

// A file is there when all of it is, and none when anything went wrong on the way.
func TestBackupIsWholeOrNotThere(t *testing.T) {
	for name, tt := range map[string]struct {
		serve func(w http.ResponseWriter, key string)
		said  string // in an error; empty: it is complete
	}{
		"complete": {func(w http.ResponseWriter, key string) { _, _ = w.Write(backupOf(t, key, complete)) }, ""},
		"the node dies": {func(w http.ResponseWriter, key string) {
			all := backupOf(t, key, complete)
			_, _ = w.Write(all[:len(all)-10])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "incomplete"},
		"the node says that it failed": {func(w http.ResponseWriter, key string) {
			_, _ = w.Write(backupOf(t, key, func(w *backup.Writer) error { return w.Fail("node n2 is gone") }))
		}, "node n2 is gone"},
		"somebody else's key": {func(w http.ResponseWriter, _ string) {
			other, err := backup.NewKey()
			if err == nil {
				_, _ = w.Write(backupOf(t, other.String(), complete))
			}
		}, "incomplete"},
		"the node refuses": {func(w http.ResponseWriter, _ string) {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"message":"other backups are being made"}`)
		}, "other backups are being made"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var in struct{ Recipient string }
				if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
					t.Error(err)
				}
				tt.serve(w, in.Recipient)
			}))
			defer server.Close()
			dir := t.TempDir()
			file, pass := filepath.Join(dir, "backup"), filepath.Join(dir, "pass")
			if err := os.WriteFile(pass, []byte("correct horse battery\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, said bytes.Buffer
			status := run([]string{"--admin", server.URL, "backup", file, "--passphrase-file", pass}, &out, &said)
			files, err := filepath.Glob(filepath.Join(dir, "*backup*"))
			if err != nil {
				t.Fatal(err)
			}
			if hidden, _ := filepath.Glob(filepath.Join(dir, ".*")); len(hidden) > 0 {
				t.Errorf("left: %v", hidden)
			}
			if tt.said != "" {
				if status != exitFailed || len(files) > 0 || !strings.Contains(said.String(), tt.said) {
					t.Errorf("status %d, files %v, said %s", status, files, &said)
				}
				return
			}
			if status != exitOK || len(files) != 1 || !strings.Contains(out.String(), "c1") {
				t.Fatalf("status %d, files %v, said %s%s", status, files, &said, &out)
			}
			if status := run([]string{"backup", "verify", file, "--passphrase-file", pass}, &out, &said); status != exitOK {
				t.Errorf("verify: status %d, said %s", status, &said)
			}
			before := said.Len()
			if status := run([]string{"--admin", server.URL, "backup", file, "--passphrase-file", pass}, &out, &said); status != exitFailed {
				t.Errorf("over a file: status %d, said %s", status, said.String()[before:])
			}
		})
	}
}

// A passphrase that others can read, or guess, is refused before anything is asked.
func TestBackupRefusesBadPassphrases(t *testing.T) {
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		text string
		mode os.FileMode
		said string
	}{
		"short":   {"hunter2\n", 0o600, "12"},
		"empty":   {"\n", 0o600, "12"},
		"exposed": {"correct horse battery\n", 0o644, "others have access"},
	} {
		pass := filepath.Join(dir, name)
		if err := os.WriteFile(pass, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(pass, tt.mode); err != nil {
			t.Fatal(err)
		}
		var out, said bytes.Buffer
		status := run([]string{"--admin", "127.0.0.1:1", "backup", filepath.Join(dir, "backup"), "--passphrase-file", pass}, &out, &said)
		if status != exitFailed || !strings.Contains(said.String(), tt.said) || strings.Contains(said.String(), "hunter2") {
			t.Errorf("%s: status %d, said %s", name, status, &said)
		}
	}
}
