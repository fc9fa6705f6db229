package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"ssod/cluster/secretfile"
	"ssod/cmd/internal/contents"
	"ssod/persistence/backup"
)

type backupGroup struct {
	Make   makeBackup   `cmd:"" default:"withargs" help:"Write a backup of the whole cluster, while it runs, to a file. The word make can be left out."`
	Verify verifyBackup `cmd:"" help:"Check all of a backup, without a node, and show what is in it."`
}

// backupFile is a backup on disk.
type backupFile struct {
	File           string `arg:"" help:"File of the backup."`
	PassphraseFile string `required:"" placeholder:"FILE" help:"File with the passphrase of the backup, its first line. Not accessible to others. Without it nobody can restore the backup."`
}

func (f *backupFile) passphrase() (string, error) {
	text, err := secretfile.Read(f.PassphraseFile)
	if err != nil {
		return "", fmt.Errorf("--passphrase-file: %w", err)
	}
	line := backup.Passphrase(text)
	if err := backup.CheckPassphrase(line); err != nil {
		return "", fmt.Errorf("--passphrase-file %s: %w", f.PassphraseFile, err)
	}
	return line, nil
}

type makeBackup struct{ backupFile }

// Run implements backup. The node encrypts to a key that is made for this backup alone,
// so that neither it learns the passphrase nor whoever listens the keys of the cluster;
// here it is encrypted anew, under the passphrase.
func (c *makeBackup) Run(s *session) error {
	passphrase, err := c.passphrase()
	if err != nil {
		return err
	}
	if _, err := os.Lstat(c.File); err == nil {
		return fmt.Errorf("%s is there already; nothing was changed", c.File)
	}
	out, err := newWholeFile(c.File)
	if err != nil {
		return err
	}
	defer out.discard()
	began := time.Now()
	summary, err := c.receive(s, out, passphrase)
	if err == nil {
		err = out.keep()
	}
	if err != nil {
		return fmt.Errorf("the backup is incomplete, and %s was not written: %w", c.File, err)
	}
	s.say("%s is complete: %d bytes in %v; keep the passphrase, and a copy on another machine", c.File, out.size, time.Since(began).Round(time.Millisecond))
	return s.showBackup(summary)
}

// receive has the node send a backup, and checks that it is complete.
func (c *makeBackup) receive(s *session, out io.Writer, passphrase string) (*contents.Summary, error) {
	key, err := backup.NewKey()
	if err != nil {
		return nil, err
	}
	body, err := s.openBackup(key.String())
	if err != nil {
		return nil, err
	}
	defer body.Close()
	plain, err := key.Open(body)
	if err != nil {
		return nil, err
	}
	sealed, err := backup.Seal(out, passphrase)
	if err != nil {
		return nil, err
	}
	summary, err := contents.Read(io.TeeReader(plain, sealed))
	if err != nil {
		return nil, err
	}
	return summary, sealed.Close()
}

// stalled is how long a node may send nothing of a backup, while it waits for other nodes
// and disks.
const stalled = 2 * time.Minute

// openBackup asks for a backup, without a time limit.
func (s *session) openBackup(recipient string) (io.ReadCloser, error) {
	text, err := json.Marshal(map[string]string{"recipient": recipient})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(s.ctx)
	patience := time.AfterFunc(stalled, func() { cancel(fmt.Errorf("the node has sent nothing for %v", stalled)) })
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.admin+"/admin/v1/backup", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	web := *s.web
	web.Timeout = 0
	answer, err := web.Do(r)
	if err != nil {
		cancel(nil)
		return nil, unreachable(s.admin, err)
	}
	body := &patientBody{answer.Body, ctx, cancel, patience}
	if answer.StatusCode == http.StatusOK {
		return body, nil
	}
	defer body.Close()
	said, err := io.ReadAll(io.LimitReader(body, maxAnswer))
	return nil, errors.Join(refused(answer.StatusCode, said), err)
}

// patientBody is a response body that may take long but not stall.
type patientBody struct {
	io.ReadCloser
	ctx      context.Context
	cancel   context.CancelCauseFunc
	patience *time.Timer
}

func (b *patientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.patience.Reset(stalled)
	if err != nil && context.Cause(b.ctx) != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

func (b *patientBody) Close() error {
	b.patience.Stop()
	b.cancel(nil)
	return b.ReadCloser.Close()
}

// wholeFile is a file that gets its name when all of it is on disk.
type wholeFile struct {
	*os.File
	name string
	size int64
	kept bool
}

func newWholeFile(name string) (*wholeFile, error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.incomplete") // mode 0600
	if err != nil {
		return nil, err
	}
	return &wholeFile{File: f, name: name}, nil
}

func (f *wholeFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	f.size += int64(n)
	return n, err
}

func (f *wholeFile) keep() error {
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.File.Name(), f.name); err != nil {
		return err
	}
	f.kept = true
	dir, err := os.Open(filepath.Dir(f.name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (f *wholeFile) discard() {
	if !f.kept {
		_ = f.Close()
		_ = os.Remove(f.File.Name())
	}
}

type verifyBackup struct{ backupFile }

// Run implements backup verify.
func (c *verifyBackup) Run(s *session) error {
	passphrase, err := c.passphrase()
	if err != nil {
		return err
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	plain, err := backup.Open(f, passphrase)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	summary, err := contents.Verify(plain)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	s.say("%s is complete, and everything in it decodes", c.File)
	return s.showBackup(summary)
}

// showBackup prints what is in a backup.
func (s *session) showBackup(of *contents.Summary) error {
	h := of.Header
	began := time.UnixMilli(h.GetBeganMs()).UTC()
	all := map[string]any{
		"cluster": h.GetCluster(), "node": h.GetNode(), "version": h.GetProgram(), "began": began, "shards": h.GetShards(),
		"spreadMilliseconds": h.GetPinnedMs() - h.GetBeganMs(), "entities": of.Entities, "tables": of.Tables, "bytes": of.Totals.Bytes,
	}
	rows := [][]string{
		{"cluster", h.GetCluster()},
		{"made by", fmt.Sprintf("node %s, version %s", h.GetNode(), h.GetProgram())},
		{"holds all before", began.Format(time.RFC3339Nano)},
		{"shards", fmt.Sprintf("%d, pinned within %d ms", h.GetShards()+1, h.GetPinnedMs()-h.GetBeganMs())},
		{"bytes", fmt.Sprint(of.Totals.Bytes)},
	}
	for _, kind := range slices.Sorted(maps.Keys(of.Entities)) {
		rows = append(rows, []string{kind, fmt.Sprint(of.Entities[kind])})
	}
	for _, table := range slices.Sorted(maps.Keys(of.Tables)) {
		rows = append(rows, []string{"table " + table, fmt.Sprint(of.Tables[table])})
	}
	return s.table(all, "", rows)
}
